"""One search of the same users for every setting of a grid, stored cell by cell: called again, it goes on."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from reg4rec_core.analysis.cohort import Cohort
from reg4rec_core.analysis.cohort_users import cohort_users
from reg4rec_core.analysis.trace_queries import TraceStore
from reg4rec_core.checkpoint import Run, file_checksum, provenance, write_json
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.shared_search import apart_from_theta
from reg4rec_core.evaluation.beam_search import LEAST_TOP, BeamResult, Evaluated, category_accuracy, list_coverage
from reg4rec_core.evaluation.calibration import calibrate
from reg4rec_core.evaluation.comparison import paired_differences
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import HeldOut, Split, held_out
from reg4rec_core.evaluation.prunes import counts_per_user, prune_table, prunes_by_belief, pruning_by_step, reliability
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.experiments.grid import Axis, Cell, cells_of
from reg4rec_core.experiments.sweep_files import FOLDER, OWN, SUMMARY, is_stored, read_cell, read_places, write_cell
from reg4rec_core.experiments.sweep_search import CellSearch, forget_parts, search_together
from reg4rec_core.metrics import bootstrap_interval, categories_per_list, distinctness, gains_at, hits_at
from reg4rec_core.types import InputError

MOST_TOGETHER = 12
"""Cells searched together at most: the results of all are in memory at once."""
EVERYONE = Cohort()
LONGEST = 60
"""Letters of a cohort that name a folder; a longer one is named by its checksum."""


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
    cohort: Cohort = EVERYONE,
    store: TraceStore | None = None,
    name: str | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Progress = unseen_progress,
) -> dict[str, Any]:
    """Search the split's users (or `users` drawn with `seed`) under every setting; the document of `reg4rec sweep`.

    `quantiles` adds cells whose theta at each step is that quantile of the run's own js there (`calibrate`). Only users
    of `cohort` are searched; what a search decides of it is looked up in `store`.

    A cell's file is kept when its settings, weights, data and users are those asked for. InputError for a bad grid.
    """
    started = time.perf_counter()
    cells = cells_of(axes, recommender.decode)
    if not axes and not quantiles:
        raise InputError("a sweep needs something to vary; give --over or --theta-quantile")
    questions = questions_of(recommender, split, cohort, store)
    questions = questions.sample(len(questions) if users is None else users, seed=seed)
    swept = [axis.field for axis in axes] + ["theta_quantile"] * bool(quantiles)
    folder = recommender.run.path / FOLDER / folder_name(name, swept, split, users, cohort)
    asked = asked_of(recommender, questions, split=split, seed=seed, cohort=cohort)
    cells += quantile_cells(recommender, quantiles, progress)
    table = CellTable(recommender, questions, folder, asked)
    documents = table.fill([Cell((), recommender.decode), *cells], say, progress)
    forget_parts(folder)
    over = {axis.field: finite(list(axis.values)) for axis in axes}
    varied = {"over": over, "theta_quantiles": list(quantiles)}
    write_json(folder / SUMMARY, {**varied, "cells": [cell.name for cell in cells], "asked": asked})
    return sweep_document(varied, asked, documents, folder, cohort) | {"seconds": time.perf_counter() - started}


def quantile_cells(recommender: SweptRun, quantiles: Sequence[float], progress: Progress) -> list[Cell]:
    """The run's own setting with a theta for every step at each quantile of its own js there."""
    if not quantiles:
        return []
    calibrated = calibrate(recommender, recommender.decode, quantiles, progress=progress)
    pairs = zip(quantiles, calibrated, strict=True)
    return [Cell((("theta_quantile", quantile),), decode) for quantile, decode in pairs]


def sweep_document(
    varied: dict[str, Any], asked: dict[str, Any], documents: Sequence[dict[str, Any]], folder: Path, cohort: Cohort
) -> dict[str, Any]:
    """What was varied, what was asked, and the cells' numbers, the run's own setting first of `documents`."""
    return {
        **varied,
        "split": asked["split"],
        "cohort": cohort.to_text(),
        "users": asked["users"],
        "config": asked["own"],
        "seed": asked["seed"],
        "git_revision": provenance()["git_revision"],
        **{name: asked[name] for name in ("weights", "weights_checksum", "data_checksum")},
        "folder": str(folder),
        "own": documents[0],
        "cells": list(documents[1:]),
    }


@dataclass(frozen=True)
class CellTable:
    """The stored cells of one question."""

    recommender: SweptRun
    questions: HeldOut
    folder: Path
    asked: dict[str, Any]

    def path(self, cell: Cell) -> Path:
        return self.folder / f"{cell.name or OWN}.json"

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is stored and answers this question."""
        return is_stored(self.path(cell), identity(cell, self.asked))

    def fill(self, cells: Sequence[Cell], say: Callable[[str], None], progress: Progress) -> list[dict[str, Any]]:
        """The documents of all cells, the run's own setting first; what is not stored yet is searched."""
        kept, documents = {cell for cell in cells if self.holds(cell)}, []
        for number, cell in enumerate(cells):
            if not self.holds(cell):
                missing = [one for one in cells if goes_with(one, cell) and not self.holds(one)]
                self.search(missing[:MOST_TOGETHER], say, progress)
            documents.append(read_cell(self.path(cell)))
            if number:
                kept_too = " (kept)" if cell in kept else ""
                say(f"{number} of {len(cells) - 1}: {cell_line(documents[-1])}{kept_too}")
        return documents

    def search(self, cells: Sequence[Cell], say: Callable[[str], None], progress: Progress) -> None:
        """Search cells that can be searched together and store them, the run's own setting first of all."""
        names = [cell.name or "the run's own setting" for cell in cells]
        say(f"searching {', '.join(names)}")
        decodes = {cell.name or OWN: cell.decode for cell in cells}
        identities = {cell.name or OWN: identity(cell, self.asked) for cell in cells}
        found = search_together(self.recommender, self.questions, decodes, identities, self.folder, progress)
        own_path = self.folder / f"{OWN}.safetensors"
        for cell in cells:
            search = found[cell.name or OWN]
            places = search.result.places
            own_places = read_places(own_path)[1] if cell.name else places
            document = cell_document(search, cell, self.asked, own_places, self.recommender)
            write_cell(self.path(cell), document, columns_of(search.result))


