import json

import pytest

from reg4rec_core.analysis.health import RULES


def test_the_document_holds_every_check_with_its_bound_and_reason(reg4rec, tiny_run):
    result = reg4rec("check", "--run", tiny_run, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout, parse_constant=pytest.fail)
    assert [check["name"] for check in document["checks"]] == [rule.name for rule in RULES]
    counts = {verdict: document[verdict] for verdict in ("passed", "failed", "unknown")}
    assert sum(counts.values()) == len(RULES)
    assert counts["passed"] > 0
    assert counts["unknown"] > 0
    for check in document["checks"]:
        assert (check["value"] is None) == (check["verdict"] == "unknown")
        assert check["reason"].endswith(".")


def test_the_text_marks_every_check_and_sums_up(reg4rec, tiny_run):
    result = reg4rec("check", "--run", tiny_run)
    assert result.exit_code == 0
    *lines, summary = result.stdout.splitlines()
    marks = [line.split()[0] for line in lines[::2]]
    assert len(marks) == len(RULES)
    assert set(marks) <= {"pass", "FAIL", "?"}
    assert summary == f"{marks.count('pass')} passed, {marks.count('FAIL')} failed, {marks.count('?')} unknown"
