"""The Tuning page in words and tables: what the URL asks for, and what one theta does against another."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from app.view_models.step_thetas import with_thetas
from app.view_models.theta_tree import HIGHEST_THETA
from app.view_models.tree import cut
from reg4rec_core import (
    Catalog,
    DecodeConfig,
    Fate,
    InputError,
    ReasoningTrace,
    ThetaChange,
    ThetaProfile,
    TraceComparison,
    profile_document,
)

INTRODUCTION = (
    "θ says how far one code may move the model's idea of what kind of item comes next before the branch is pruned. "
    "On the left, drag θ and watch one shopper's search follow; on the right, what the same θ does to everybody."
)
KEYS = (
    "On the slider: arrow keys lead to the next other search, with Shift by 0.001; Page Up and Page Down lead to the "
    "next other list. Ticks mark where this user's tree changes, tall ones where the list does."
)
NAMED = 3
"""Titles that a sentence spells out; the others are counted."""
TITLE_LENGTH = 60
"""Letters of each."""


def read_theta(text: str, own: float) -> float:
    """The theta that a URL asks for, the run's own (the highest where it prunes nothing) for none; else InputError."""
    if not text:
        return min(own, HIGHEST_THETA)
    try:
        theta = float(text)
    except ValueError:
        theta = math.nan
    if not 0 <= theta <= HIGHEST_THETA:
        raise InputError(f"theta must be a number from 0 to {HIGHEST_THETA:g}, got {text[:40]!r}; drag the slider")
    return theta


def check_steps(own: int, last: int) -> list[int]:
    """Steps from which beliefs may be compared: 2 to 4, and the run's own; the last step compares nothing."""
    return sorted({step for step in (2, 3, 4) if step < last} | {own})


def theta_text(theta: float) -> str:
    """A theta as the shortest text that reads as the same number."""
    return repr(float(theta)).removesuffix(".0")


def setting_words(theta: float, check_from: int, thetas: Sequence[float] = ()) -> str:
    """A setting in short."""
    if thetas:
        return f"θ by step, compared from step {check_from}"
    if math.isinf(theta):
        return "no pruning"
    return f"θ = {theta:.4g}, compared from step {check_from}"


def own_words(decode: DecodeConfig) -> str:
    """The run's own setting."""
    return setting_words(decode.theta, decode.check_from, decode.thetas)


def change_sentence(
    own: ReasoningTrace, now: ReasoningTrace, compared: TraceComparison, decode: DecodeConfig, catalog: Catalog
) -> str:
    """What the search that is looked at changes against the run's own: in the list, then in the tree."""
    here = setting_words(now.theta, now.check_from, now.thetas)
    pruned = [int((trace.fate == Fate.PRUNED).sum()) for trace in (own, now)]
    tree = (
        f"{_count(pruned[1], 'branch is', 'branches are')} pruned instead of {pruned[0]:,}; "
        f"{len(compared.shared):,} of the {now.n_nodes:,} nodes were there before"
    )
    if pruned[0] == pruned[1] and not len(compared.only_before) and not len(compared.only_after):
        tree = "the tree is the same"
    return f"Against the run's own setting ({own_words(decode)}), {here}: {_list_words(compared, catalog)}; {tree}."


def _list_words(compared: TraceComparison, catalog: Catalog) -> str:
    if compared.same_list:
        return "the list stays as it is"
    parts = []
    if compared.entered:
        count = _count(len(compared.entered), "item is", "items are")
        parts.append(f"{count} new in the list ({_titles([move.item for move in compared.entered], catalog)})")
    if compared.left:
        parts.append(f"{_count(len(compared.left), 'has', 'have')} left it")
    if compared.moved:
        parts.append(f"{_count(len(compared.moved), 'stands', 'stand')} in another place")
    return ", ".join(parts)


def _titles(items: Sequence[int], catalog: Catalog) -> str:
    named = [f"“{cut(catalog.titles[item], TITLE_LENGTH)}”" for item in items[:NAMED]]
    more = [f"{len(items) - NAMED} more"] if len(items) > NAMED else []
    return ", ".join(named + more)


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def neighbours_sentence(changes: Sequence[ThetaChange], theta: float) -> str:
    """Where, on both sides of theta, the list of this user changes next."""
    at = [change.theta for change in changes if not change.same_list]
    if not at:
        return "No θ changes this user's list."
    below, above = [value for value in at if value <= theta], [value for value in at if value > theta]
    parts = [f"below {value:.4g}" for value in below[-1:]] + [f"from {value:.4g} on" for value in above[:1]]
    return (
        f"This user's list changes at {_count(len(at), 'θ', 'values of θ')} and the tree at {len(changes):,}; "
        f"the next other list lies {' and '.join(parts)}."
    )


def place_of(target: int, items: Sequence[int]) -> int:
    """Where the item that came next stands among the items drawn, -1 where no theta lists it."""
    return items.index(target) if target in items else -1


def under_the_tree(changes: str, nearest: str) -> str:
    """Two sentences that keep their room whatever they say."""
    first, second = f'<div class="r4-changes">{escape(changes)}</div>', f'<div class="soft">{escape(nearest)}</div>'
    return f'<div class="r4">{first}{second}</div>'


def reasoning_words(link: str, *, by_step: bool) -> str:
    """The way to the Reasoning page, and how the slider is moved where there is one."""
    where = "with these θ" if by_step else "at this θ"
    keys = "" if by_step else f"  \n{KEYS}"
    return f"[See every node of this search on the Reasoning page]({link}), {where}.{keys}"


def profile_json(catalog: Catalog, user: str, profile: ThetaProfile) -> str:
    """Every result and the thetas it holds for, as `reg4rec profile --json` prints them."""
    return json.dumps(profile_document(catalog, user, profile), allow_nan=False, ensure_ascii=False)


def preset_decode(own: DecodeConfig, theta: float, check_from: int, thetas: Sequence[float] = ()) -> DecodeConfig:
    """The run's decoding with what the page shows; at the slider's end pruning is off."""
    chosen = replace(own, check_from=check_from)
    if thetas:
        return with_thetas(chosen, thetas)
    return replace(chosen, theta=math.inf if theta >= HIGHEST_THETA else theta, thetas=())


def step_json(catalog: Catalog, user: str, trace: ReasoningTrace, thetas: Sequence[float]) -> str:
    """The one result of thresholds by step, written like an interval of `profile_json`."""
    listed = zip(trace.items.tolist(), trace.item_scores.tolist(), strict=True)
    document = {
        "user": user,
        "thetas": list(thetas),
        "check_from": trace.check_from,
        "items": [{"key": catalog.item_keys[item], "score": score} for item, score in listed],
        "nodes": trace.n_nodes,
        "pruned": int((trace.fate == Fate.PRUNED).sum()),
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False)
