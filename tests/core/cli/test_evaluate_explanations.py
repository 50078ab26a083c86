"""`reg4rec evaluate-explanations`: the deletion test of a trained run."""

import json
import shutil

import pytest

COMMAND = ("evaluate-explanations", "--users", "6")


def report_of(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_constant=pytest.fail)


def test_the_report_is_stored_in_the_run_and_says_what_it_rests_on(reg4rec, tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    report = report_of(reg4rec(*COMMAND, "--run", run, "--json"))
    assert json.loads((run / "evaluation" / "explanations.json").read_text()) == report
    assert report["users"] + report["skipped"] == 6
    assert (report["split"], report["order"], report["weights"]) == ("test", "influence", "pretrained")
    assert report["by_construction"] == ["path_log_prob"]
    assert report["independent_measures"] == ["place", "first_state_log_prob"]
    block = report["deletion"]["1"]
    assert set(block["mean_fall"]) == {"influential", "random", "least", "newest"}
    assert set(block["advantage_over"]["random"]["place"]) == {"mean", "low", "high"}
    falls = {arm: row["path_log_prob"] for arm, row in block["mean_fall"].items()}
    assert falls["influential"] == max(falls.values()), "for k = 1 by construction"
    assert isinstance(report["holds"], bool)


def test_a_shuffled_order_is_not_stored_and_does_not_hold(reg4rec, tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    result = reg4rec(*COMMAND, "--run", run, "--order", "shuffled")
    assert result.exit_code == 0, result.stderr
    assert "do NOT hold" in result.stdout
    assert not (run / "evaluation" / "explanations.json").exists()


def test_the_same_seed_gives_the_same_numbers_and_another_asks_others(reg4rec, tiny_run):
    settings = ("--run", tiny_run, "--theta", "0.1", "--users", "2", "--json")
    first, again, other = (
        report_of(reg4rec(*COMMAND, *settings, "--seed", seed)) | {"seconds": 0, "seed": 0} for seed in (1, 1, 2)
    )
    assert first == again
    assert first["deletion"] != other["deletion"]
