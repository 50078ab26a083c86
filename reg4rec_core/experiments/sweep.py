"""One search of the same users for every setting of a grid, each a JSON file: killed and called again, it goes on.

RUN/evaluation/sweeps/NAME/own.json           the run's own setting
RUN/evaluation/sweeps/NAME/own.safetensors    where it placed the targets: what every cell is compared with
RUN/evaluation/sweeps/NAME/theta=0.06.json    a cell
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int
from safetensors.numpy import load_file

from reg4rec_core.checkpoint import Run, file_checksum, provenance, write_json, write_tensors
from reg4rec_core.config import DecodeConfig
from reg4rec_core.evaluation.beam_search import (
    LEAST_TOP,
    BeamResult,
    Evaluated,
    category_accuracy,
    list_coverage,
    search_users,
)
from reg4rec_core.evaluation.calibration import calibrate
from reg4rec_core.evaluation.comparison import paired_differences
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import HeldOut, Split, held_out
from reg4rec_core.evaluation.prunes import nodes_per_user, prune_table, pruning_by_step, reliability
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.experiments.grid import Axis, Cell, cells_of
from reg4rec_core.metrics import bootstrap_interval, categories_per_list, distinctness, gains_at, hits_at
from reg4rec_core.types import InputError

FOLDER = "evaluation/sweeps"
OWN = "own"
"""Name of the cell that is the run's own setting."""


@runtime_checkable
class SweptRun(Evaluated, Protocol):
    """What a sweep needs beyond an evaluation; a `Recommender` has it."""

    run: Run
    decode: DecodeConfig
    weights: str


def sweep(
    recommender: SweptRun,
    axes: Sequence[Axis],
    *,
    split: Split,
    quantiles: Sequence[float] = (),
    users: int | None = None,
    seed: int = 0,
    name: str | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Progress = unseen_progress,
) -> dict[str, Any]:
    """Search the split's users (or `users` drawn with `seed`) under every setting; the document of `reg4rec sweep`.

    `quantiles` adds cells whose theta at each step is that quantile of the run's own js there (`calibrate`).

    A cell's file is kept when its settings, weights, data and users are those asked for. InputError for a bad grid.
    """
    started = time.perf_counter()
    cells = cells_of(axes, recommender.decode)
    if not axes and not quantiles:
        raise InputError("a sweep needs something to vary; give --over or --theta-quantile")
    questions = held_out(recommender.interactions, split)
    questions = questions.sample(len(questions) if users is None else users, seed=seed)
    swept = [axis.field for axis in axes] + ["theta_quantile"] * bool(quantiles)
    folder = recommender.run.path / FOLDER / folder_name(name, swept, split, users)
    asked = asked_of(recommender, questions, split=split, seed=seed)

    calibrated = calibrate(recommender, recommender.decode, quantiles, progress=progress) if quantiles else []
    pairs = zip(quantiles, calibrated, strict=True)
    cells += [Cell((("theta_quantile", quantile),), decode) for quantile, decode in pairs]

    own = Cell((), recommender.decode)
    own_places = stored_places(folder, identity(own, asked))
    if own_places is None:
        say("the run's own setting")
        result = search_cell(recommender, questions, own, progress)
        own_places = result[0].places
        write_tensors(folder / f"{OWN}.safetensors", {"places": torch.from_numpy(own_places)})
        write_json(folder / f"{OWN}.json", cell_document(*result, own, asked, own_places, recommender, seed))
    documents = [read_cell(folder / f"{OWN}.json")]
    for number, cell in enumerate(cells, start=1):
        path = folder / f"{cell.name}.json"
        kept = path.exists() and read_cell(path)["identity"] == identity(cell, asked)
        if not kept:
            result = search_cell(recommender, questions, cell, progress)
            write_json(path, cell_document(*result, cell, asked, own_places, recommender, seed))
        documents.append(read_cell(path))
        say(f"{number} of {len(cells)}: {cell_line(documents[-1])}{' (kept)' if kept else ''}")
    return {
        "over": {axis.field: list(axis.values) for axis in axes},
        "theta_quantiles": list(quantiles),
        "split": split,
        "users": len(questions),
        "config": finite(asdict(recommender.decode)),
        "seed": seed,
        "git_revision": provenance()["git_revision"],
        **{name: asked[name] for name in ("weights", "weights_checksum", "data_checksum")},
        "folder": str(folder),
        "own": documents[0],
        "cells": documents[1:],
        "seconds": time.perf_counter() - started,
    }


