"""Where a sweep keeps its cells.

RUN/evaluation/sweeps/NAME/own.json                 the run's own setting
RUN/evaluation/sweeps/NAME/theta=0.06.json          a cell
RUN/evaluation/sweeps/NAME/theta=0.06.safetensors   its users, where it placed their targets, what each search took and
                                                    listed; own.safetensors, too
RUN/evaluation/sweeps/NAME/sweep.json               what was swept: written last, when every cell is there
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from safetensors.numpy import load_file

from reg4rec_core.checkpoint import write_json, write_tensors

FOLDER = "evaluation/sweeps"
OWN = "own"
"""Name of the cell that is the run's own setting."""
SUMMARY = "sweep.json"


def read_cell(path: Path) -> dict[str, Any]:
    """The document of a cell."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_places(path: Path) -> tuple[Int[np.ndarray, "U"], Int[np.ndarray, "U"]]:
    """The searched users, as rows of `Interactions`, and the places of their targets, `MISSED` for none."""
    columns = read_columns(path)
    return columns["users"], columns["places"]


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """All that a cell keeps of its users, whole numbers in 64 bits."""
    return {name: column.astype(np.int64) for name, column in load_file(path).items()}


def is_stored(path: Path, identity: dict[str, Any]) -> bool:
    """Whether a cell's two files are there and answer the question."""
    return path.exists() and path.with_suffix(".safetensors").exists() and read_cell(path)["identity"] == identity


def write_cell(path: Path, document: dict[str, Any], columns: Mapping[str, Int[np.ndarray, "U *rest"]]) -> None:
    """Store a cell, its document last: where that stands, the columns beside it (one row a user) are its own."""
    path.unlink(missing_ok=True)
    tensors = {name: torch.from_numpy(narrowed(column)) for name, column in columns.items()}
    write_tensors(path.with_suffix(".safetensors"), tensors)
    write_json(path, document)


def narrowed(column: Int[np.ndarray, "U *rest"]) -> Int[np.ndarray, "U *rest"]:
    """The same whole numbers in as few bits as hold them all."""
    types = (kind for kind in (np.int16, np.int32) if not column.size or abs(column).max() <= np.iinfo(kind).max)
    return column.astype(next(types, np.int64))
