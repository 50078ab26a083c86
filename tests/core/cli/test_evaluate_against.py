"""`reg4rec evaluate --against`: two sets of weights side by side."""

import json
import shutil

import pytest

COMMON = ("evaluate", "--split", "test", "--users", "40", "--oracle-users", "0")
METRICS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")


def report_of(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_constant=pytest.fail)


def test_the_weights_of_both_stages_are_compared(reg4rec, two_stage_run):
    report = report_of(reg4rec(*COMMON, "--run", two_stage_run, "--against", "pretrained", "--json"))
    alone = report_of(reg4rec(*COMMON, "--run", two_stage_run, "--weights", "pretrained", "--json"))
    block = report["against"]
    assert (report["weights"], block["weights"], block["run"]) == ("post_trained", "pretrained", "two-stage")
    assert {name: block[name] for name in METRICS} == {name: alone[name] for name in METRICS}
    assert set(block["difference"]["ndcg@10"]) == {"mean", "low", "high", "relative"}
    assert list(block["js_of_first_item"]["against"]) == ["1", "2", "3"]
    assert block["category_accuracy"]["evaluated"] == report["category_accuracy"]
    assert block["category_accuracy"]["against"] == alone["category_accuracy"]


def test_the_same_weights_of_another_run_make_no_difference(reg4rec, two_stage_run, tiny_run):
    arguments = ("--run", two_stage_run, "--weights", "pretrained", "--against", tiny_run, "--theta", "0.1", "--json")
    block = report_of(reg4rec(*COMMON, *arguments))["against"]
    assert block["run"] == "tiny"
    assert (block["gained@10"], block["lost@10"]) == (0, 0)
    assert block["difference"]["recall@10"]["mean"] == block["difference"]["recall@10"]["high"] == 0


def test_the_text_shows_the_difference_and_its_interval(reg4rec, two_stage_run):
    result = reg4rec(*COMMON, "--run", two_stage_run, "--against", "pretrained")
    assert result.exit_code == 0, result.stderr
    for line in ("against: two-stage, pretrained", "  difference", "  low", "  high", "  relative"):
        assert f"\n{line} " in result.stdout
    assert "users gained a hit among ten" in result.stdout


def test_weights_of_either_stage_can_be_asked_for(reg4rec, two_stage_run):
    chosen = [
        report_of(reg4rec(*COMMON, "--run", two_stage_run, "--weights", weights, "--json"))["weights"]
        for weights in ("latest", "post_trained", "pretrained")
    ]
    assert chosen == ["post_trained", "post_trained", "pretrained"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--against", "post_trained"), "--against must name other weights than those evaluated"),
        (("--weights", "pretrained", "--against", "pretrained"), "--against must name other weights"),
        (("--against", "pretraned"), "--against must be post_trained, pretrained or the directory of a run, got"),
        (("--against", "."), "there is no run at"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_exit_code_2(reg4rec, two_stage_run, arguments, message):
    result = reg4rec(*COMMON, "--run", two_stage_run, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_run_that_has_one_stage_only_has_nothing_else_to_compare_with(reg4rec, tiny_run):
    result = reg4rec(*COMMON, "--run", tiny_run, "--against", "post_trained")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "has no post_trained weights; it has pretrained" in result.stderr


@pytest.mark.parametrize("checksum", ["0" * 64, None])
def test_a_run_on_other_data_is_refused(reg4rec, two_stage_run, tmp_path, checksum):
    other = shutil.copytree(two_stage_run, tmp_path / "other")
    settings = json.loads((other / "run.json").read_text()) | {"data_checksum": checksum}
    (other / "run.json").write_text(json.dumps(settings))
    result = reg4rec(*COMMON, "--run", two_stage_run, "--against", other)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--against must name a run on the same data" in result.stderr


def test_a_stored_report_keeps_the_comparison(reg4rec, two_stage_run, tmp_path):
    run = shutil.copytree(two_stage_run, tmp_path / "run")
    arguments = ("evaluate", "--split", "valid", "--oracle-users", "2", "--run", run, "--against", "pretrained")
    report = report_of(reg4rec(*arguments, "--json"))
    assert json.loads((run / "evaluation" / "valid.json").read_text()) == report
    assert report["against"]["weights"] == "pretrained"
