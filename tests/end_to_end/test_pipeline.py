"""Raw files to recommendations with the documented commands alone; each says what it did as one JSON document."""

import json
import shutil
from functools import partial

import pytest

from reg4rec_core.training import benchmark

RANKING_KEYS = {"recall@5", "ndcg@5", "recall@10", "ndcg@10"}
REPORT_KEYS = RANKING_KEYS | {
    "users",
    "collision_rate",
    "illegal_rate",
    "first_state",
    "oracle_sample",
    "theta",
    "seconds",
    "cpu_seconds",
    "peak_memory_mb",
}


def document_of(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_constant=pytest.fail)


@pytest.fixture
def own_run(tiny_run, tmp_path):
    """A copy of the trained run that a test may write into."""
    return shutil.copytree(tiny_run, tmp_path / "run")


@pytest.mark.usefixtures("quick_theta")
def test_fit_tokenizer_and_pretrain_speak_json(reg4rec, tiny_data, tmp_path):
    run = tmp_path / "run"
    small = ("--n-codebooks", "2", "--codebook-size", "4", "--code-width", "4", "--epochs", "2", "--seed", "3")
    report = document_of(reg4rec("fit-tokenizer", "--data", tiny_data, "--run", run, "--json", *small))
    assert (report["codebooks"], report["codebook_size"], report["items"]) == (2, 4, 60)
    assert min(report[name] for name in ("seconds", "cpu_seconds", "peak_memory_mb")) > 0
    network = ("--width", "8", "--hidden", "8", "--n-heads", "1", "--epochs", "1")
    assert document_of(reg4rec("pretrain", "--run", run, "--json", *network))["epochs"] == 1
    stored = json.loads((run / "run.json").read_text())
    assert stored["tokenizer"]["seed"] == 3
    assert stored["model"]["width"] == 8


def test_evaluate_gives_the_keys_of_the_contract(reg4rec, tiny_run):
    report = document_of(
        reg4rec("evaluate", "--run", tiny_run, "--split", "test", "--users", "40", "--oracle-users", "5", "--json")
    )
    assert set(report) >= REPORT_KEYS
    assert report["users"] == 40
    assert report["illegal_rate"] == 0
    assert report["oracle_sample"]["users"] == 5
    rankings = [report, report["first_state"], report["oracle_sample"], *report["baselines"].values()]
    for ranking in rankings:
        assert set(ranking) >= RANKING_KEYS
        assert all(0 <= ranking[key] <= 1 for key in RANKING_KEYS)
    assert report["history_items"] == report["first_state"]["history_items"] == "excluded"
    assert {"history_excluded", "history_included"} <= set(report["first_state"])


def test_evaluate_answers_for_both_rules_of_history_items(reg4rec, tiny_run):
    common = ("evaluate", "--run", tiny_run, "--split", "valid", "--users", "30", "--oracle-users", "0", "--json")
    both = document_of(reg4rec(*common, "--history-items", "both"))
    included = document_of(reg4rec(*common, "--history-items", "included"))
    assert both["history_items"] == "excluded"
    assert {key: both[key] for key in RANKING_KEYS} == both["history_excluded"]
    assert {key: included[key] for key in RANKING_KEYS} == both["history_included"]
    assert included["first_state"]["history_items"] == "included"
    assert both["oracle_sample"] == {}


def test_an_infinite_theta_reads_null(reg4rec, tiny_run):
    common = ("evaluate", "--run", tiny_run, "--split", "test", "--users", "10", "--oracle-users", "0")
    report = document_of(reg4rec(*common, "--theta", "inf", "--json"))
    assert report["theta"] is None
    assert report["decode"]["theta"] is None
    assert report["prune_rate"] == report["fallback_rate"] == report["regeneration_rate"] == 0


def test_a_whole_split_under_the_runs_own_settings_is_stored_in_the_run(reg4rec, own_run):
    report = document_of(reg4rec("evaluate", "--run", own_run, "--split", "test", "--oracle-users", "3", "--json"))
    assert json.loads((own_run / "evaluation" / "test.json").read_text()) == report
    sums = json.loads((own_run / "manifest.json").read_text())["sha256"]
    assert "evaluation/test.json" in sums


@pytest.mark.parametrize("other", [("--users", "20"), ("--theta", "0.01"), ("--beam", "3"), ("--oracle-users", "0")])
def test_anything_else_leaves_the_run_as_it_was(reg4rec, own_run, other):
    before = {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file()}
    options = dict([("--oracle-users", "3"), other])
    arguments = [part for pair in options.items() for part in pair]
    document_of(reg4rec("evaluate", "--run", own_run, "--split", "valid", "--json", *arguments))
    assert {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file()} == before


def test_the_sample_of_users_follows_the_seed(reg4rec, tiny_run):
    common = ("evaluate", "--run", tiny_run, "--split", "test", "--users", "15", "--oracle-users", "0", "--json")
    first, again, other = (document_of(reg4rec(*common, "--seed", seed)) for seed in ("1", "1", "2"))
    for report in (first, again, other):
        for name in ("seconds", "seconds_of", "cpu_seconds", "peak_memory_mb"):
            report.pop(name)
    assert first == again
    assert first["category_accuracy"] != other["category_accuracy"] or first["recall@10"] != other["recall@10"]


def test_bench_decode_reports_speed_and_floor(reg4rec, tiny_run):
    report = document_of(reg4rec("bench", "decode", "--run", tiny_run, "--seconds", "0.4", "--json"))
    for block in (report, report["theta_inf"]):
        assert block["users_per_second_per_thread"] > 0
        assert 0 < block["single_user_ms"]["p50"] <= block["single_user_ms"]["p95"]
        assert 0 < block["floor_share"] < 1
    assert report["beam"] == 20


def test_bench_train_reports_speed_and_floor(reg4rec, tiny_run, monkeypatch):
    few_steps = partial(benchmark.benchmark_training, steps=3)
    monkeypatch.setattr(benchmark, "benchmark_training", few_steps)
    report = document_of(reg4rec("bench", "train", "--run", tiny_run, "--json"))
    assert report["examples_per_second"] > 0
    assert 0 < report["floor_share"] < 1
