"""Several runs that differ in their seed alone -> their test results side by side, with mean and deviation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reg4rec_core.checkpoint import Run, open_run
from reg4rec_core.types import InputError

METRICS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")


def seeds_document(paths: Sequence[Path]) -> dict[str, Any]:
    """Metrics of every run's stored test report (`reg4rec evaluate --split test`), its mean and deviation over runs.

    The deviation is that of a sample (n - 1). InputError when a run has no report, or when more than the seed differs.
    """
    if len(paths) < 2:
        raise InputError(f"--run must be given twice at least to compare seeds, got {len(paths)}")
    runs = [open_run(path) for path in paths]
    settings = [settings_but_seed(run) for run in runs]
    for run, other in zip(runs[1:], settings[1:], strict=True):
        if other != settings[0]:
            names = sorted(name for name in other if other[name] != settings[0].get(name))
            raise InputError(f"the runs must differ in their seed alone, {run.path} differs in {', '.join(names)}")
    entries = [seed_entry(run) for run in runs]
    if len({entry["seed"] for entry in entries}) < len(entries):
        raise InputError(f"the runs must have different seeds, got {[entry['seed'] for entry in entries]}")
    rankings = {name: [entry["rankings"][name] for entry in entries] for name in entries[0]["rankings"]}
    return {
        "data": f"test split, {entries[0]['users']:,} users, items of the history left out",
        "config": settings[0],
        "seed": [entry["seed"] for entry in entries],
        "git_revision": sorted({run.settings["pretrain_provenance"]["git_revision"] for run in runs}),
        "data_checksum": runs[0].settings["data_checksum"],
        "runs": entries,
        "mean": {name: summary(rows, np.mean) for name, rows in rankings.items()},
        "deviation": {name: summary(rows, lambda values: np.std(values, ddof=1)) for name, rows in rankings.items()},
    }


def settings_but_seed(run: Run) -> dict[str, Any]:
    """What a run was made with, seeds of the trainings and decoding left out: theta is chosen for each run."""
    stages = {name: dict(run.settings.get(name) or {}) for name in ("tokenizer", "model", "pretrain", "post_train")}
    for name in ("pretrain", "post_train"):
        stages[name].pop("seed", None)
    return {**stages, "reward_weights": run.settings.get("reward_weights"), "data": run.settings["data_checksum"]}


def seed_entry(run: Run) -> dict[str, Any]:
    """One run's test results: exact first state and beam search, and what its report compared them with."""
    report = run.read_json("evaluation/test.json")
    rankings = {"first state, exact": report["first_state"], "beam search": report}
    entry = {
        "seed": run.settings["pretrain"]["seed"],
        "users": report["users"],
        "weights": report["weights"],
        "theta": report["theta"],
        "validation_ndcg@10": run.settings["pretrain_report"]["valid_ndcg@10"],
        "training_seconds": run.settings["pretrain_report"]["seconds"],
        "rankings": {name: {metric: block[metric] for metric in METRICS} for name, block in rankings.items()},
    }
    if "against" in report:
        against = report["against"]
        entry["minus"] = {"weights": against["weights"], **{m: against["difference"][m] for m in METRICS}}
    return entry


def summary(rows: Sequence[dict[str, float]], combine: Any) -> dict[str, float]:
    return {metric: float(combine([row[metric] for row in rows])) for metric in METRICS}
