import json
from pathlib import Path

import numpy as np
import pytest

from reg4rec_core.analysis.health import RULES, check_run
from reg4rec_core.checkpoint import ROLLOUTS, Run
from reg4rec_core.types import Rollouts

TOKENIZER = {"codebooks": 2, "codebook_size": 10, "dead_codes": [1, 0], "collision_rate": 0.01}
DATASET = {
    "ties": {"order": "standard"},
    "audit": {
        "items": 100,
        "missing": {"titles": 1, "brands": 20},
        "time": {"users_whose_last_two_share_a_day": 0.2},
        "categories": {"largest_share": 0.1},
        "targets": {"test": {"targets": 50, "never_trained": 1}},
    },
}
REPORT = {
    "ndcg@10": 0.0995,
    "first_state": {"ndcg@10": 0.1},
    "illegal_rate": 0.0,
    "category_accuracy": {"0": 0.3, "1": 0.2},
    "prune_rate": 0.1,
    "users_with_pruning": 0.5,
    "fallback_rate": 0.01,
    "against": {
        "difference": {
            "recall@5": {"mean": 0.0, "low": 0.0, "high": 0.0, "relative": 0.02},
            "ndcg@5": {"mean": 0.0, "low": 0.0, "high": 0.0, "relative": 0.02},
            "recall@10": {"mean": 0.0, "low": 0.0, "high": 0.0, "relative": 0.03},
            "ndcg@10": {"mean": -0.001, "low": -0.003, "high": 0.001, "relative": 0.01},
        }
    },
}
RISING = [{"reward": 1 + step / 40 + 0.01 * (step % 2), "entropy": 5 - step / 40} for step in range(40)]
SETTINGS = {"pretrain": {"precision": "bf16"}, "post_train": {"precision": "fp32"}}
FALLING = [6 - epoch / 20 for epoch in range(20)]


def rollouts_of(codes: np.ndarray) -> Rollouts:
    """Two histories with four paths of two codes each."""
    shape = codes.shape
    return Rollouts(
        users=np.arange(2), positions=np.full(2, 3), future=np.ones((2, 1), np.int64),
        codebooks=np.broadcast_to(np.arange(2), shape).copy(), codes=codes, items=np.ones(shape[:2], np.int64),
        log_probs=np.zeros(shape, np.float32), reference_log_probs=np.zeros(shape, np.float32),
        terms=np.zeros((*shape[:2], 4), np.float32),
    )  # fmt: skip


VARIED = np.arange(16).reshape(2, 4, 2)
COPIED = np.broadcast_to(np.array([3, 4]), (2, 4, 2)).copy()


