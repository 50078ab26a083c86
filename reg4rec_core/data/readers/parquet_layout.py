"""Our own layout: interactions.parquet and items.parquet with integer ids, as in assets/beauty."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from reg4rec_core.data.dataset import TEXT_FEATURES
from reg4rec_core.data.source import (
    SourceTables,
    clean_path,
    clean_text,
    interactions_table,
    items_table,
    key_column,
    read_parquet,
    readable,
    require_every,
    require_unique,
    time_column,
)
from reg4rec_core.types import InputError


def read_source(source: Path) -> SourceTables:
    """Read interactions.parquet and items.parquet.

    The first has user_id, item_id, position, timestamp, the second item_id, title, brand, categories. `position` breaks
    ties of time inside a user. Raises InputError on missing columns, wrong types and double ids.
    """
    log_path, items_path = source / "interactions.parquet", source / "items.parquet"
    log = read_parquet(log_path, ["user_id", "item_id", "position", "timestamp"])
    users, bought = key_column(log_path, log, "user_id"), key_column(log_path, log, "item_id")
    require_whole(log_path, log, "position")
    doubled = log.duplicated(["user_id", "position"]).to_numpy()
    require_every(log_path, "position", ~doubled, "occurs twice for one user", "number each user's rows 0, 1, 2, ...")
    items = read_parquet(items_path, ["item_id", "title", "brand", "categories", *optional_columns(items_path)])
    keys = key_column(items_path, items, "item_id")
    require_unique(items_path, "item_id", keys)
    for column in ("title", "brand"):
        is_text = items[column].map(lambda cell: isinstance(cell, str)) | items[column].isna()
        require_every(items_path, column, is_text, "is not text", "leave it null where it is unknown", items[column])
    is_path = items["categories"].map(is_path_of_names)
    require_every(items_path, "categories", is_path, "is not a list of names", "give the path root first, or null")
    notes = {}
    if "title_source" in items:
        notes["titles_not_from_metadata"] = int((items["title_source"] != "metadata").sum())
    cache = source / TEXT_FEATURES
    return SourceTables(
        interactions_table(users, bought, time_column(log_path, log, "timestamp"), log["position"].to_numpy()),
        items_table(
            keys.tolist(),
            [clean_text(title) for title in items["title"]],
            [clean_text(brand) for brand in items["brand"]],
            [() if path is None else clean_path(path) for path in items["categories"]],
        ),
        description=f"parquet layout: {source.name}/interactions.parquet, items.parquet",
        notes=notes,
        text_features=cache if cache.exists() else None,
    )


def is_path_of_names(cell: Any) -> bool:
    return cell is None or (isinstance(cell, np.ndarray) and all(isinstance(name, str) for name in cell))


def optional_columns(path: Path) -> list[str]:
    with readable(path):
        return [name for name in ("title_source",) if name in pq.read_schema(path).names]


def require_whole(path: Path, log: pd.DataFrame, column: str) -> None:
    if log[column].dtype.kind not in "iu":
        raise InputError(f"{path}, column {column}: must hold whole numbers without gaps, got {log[column].dtype}")
