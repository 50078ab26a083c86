"""An extra modality given by the user: a Parquet file of item keys and vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float

from reg4rec_core.data.source import key_column, readable, require_every, require_rows, require_unique
from reg4rec_core.types import InputError


@dataclass(frozen=True)
class ExtraFeatures:
    """Vectors of the catalogue's items, row 0 (padding) zero."""

    vectors: Float[np.ndarray, "N F"]
    missing_items: int
    """Items without a vector; they get the mean of all others."""
    unused_rows: int
    """Vectors of items that are not in the catalogue."""


def read_features(path: Path, item_keys: Sequence[str]) -> ExtraFeatures:
    """Read a Parquet file with one column of item keys and one of vectors (lists of numbers), whatever their names.

    `item_keys` are the catalogue's, padding first. Raises InputError on ambiguous columns, vectors of unequal width,
    numbers that are not finite, double keys, and a file that describes none of the items.
    """
    path = Path(path)
    with readable(path):
        table = pq.read_table(path, partitioning=None)
    key_name, vector_name = find_columns(path, table)
    require_rows(path, table.select([key_name]).to_pandas())
    keys = key_column(path, table.select([key_name]).to_pandas(), key_name)
    require_unique(path, key_name, keys)
    vectors = stack_vectors(path, vector_name, table.column(vector_name))
    row_of = {key: row for row, key in enumerate(keys)}
    rows = np.array([row_of.get(key, -1) for key in item_keys[1:]])
    if (rows < 0).all():
        raise InputError(f"{path} describes none of the {len(rows):,} items; its column {key_name} must hold item keys")
    mean = vectors[rows[rows >= 0]].mean(axis=0)
    placed = np.where((rows >= 0)[:, None], vectors[rows], mean)
    missing = int((rows < 0).sum())
    padded = np.concatenate([np.zeros((1, vectors.shape[1])), placed]).astype(np.float32)
    return ExtraFeatures(padded, missing, len(keys) - (len(rows) - missing))


def find_columns(path: Path, table: pa.Table) -> tuple[str, str]:
    """The names of the key column and of the vector column."""
    lists = [field.name for field in table.schema if is_list(field.type)]
    scalars = [field.name for field in table.schema if not is_list(field.type)]
    if len(lists) != 1 or len(scalars) != 1:
        raise InputError(
            f"{path} must have one column of item keys and one of vectors (lists of numbers), got "
            f"{', '.join(f'{field.name}: {field.type}' for field in table.schema) or 'no columns'}"
        )
    return scalars[0], lists[0]


def is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def stack_vectors(path: Path, name: str, column: pa.ChunkedArray) -> Float[np.ndarray, "rows F"]:
    """The vectors as one matrix."""
    require_every(path, name, pc.is_valid(column).to_numpy(), "has no vector", "leave the row out")
    widths = pc.list_value_length(column).to_numpy()
    width = int(np.bincount(widths).argmax())
    require_every(path, name, widths == width, f"does not have {width} numbers as most do", "mend the vector")
    if width == 0:
        raise InputError(f"{path}, column {name}: vectors must hold at least one number")
    flat = pc.list_flatten(column)
    if not (pa.types.is_floating(flat.type) or pa.types.is_integer(flat.type)):
        raise InputError(f"{path}, column {name}: vectors must hold numbers, got {flat.type}")
    vectors = flat.to_numpy().astype(np.float64).reshape(len(column), width)
    require_every(path, name, np.isfinite(vectors).all(axis=1), "holds a number that is not finite", "mend the vector")
    largest = np.abs(vectors).max(axis=1) < np.finfo(np.float32).max
    require_every(path, name, largest, "holds a number too large for float32", "scale the vectors")
    return vectors
