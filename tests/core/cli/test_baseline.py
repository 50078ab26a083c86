"""`reg4rec baseline`, `reg4rec evaluate --baselines` and `--thetas`."""

import json
import shutil
import sys

import pytest

COMMON = ("evaluate", "--split", "test", "--users", "30", "--oracle-users", "0", "--beam", "4")
SMALL = ("--width", "16", "--hidden", "32", "--epochs", "2", "--batch-size", "32", "--learning-rate", "0.01")


@pytest.fixture(scope="module")
def beside(tiny_run, reg4rec, tmp_path_factory):
    """`tiny_run` with a SASRec that the command trained. Never write into it."""
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "beside")
    result = reg4rec("baseline", "--run", run, "--model", "sasrec", *SMALL, "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["model"], report["epochs"]) == ("sasrec", 2)
    assert "epoch 2: loss" in result.stderr
    return run


def refused(result, message):
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_one_command_prints_everything_side_by_side(reg4rec, beside):
    result = reg4rec(*COMMON, "--run", beside, "--baselines", "--thetas", "inf, 0.06@2", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout, parse_constant=pytest.fail)
    block = document["side_by_side"]
    assert set(block) == {"users", "history_items", "paths", "rows", "by_training_interactions"}
    assert (block["users"], block["history_items"], block["paths"]) == (30, "excluded", 4)
    assert [row["theta"] for row in document["thetas"]][1:] == [None, 0.06]
    assert [row["check_from"] for row in document["thetas"]][1:] == [document["check_from"], 2]
    assert "history_included" in document, "the beam searches under both rules"
    for line in (
        "SASRec, full softmax",
        "this run, random paths",
        "inf from step",
        "0.06 from step 2",
        "  target seen",
    ):
        assert f"\n{line}" in result.stderr


def test_a_missing_sasrec_names_the_command_that_trains_it(reg4rec, tiny_run):
    result = reg4rec(*COMMON, "--run", tiny_run, "--baselines")
    refused(result, f"train it with: reg4rec baseline --run {tiny_run} --model sasrec")


def test_without_baselines_nothing_changes(reg4rec, tiny_run):
    document = json.loads(reg4rec(*COMMON, "--run", tiny_run, "--json").stdout)
    assert not {"side_by_side", "thetas", "history_included"} & set(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inf,", "--thetas reads THETA or THETA@STEP, separated by commas, got ''"),
        ("0.1@two", "got '0.1@two'"),
        ("-1", "theta must be >= 0"),
        ("0.1@0", "check_from must be >= 1, got 0"),
    ],
)
def test_thetas_that_make_no_sense_are_refused(reg4rec, tiny_run, text, message):
    refused(reg4rec(*COMMON, "--run", tiny_run, "--thetas", text), message)


def test_a_second_training_is_refused(reg4rec, beside):
    refused(reg4rec("baseline", "--run", beside, "--model", "sasrec"), "has a trained sasrec already")


def test_a_run_that_does_not_exist_is_refused(reg4rec, tmp_path):
    refused(reg4rec("baseline", "--run", tmp_path / "none", "--model", "sasrec"), "there is no run at")


def test_settings_of_sasrec_do_not_fit_another_peer(reg4rec, tiny_run):
    result = reg4rec("baseline", "--run", tiny_run, "--model", "tiger", "--epochs", "1", "--width", "32")
    refused(result, "--width belongs to --model sasrec, got --model tiger; leave it out")


@pytest.mark.parametrize("model", ["rpg", "tiger"])
def test_without_cornac_the_sentence_says_how_to_get_it(reg4rec, tiny_run, monkeypatch, model):
    monkeypatch.setitem(sys.modules, "cornac", None)
    refused(reg4rec("baseline", "--run", tiny_run, "--model", model), "pip install 'reg4rec[peers]'")
