"""Where a sweep keeps its cells.

RUN/evaluation/sweeps/NAME/own.json                 the run's own setting
RUN/evaluation/sweeps/NAME/theta=0.06.json          a cell
RUN/evaluation/sweeps/NAME/theta=0.06.safetensors   its users and where it placed their targets; own.safetensors, too
RUN/evaluation/sweeps/NAME/sweep.json               what was swept: written last, when every cell is there
"""

import json
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
    arrays = load_file(path)
    return arrays["users"], arrays["places"]


def is_stored(path: Path, identity: dict[str, Any]) -> bool:
    """Whether a cell's two files are there and answer the question."""
    return path.exists() and path.with_suffix(".safetensors").exists() and read_cell(path)["identity"] == identity


def write_cell(path: Path, document: dict[str, Any], users: Int[np.ndarray, "U"], places: Int[np.ndarray, "U"]) -> None:
    """Store a cell, its document last: where that stands, the places beside it are its own."""
    path.unlink(missing_ok=True)
    arrays = {"users": users, "places": places}
    write_tensors(
        path.with_suffix(".safetensors"),
        {name: torch.from_numpy(column.astype(np.int64)) for name, column in arrays.items()},
    )
    write_json(path, document)
