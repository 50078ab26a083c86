"""How quickly the application answers, action by action against its budget, and whether its memory grows."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from reg4rec_core.checkpoint import open_run
from reg4rec_core.cli.app_actions import (
    ACTIONS,
    NEEDS,
    Action,
    click_node,
    on_a_pruned_user,
    release_theta,
    step_back,
)
from reg4rec_core.cli.app_server import AppServer, serve_app
from reg4rec_core.cli.app_tab import Answer, Tab
from reg4rec_core.cli.chromium import open_chromium
from reg4rec_core.machine import interpreter_rate
from reg4rec_core.types import InputError

WARM_UP = 1
"""Turns of an action before those that count."""
GROWTH_BOUND = 0.05
"""By how much the server's memory may grow over all interactions."""
LEAST_HISTORY = 4
MOST_USERS = 200
MIX = (click_node, step_back, release_theta)
"""What is done over and over while the memory is watched."""
Say = Callable[[str], None]


def measure_app(
    run: Path, *, chromium: str, repeats: int, interactions: int, only: Sequence[str] = (), say: Say
) -> dict[str, Any]:
    """Serve a run, drive the pages in a browser, and report; `say` gets a line before every part.

    `only` names the actions to measure, all without it.
    """
    began = time.perf_counter()
    asked, users = named_actions(only), users_to_visit(run)
    chosen = [action for action in asked if not action.needs or any(run.glob(NEEDS[action.needs]))]
    with serve_app(run) as server, open_chromium(chromium) as browser:
        open_tab = partial(Tab, browser, server.url)
        actions = measure_all(open_tab, chosen, users, repeats=repeats, say=say)
        memory = watch_memory(server, open_tab, users, interactions=interactions, say=say)
    left_out = [action.name for action in asked if action not in chosen]
    seconds = time.perf_counter() - began
    return {"run": str(run), "actions": actions, "left_out": left_out, "memory": memory, "seconds": seconds}


def named_actions(names: Sequence[str]) -> list[Action]:
    """The named actions in the order of the list, all without names; InputError for a name that is none."""
    known = {action.name: action for action in ACTIONS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"there is no action {', '.join(unknown)}; the actions are {', '.join(known)}")
    return [action for action in ACTIONS if not names or action.name in names]


def users_to_visit(run: Path) -> Sequence[str]:
    """Users with a history worth showing, drawn with a fixed seed."""
    log = open_run(run).load_dataset().interactions
    fitting = np.flatnonzero(log.test_positions >= LEAST_HISTORY)
    if not len(fitting):
        raise InputError(f"bench app needs users with {LEAST_HISTORY} purchases before the test item, {run} has none")
    return [log.user_keys[user] for user in np.random.default_rng(0).permutation(fitting)[:MOST_USERS]]


def measure_all(
    open_tab: Callable[[], Tab], actions: Sequence[Action], users: Sequence[str], *, repeats: int, say: Say
) -> list[dict[str, Any]]:
    """One action after the other; each that asks for one has a tab of its own."""
    done = []
    for _, together in groupby(actions, lambda action: action.own_tab and action.name):
        with open_tab() as tab:
            for action in together:
                done.append(measure(tab, action, users, repeats=repeats))
                say(action_line(done[-1], len(action.name)))
    return done


def measure(tab: Tab, action: Action, users: Sequence[str], *, repeats: int) -> dict[str, Any]:
    """One action, repeated; the first turn warms up and does not count."""
    action.start(tab, users)
    answers, rates = [], []
    for turn in range(WARM_UP + repeats):
        rates.append(interpreter_rate())
        answers.append(action.act(tab, users, turn))
    measured = summary(action, answers[WARM_UP:]) | {"interpreter_rate": float(np.median(rates))}
    return measured | {"about": action.about(tab)} if action.about else measured


def summary(action: Action, answers: Sequence[Answer]) -> dict[str, Any]:
    """The numbers of an action: passed when the 95th percentile until what was asked for had changed is in budget."""
    p50, p95 = np.quantile([answer.changed for answer in answers], [0.5, 0.95]).tolist()
    return {
        "name": action.name,
        "budget_ms": action.budget_ms,
        "p50_ms": p50,
        "p95_ms": p95,
        "rested_p95_ms": float(np.quantile([answer.rested for answer in answers], 0.95)),
        "repeats": len(answers),
        "passed": p95 <= action.budget_ms,
    }


def watch_memory(
    server: AppServer, open_tab: Callable[[], Tab], users: Sequence[str], *, interactions: int, say: Say
) -> dict[str, Any] | None:
    """Resident memory of the server before and after many interactions; None where it cannot be read."""
    if server.resident_bytes() is None or not interactions:
        return None
    say(f"memory over {interactions} interactions")
    with open_tab() as tab:
        on_a_pruned_user(tab, users)
        interact(tab, users, range(WARM_UP * len(MIX)))
        warm = server.resident_bytes() or 0
        interact(tab, users, range(WARM_UP * len(MIX), WARM_UP * len(MIX) + interactions))
        after = server.resident_bytes() or 0
    growth = after / warm - 1
    sizes = {"warm_mb": warm / 1e6, "after_mb": after / 1e6, "growth": growth}
    return {"interactions": interactions, **sizes, "bound": GROWTH_BOUND, "passed": growth <= GROWTH_BOUND}


def interact(tab: Tab, users: Sequence[str], turns: range) -> None:
    for turn in turns:
        MIX[turn % len(MIX)](tab, users, turn // len(MIX))


def speed_text(report: dict[str, Any]) -> str:
    """The report as a table for people."""
    width = max((len(action["name"]) for action in report["actions"]), default=0)
    lines = [f"{'':<{width}}  budget ms     p50     p95  at rest  Python steps/s"]
    lines += [action_line(action, width) for action in report["actions"]]
    needs = {action.name: action.needs for action in ACTIONS}
    lines += [f"{name}: left out, the run has no {needs[name]}" for name in report["left_out"]]
    return "\n".join([*lines, *memory_lines(report["memory"])])


def action_line(action: dict[str, Any], width: int) -> str:
    """One line of the table."""
    numbers = "".join(f"{action[name]:8.0f}" for name in ("p50_ms", "p95_ms"))
    mark = "✓" if action["passed"] else "✗ over budget"
    about = f"  ({action['about']})" if "about" in action else ""
    rate = f"{action['interpreter_rate']:.0f} M" if "interpreter_rate" in action else ""
    times = f"{action['budget_ms']:9.0f}{numbers}{action['rested_p95_ms']:9.0f}{rate:>16}"
    return f"{action['name']:<{width}}  {times}  {mark}{about}"


def memory_lines(memory: dict[str, Any] | None) -> list[str]:
    if memory is None:
        return []
    mark = "✓" if memory["passed"] else f"✗ more than {memory['bound']:.0%}"
    sizes = f"{memory['warm_mb']:.0f} MB, after {memory['interactions']} interactions {memory['after_mb']:.0f} MB"
    return [f"memory of the server: warm {sizes} ({memory['growth']:+.1%})  {mark}"]
