"""What every stage of some runs took, read from the reports that the stages left in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reg4rec_core.checkpoint import Run, open_run, provenance
from reg4rec_core.evaluation.trace_schema import DESCRIPTION
from reg4rec_core.evaluation.trace_store import stores_of
from reg4rec_core.types import InputError

MEASURES = ("seconds", "cpu_seconds", "peak_memory_mb")
SETTINGS = ("tokenizer", "model", "pretrain", "post_train")


def cost_document(runs: dict[str, Path]) -> dict[str, Any]:
    """Seconds, processor seconds and peak memory of every stage of the runs, which are named after their data.

    What a stage's report lacks is null: reports of older versions have seconds alone, or nothing.
    """
    opened = {name: open_run(path) for name, path in runs.items()}
    for name, run in opened.items():
        if not run.settings.get("data_checksum"):
            raise InputError(f"the run of {name} does not say which data it was made from; fit its tokenizer anew")
    return {
        "runs": [entry(name, run) for name, run in opened.items()],
        "config": {name: {stage: run.settings.get(stage) for stage in SETTINGS} for name, run in opened.items()},
        "seed": {name: (run.settings.get("pretrain") or {}).get("seed") for name, run in opened.items()},
        "git_revision": provenance()["git_revision"],
        "data_checksum": sorted({run.settings["data_checksum"] for run in opened.values()}),
    }


def entry(name: str, run: Run) -> dict[str, Any]:
    """One run: how large its data are, and its stages in the order of their work."""
    dataset = run.load_dataset()
    stages = [
        {"stage": stage, "of": of, **{measure: report.get(measure) for measure in MEASURES}}
        for stage, of, report in stage_reports(run)
        if report.get("seconds") is not None
    ]
    sizes = {"users": dataset.interactions.n_users, "items": dataset.catalog.n_items - 1}
    return {"data": name, "run": run.path.name, **sizes, "stages": stages}


def stage_reports(run: Run) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, amount of work and report of every stage that the run has been through."""
    yield "prepare", f"{len(run.load_dataset().interactions.items):,} interactions", run.load_dataset().info
    yield "fit-tokenizer", "", stored(run, "tokenizer_report.json")
    pretrain, post_train = (run.settings.get(f"{stage}_report") or {} for stage in ("pretrain", "post_train"))
    yield "pretrain", f"{pretrain.get('epochs', 0)} epochs", pretrain
    yield "post-train", f"{post_train.get('steps', 0)} steps", post_train
    for path in sorted((run.path / "baselines").glob("*.json")):
        yield f"baseline --model {path.stem}", "", stored(run, f"baselines/{path.name}")
    for split in ("valid", "test"):
        report = stored(run, f"evaluation/{split}.json")
        yield f"evaluate --split {split}", f"{report.get('users', 0):,} users", report
    for path in stores_of(run):
        report = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        yield "trace", f"{report.get('users_searched', 0):,} users", report


def stored(run: Run, name: str) -> dict[str, Any]:
    """A stage's report, {} where the run has none."""
    return run.read_json(name) if (run.path / name).exists() else {}
