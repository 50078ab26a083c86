"""`reg4rec bench app` on a run with a stored search."""

import json
import subprocess
import sys

from reg4rec_core.cli.app_actions import ACTIONS

TIMED = ("step by key", "all that theta changes on the Tuning page", "cohort query", "frame while theta is dragged")
"""A few of each kind: every one alone takes seconds."""


def test_actions_are_timed_and_the_memory_watched(stored_run):
    before = sorted(stored_run.rglob("*"))
    arguments = ["bench", "app", "--run", str(stored_run), "--repeats", "1", "--interactions", "3", "--json"]
    arguments += ["--only", ",".join(TIMED)]
    done = subprocess.run(  # a process of its own: Playwright drives one browser a process
        [sys.executable, "-m", "reg4rec_core.cli", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [action["name"] for action in report["actions"]] == list(TIMED)
    by_name = {action.name: action for action in ACTIONS}
    for action in report["actions"]:
        stated = by_name[action["name"]]
        assert 0 < action["p50_ms"] <= action["p95_ms"] <= action["rested_p95_ms"]
        assert action["passed"] == (action["p95_ms"] <= stated.budget_ms == action["budget_ms"])
        assert action["repeats"] == 1
    assert report["left_out"] == []
    assert int(report["actions"][-1]["about"].removesuffix(" nodes")) > 10
    assert report["memory"]["warm_mb"] > 100
    assert report["memory"]["interactions"] == 3
    assert sorted(stored_run.rglob("*")) == before


def test_an_action_that_there_is_not_is_refused(tiny_run, reg4rec):
    refused = reg4rec("bench", "app", "--run", tiny_run, "--only", "a somersault")
    assert refused.exit_code == 2
    assert "there is no action a somersault; the actions are step by key" in refused.stderr
