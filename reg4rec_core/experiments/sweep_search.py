"""The searches behind a sweep's cells: settings that differ in theta alone together, users part by part.

RUN/evaluation/sweeps/NAME/parts/parts.json             which settings are being searched
RUN/evaluation/sweeps/NAME/parts/0000060.safetensors    what they gave PART_USERS users from this one on

A sweep that was stopped goes on after the last finished part; finished cells need no parts, which are then deleted.
"""

import shutil
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from reg4rec_core.checkpoint import write_json, write_tensors
from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import SearchedItems, Truth
from reg4rec_core.decoding.search import join_searched
from reg4rec_core.decoding.shared_search import search_items_under
from reg4rec_core.evaluation.beam_search import LEAST_TOP, BeamResult, Evaluated
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.experiments.sweep_files import read_cell

PARTS, LIST = "parts", "parts.json"
COLUMNS = [field.name for field in fields(SearchedItems)]
PART_USERS = 60
"""Users that are searched under all settings before the result is stored."""


@dataclass(frozen=True)
class CellSearch:
    """All searches of one cell, without the divergences, which are large and which no cell reads."""

    result: BeamResult
    seconds: float
    """The cell's equal share of the time that the searches took together."""
    together: int
    """Cells that were searched together."""


def search_together(
    run: Evaluated,
    questions: HeldOut,
    decodes: dict[str, DecodeConfig],
    identities: dict[str, Any],
    folder: Path,
    progress: Progress,
) -> dict[str, CellSearch]:
    """The searches of cells by name; lists have ten places at least. `identities` says what questions the parts answer.

    The parts are left for `forget_parts` when the cells are stored.
    """
    open_parts(folder / PARTS, identities)
    settings = {name: replace(decode, top_k=max(decode.top_k, LEAST_TOP)) for name, decode in decodes.items()}
    name = next(iter(decodes)) if len(decodes) == 1 else f"{len(decodes)} settings together"
    parts = []
    for start in progress(range(0, len(questions), PART_USERS), desc=name):
        path = folder / PARTS / f"{start:07}.safetensors"
        if not path.exists():
            some = questions.take(np.arange(start, min(start + PART_USERS, len(questions))))
            write_part(path, *search_part(run, some, settings))
        parts.append(load_file(path))
    return {
        name: CellSearch(
            BeamResult(questions, decode, join_searched([searched_of(part, name) for part in parts])),
            float(sum(part["seconds"][0] for part in parts)),
            len(settings),
        )
        for name, decode in settings.items()
    }


def open_parts(folder: Path, identities: dict[str, Any]) -> None:
    """Keep the parts that answer these questions, and perhaps others that are no longer asked, or begin anew."""
    stored, wanted = folder / LIST, {**identities, "part_users": PART_USERS, "columns": COLUMNS}
    if not stored.exists() or not read_cell(stored).items() >= wanted.items():
        forget_parts(folder.parent)
    write_json(stored, wanted)


def forget_parts(folder: Path) -> None:
    """Delete what was kept of unfinished cells."""
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def search_part(
    run: Evaluated, questions: HeldOut, settings: dict[str, DecodeConfig]
) -> tuple[dict[str, SearchedItems], float]:
    """Some users under all settings, and the seconds that took for each, shared equally."""
    started = time.perf_counter()
    found = search_items_under(
        run.model,
        run.index,
        pad_histories(questions.histories, HISTORY_LENGTH),
        list(settings.values()),
        seen=questions.histories,
        neighbours=run.neighbours,
        truth=Truth(questions.targets, run.catalog.categories),
    )
    return dict(zip(settings, found, strict=True)), (time.perf_counter() - started) / len(settings)


def write_part(path: Path, found: dict[str, SearchedItems], seconds: float) -> None:
    """Store a part, whole numbers in 32 bits."""
    tensors = {"seconds": torch.tensor([seconds], dtype=torch.float64)}
    for name, searched in found.items():
        for field in fields(searched):
            column = torch.from_numpy(getattr(searched, field.name))
            if field.name in ("js", "tried_js"):
                column = column[..., :0]
            tensors[f"{name}/{field.name}"] = column.int() if column.dtype == torch.int64 else column
    write_tensors(path, tensors)


def searched_of(part: dict[str, np.ndarray], name: str) -> SearchedItems:
    """One cell's columns of a stored part."""
    columns = (part[f"{name}/{field.name}"] for field in fields(SearchedItems))
    return SearchedItems(*(column.astype(np.int64) if column.dtype == np.int32 else column for column in columns))