def folder_name(name: str | None, swept: Sequence[str], split: Split, users: int | None) -> str:
    """The name that was asked for, or one made of the fields, the split and the number of users."""
    name = name or "-".join([*swept, split, str(users or "all")])
    if Path(name).name != name or name in (".", ".."):
        raise InputError(f"--name must be the plain name of a folder, got {name!r}")
    return name


def asked_of(recommender: SweptRun, questions: HeldOut, *, split: Split, seed: int) -> dict[str, Any]:
    """What all cells share, as it decides whether a stored cell answers the same question."""
    run = recommender.run
    return {
        "weights": recommender.weights,
        "weights_checksum": file_checksum(run.path / "weights" / f"{recommender.weights}.safetensors"),
        "data_checksum": run.settings.get("data_checksum"),
        "split": split,
        "users": len(questions),
        "seed": seed,
        "own": finite(asdict(recommender.decode)),
    }


def identity(cell: Cell, asked: dict[str, Any]) -> dict[str, Any]:
    """The question of a cell as its file holds it; infinite numbers read null."""
    return json.loads(json.dumps({**asked, "decode": finite(asdict(cell.decode))}))


def finite(value: Any) -> Any:
    """The same plain values with null for infinity, as JSON has none."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def read_cell(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def stored_places(folder: Path, wanted: dict[str, Any]) -> Int[np.ndarray, "B"] | None:
    """The places under the run's own setting when a sweep has left those of the same question."""
    document, places = folder / f"{OWN}.json", folder / f"{OWN}.safetensors"
    if not (document.exists() and places.exists() and read_cell(document)["identity"] == wanted):
        return None
    return load_file(places)["places"]


def search_cell(recommender: SweptRun, questions: HeldOut, cell: Cell, progress: Progress) -> tuple[BeamResult, float]:
    """The searches of a cell, lists of ten at least, and the seconds they took."""
    started = time.perf_counter()
    settings = replace(cell.decode, top_k=max(cell.decode.top_k, LEAST_TOP))
    result = search_users(recommender, questions, settings, name=cell.name or OWN, progress=progress)
    return result, time.perf_counter() - started


def cell_document(
    result: BeamResult,
    seconds: float,
    cell: Cell,
    asked: dict[str, Any],
    own_places: Int[np.ndarray, "B"],
    recommender: SweptRun,
    seed: int,
) -> dict[str, Any]:
    """The numbers of a cell. Counts are means over users, intervals 95 % bootstrap over users.

    Lists of ten: `coverage` is the share of the catalogue in any list, `distinctness` 1 - the mean share of a list that
    another user's list holds too, `categories_per_list` the mean number of different categories.
    """
    catalog, steps = recommender.catalog, pruning_by_step(result)
    lists = result.searched.items[:, :LEAST_TOP]
    return {
        "name": cell.name or OWN,
        "changes": finite(dict(cell.changes)),
        "identity": identity(cell, asked),
        "git_revision": provenance()["git_revision"],
        "metrics": metric_intervals(result.places, seed=seed),
        "difference": {
            name: asdict(row) for name, row in paired_differences(result.places, own_places, seed=seed).items()
        },
        "nodes": nodes_per_user(result),
        **{
            name: sum(row[name] for row in steps.values())
            for name in ("pruned", "regenerated", "fallback", "wrong_prunes")
        },
        "steps": steps,
        "category_accuracy": category_accuracy(result, catalog),
        "prunes": prune_table(result),
        "reliability": reliability(result, catalog),
        "coverage": list_coverage(result, catalog),
        "distinctness": distinctness(lists),
        "categories_per_list": categories_per_list(lists, catalog.categories),
        "seconds": seconds,
        "users_per_second": len(result.questions) / seconds,
    }


def metric_intervals(places: Int[np.ndarray, "B"], *, seed: int) -> dict[str, dict[str, float]]:
    """Recall and NDCG at 5 and 10 with their 95 % bootstrap intervals over users."""
    return {
        f"{name}@{k}": asdict(bootstrap_interval(of(places, k), generator=np.random.default_rng(seed)))
        for k in (5, 10)
        for name, of in (("recall", hits_at), ("ndcg", gains_at))
    }


def cell_line(document: dict[str, Any]) -> str:
    """A cell in one line."""
    ndcg, difference = document["metrics"]["ndcg@10"], document["difference"]["ndcg@10"]
    return (
        f"{document['name']}: ndcg@10 {ndcg['mean']:.4f} ({difference['mean']:+.4f}, {difference['low']:+.4f} to "
        f"{difference['high']:+.4f} against the own setting), {document['pruned']:.1f} pruned and "
        f"{document['wrong_prunes']:.3f} wrongly a user, {document['users_per_second']:.0f} users/s"
    )