def write_run(path: Path, *, report=REPORT, tokenizer=TOKENIZER, dataset=DATASET, steps=RISING, codes=VARIED,
              settings=SETTINGS, losses=FALLING) -> Run:  # fmt: skip
    documents = {"evaluation/test.json": report, "tokenizer_report.json": tokenizer, "data/dataset.json": dataset}
    for name, document in {**documents, "run.json": settings}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(json.dumps(document))
    log = [{"stage": "pretrain", "epoch": e, "encoder_item": loss} for e, loss in enumerate(losses)]
    log += [{"stage": "post-train", "step": s, **row} for s, row in enumerate(steps)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
    run = Run(path)
    run.save_rollouts(rollouts_of(codes))
    return run


def changed(document: dict, value: object, *names: str) -> dict:
    """A copy of a document with another value at a place."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = value
    return copy


def named(run: Run, name: str):
    (check,) = [check for check in check_run(run) if check.name == name]
    return check


def test_a_healthy_run_passes_every_check(tmp_path):
    checks = check_run(write_run(tmp_path))
    assert {check.name: check.verdict for check in checks} == {rule.name: "passed" for rule in RULES}
    assert len({check.name for check in checks}) == len(RULES) == 16
    assert all(check.reason.endswith(".") and check.bound_text and check.value is not None for check in checks)


REWARDLESS = [{**row, "reward": 1 + 0.01 * (step % 2) + min(step, 8) / 8} for step, row in enumerate(RISING)]
COLLAPSING = [{**row, "entropy": 5 * 0.9**step} for step, row in enumerate(RISING)]
FAILURES = {
    "last two purchases on one day": {
        "dataset": changed(DATASET, 0.4, "audit", "time", "users_whose_last_two_share_a_day")
    },
    "products without a title": {"dataset": changed(DATASET, 6, "audit", "missing", "titles")},
    "targets that training never saw": {"dataset": changed(DATASET, 5, "audit", "targets", "test", "never_trained")},
    "dead codes": {"tokenizer": changed(TOKENIZER, [1, 1], "dead_codes")},
    "products that share all codes": {"tokenizer": changed(TOKENIZER, 0.03, "collision_rate")},
    "recommendations that do not exist": {"report": changed(REPORT, 0.001, "illegal_rate")},
    "category accuracy at the worst step": {"report": changed(REPORT, 0.09, "category_accuracy", "1")},
    "branches pruned": {"report": changed(REPORT, 0.3, "prune_rate")},
    "branches kept as a last resort": {"report": changed(REPORT, 0.06, "fallback_rate")},
    "the search against exact scoring": {"report": changed(REPORT, 0.097, "ndcg@10")},
    "the reward keeps rising": {"steps": REWARDLESS},
    "the ranking does not suffer": {"report": changed(REPORT, -0.001, "against", "difference", "ndcg@10", "high")},
    "the first ten keep up with the first five": {
        "report": changed(REPORT, -0.02, "against", "difference", "recall@10", "relative")
    },
    "different paths in a group": {"codes": COPIED},
    "entropy of paths, last against first": {"steps": COLLAPSING},
    "loss stays down in coarse formats": {"losses": [*FALLING[:10], *(FALLING[9] + e / 5 for e in range(10))]},
}


def test_there_is_a_failure_for_every_check():
    assert set(FAILURES) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", FAILURES)
def test_what_is_wrong_fails_its_own_check_and_no_other(tmp_path, name):
    checks = check_run(write_run(tmp_path, **FAILURES[name]))
    assert [check.name for check in checks if check.verdict == "failed"] == [name]
    assert all(check.verdict == "passed" for check in checks if check.name != name)


def test_an_empty_folder_leaves_everything_unknown_and_names_the_commands(tmp_path):
    checks = check_run(Run(tmp_path))
    assert {check.verdict for check in checks} == {"unknown"}
    assert all(check.value is None and check.value_text == "–" for check in checks)
    reasons = " ".join(check.reason for check in checks)
    for command in ("prepare", "fit-tokenizer", "evaluate", "post-train"):
        assert f"reg4rec {command}" in reasons
    assert f"reg4rec evaluate --run {tmp_path} --split test" in reasons


def test_without_other_weights_beside_it_the_comparisons_are_unknown(tmp_path):
    report = {name: value for name, value in REPORT.items() if name != "against"}
    unknown = [check for check in check_run(write_run(tmp_path, report=report)) if check.verdict == "unknown"]
    assert [check.name for check in unknown] == [
        "the ranking does not suffer",
        "the first ten keep up with the first five",
    ]
    assert all("--against pretrained" in check.reason for check in unknown)


def test_full_precision_has_nothing_to_diverge(tmp_path):
    check = named(write_run(tmp_path, settings={}), "loss stays down in coarse formats")
    assert check.verdict == "unknown"
    assert "fp32" in check.reason


def test_a_loss_that_is_no_number_fails(tmp_path):
    check = named(write_run(tmp_path, losses=[*FALLING, float("nan")]), "loss stays down in coarse formats")
    assert (check.verdict, check.value_text) == ("failed", "no number")


def test_a_curve_of_a_few_steps_is_not_judged(tmp_path):
    check = named(write_run(tmp_path, steps=RISING[:5]), "the reward keeps rising")
    assert check.verdict == "unknown"
    assert "12 are needed" in check.reason


def test_an_order_drawn_by_lot_tells_no_answer(tmp_path):
    dataset = changed(FAILURES["last two purchases on one day"]["dataset"], "shuffled", "ties", "order")
    assert named(write_run(tmp_path, dataset=dataset), "last two purchases on one day").verdict == "passed"


def test_a_missing_file_is_no_failure_of_the_others(tmp_path):
    run = write_run(tmp_path)
    (tmp_path / ROLLOUTS).unlink()
    unknown = [check.name for check in check_run(run) if check.verdict != "passed"]
    assert unknown == ["different paths in a group"]


def test_values_and_bounds_read_as_percent_or_numbers(tmp_path):
    checks = {check.name: check for check in check_run(write_run(tmp_path))}
    assert (checks["dead codes"].value_text, checks["dead codes"].bound_text) == ("5 %", "at most 5 %")
    assert checks["the search against exact scoring"].bound_text == "at least -2 %"
    assert checks["different paths in a group"].value_text == "100 %"
    assert json.loads(json.dumps(checks["dead codes"].to_json()))["value"] == 0.05