def questions_of(recommender: SweptRun, split: Split, cohort: Cohort, store: TraceStore | None) -> HeldOut:
    """What the cohort's users are asked; InputError where there is nobody in it, or the store has other users."""
    questions = held_out(recommender.interactions, split)
    if cohort == EVERYONE:
        return questions
    theirs = None if store is None else store.description.get("settings", {}).get("data_checksum")
    if theirs not in (None, recommender.run.settings.get("data_checksum")):
        raise InputError(f"the store {store.path} was made from other data; name one of a run on the same data")
    rows = cohort_users(cohort, recommender.catalog, recommender.interactions, split, store=store)
    if not len(rows):
        raise InputError(
            f"nobody with a {split} target is in the cohort {cohort.to_text()}; widen one of its conditions"
        )
    return questions.take(np.flatnonzero(np.isin(questions.users, rows)))


def columns_of(result: BeamResult) -> dict[str, Int[np.ndarray, "B *rest"]]:
    """What a cell keeps of every user: the row, the target's place, what the search took, and the list of ten."""
    lists = result.searched.items[:, :LEAST_TOP]
    counts = vars(counts_per_user(result))
    return {"users": result.questions.users, "places": result.places, "lists": lists, **counts}


def goes_with(one: Cell, other: Cell) -> bool:
    """Whether two cells differ in what they compare alone, so that their searches share most of their work."""
    return apart_from_theta(one.decode) == apart_from_theta(other.decode)


def folder_name(name: str | None, swept: Sequence[str], split: Split, users: int | None, cohort: Cohort) -> str:
    """The name that was asked for, or one made of the fields, the split, the number of users and the cohort."""
    whom = cohort.to_text()
    whom = whom if len(whom) <= LONGEST else hashlib.sha256(whom.encode()).hexdigest()[:8]
    name = name or "-".join([*swept, split, str(users or "all"), *([whom] if whom else [])])
    if Path(name).name != name or name in (".", ".."):
        raise InputError(f"--name must be the plain name of a folder, got {name!r}")
    return name


def asked_of(recommender: SweptRun, questions: HeldOut, *, split: Split, seed: int, cohort: Cohort) -> dict[str, Any]:
    """What all cells share, as it decides whether a stored cell answers the same question."""
    run = recommender.run
    rows = hashlib.sha256(questions.users.astype(np.int64).tobytes()).hexdigest()
    whom = {} if cohort == EVERYONE else {"cohort": cohort.to_text(), "cohort_users": rows}
    return {
        "weights": recommender.weights,
        "weights_checksum": file_checksum(run.path / "weights" / f"{recommender.weights}.safetensors"),
        "data_checksum": run.settings.get("data_checksum"),
        "split": split,
        "users": len(questions),
        "seed": seed,
        "own": finite(asdict(recommender.decode)),
        **whom,
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


def cell_document(
    search: CellSearch,
    cell: Cell,
    asked: dict[str, Any],
    own_places: Int[np.ndarray, "B"],
    recommender: SweptRun,
) -> dict[str, Any]:
    """The numbers of a cell. Counts are means over users, intervals 95 % bootstrap over users.

    Lists of ten: `coverage` is the share of the catalogue in any list, `distinctness` 1 - the mean share of a list that
    another user's list holds too, `categories_per_list` the mean number of different categories. Cells that were
    `searched_together` share the seconds equally.
    """
    result, catalog, seed = search.result, recommender.catalog, asked["seed"]
    steps, lists = pruning_by_step(result), result.searched.items[:, :LEAST_TOP]
    counts = {name: float(column.mean()) for name, column in vars(counts_per_user(result)).items()}
    return {
        "name": cell.name or OWN,
        "changes": finite(dict(cell.changes)),
        "identity": identity(cell, asked),
        "git_revision": provenance()["git_revision"],
        "metrics": metric_intervals(result.places, seed=seed),
        "difference": {
            name: asdict(row) for name, row in paired_differences(result.places, own_places, seed=seed).items()
        },
        **counts,
        "steps": steps,
        "category_accuracy": category_accuracy(result, catalog),
        "prunes": prune_table(result),
        "prunes_by_belief": prunes_by_belief(result),
        "reliability": reliability(result, catalog),
        "coverage": list_coverage(result, catalog),
        "distinctness": distinctness(lists),
        "categories_per_list": categories_per_list(lists, catalog.categories),
        "seconds": search.seconds,
        "users_per_second": len(result.questions) / search.seconds,
        "searched_together": search.together,
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
