"""The table of `bench app`, and what it needs."""

import importlib.util

import pytest

from reg4rec_core.cli import chromium
from reg4rec_core.cli.app_actions import ACTIONS
from reg4rec_core.cli.app_speed import memory_lines, speed_text, summary
from reg4rec_core.cli.app_tab import Answer

STEP = ACTIONS[0]


def answers(*milliseconds):
    return [Answer(changed=float(value), rested=value + 50.0) for value in milliseconds]


def test_the_95th_percentile_decides_whether_an_action_is_in_budget():
    quick, slow = (summary(STEP, answers(*[100.0] * 19, last)) for last in (STEP.budget_ms, 20 * STEP.budget_ms))
    assert (quick["p50_ms"], quick["p95_ms"], quick["rested_p95_ms"]) == pytest.approx((100, 105, 155))
    assert quick["passed"]
    assert slow["p50_ms"] == 100
    assert slow["p95_ms"] == pytest.approx(100 + 0.05 * (20 * STEP.budget_ms - 100))
    assert not slow["passed"]


def test_the_table_has_a_line_an_action_and_marks_what_is_over_budget():
    measured = [summary(ACTIONS[0], answers(90.0)), summary(ACTIONS[1], answers(950.0))]
    measured = [one | {"interpreter_rate": 41.7} for one in measured]
    lines = speed_text({"actions": measured, "left_out": ["cohort query"], "memory": None}).splitlines()
    assert lines[1].split() == ["step", "by", "key", "200", "90", "90", "140", "42", "M", "✓"]
    assert lines[2].endswith("950     950     1000            42 M  ✗ over budget")
    assert lines[3:] == ["cohort query: left out, the run has no stored search"]


def test_what_is_left_out_says_what_the_run_lacks_and_a_line_says_where_it_was_measured():
    measured = [summary(STEP, answers(90.0)) | {"about": "612 nodes"}]
    names = [action.name for action in ACTIONS if action.needs]
    lines = speed_text({"actions": measured, "left_out": names, "memory": None}).splitlines()
    assert lines[1].endswith("✓  (612 nodes)")
    said = dict(line.split(": left out, the run has no ") for line in lines[2:])
    assert said["cohort query"] == "stored search"
    assert said["curves when theta is released"] == "sweep over theta"


def test_memory_that_grows_beyond_its_bound_is_marked():
    grown = {"warm_mb": 500.0, "after_mb": 550.0, "growth": 0.1, "interactions": 200, "bound": 0.05, "passed": False}
    assert memory_lines(grown) == [
        "memory of the server: warm 500 MB, after 200 interactions 550 MB (+10.0%)  ✗ more than 5%"
    ]
    assert memory_lines(None) == []


def test_every_action_has_a_name_of_its_own():
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)


def test_without_playwright_one_sentence_says_how_to_get_it(reg4rec, tiny_run, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = reg4rec("bench", "app", "--run", tiny_run)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "Error: bench app needs Playwright, which is not installed; install it with: pip install playwright\n"
    )


def test_without_a_browser_one_sentence_says_how_to_get_it(reg4rec, tiny_run, monkeypatch):
    monkeypatch.setattr(chromium, "chromium_path", lambda: None)
    result = reg4rec("bench", "app", "--run", tiny_run)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "install -y --no-install-recommends chromium" in result.stderr
