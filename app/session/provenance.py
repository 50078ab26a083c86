"""Where the numbers of a page come from."""

import json
from pathlib import Path
from typing import Any

from app.session.open_runs import run_path
from app.view_models.cohorts import foreign_footer, sample, store_weights
from app.view_models.reasoning import footer
from reg4rec_core import TraceStore


def where_from(name: str, weights: str, *, sample: str = "") -> str:
    """The footer of a page on a run; its id is the checksum of the weights. InputError when there is no such run."""
    path = run_path(name)
    checksums = _read(path / "manifest.json").get("sha256", {})
    run_id = checksums.get(f"weights/{weights}.safetensors", "")
    return footer(name, weights, _read(path / "run.json"), run_id=run_id, sample=sample)


def of_store(run: str, name: str, store: TraceStore) -> str:
    """The footer of a page on a stored search of a run; of another recommender's where `run` is ""."""
    described = store.description
    if not run:
        return foreign_footer(name, described)
    return where_from(run, store_weights(described), sample=sample(described))


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
