"""Any CSV or Parquet table, its columns named by the user."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reg4rec_core.data.source import (
    UNKNOWN_TIME,
    SourceTables,
    clean_path,
    clean_text,
    interactions_table,
    items_table,
    key_column,
    read_csv,
    read_parquet,
    require_unique,
    split_path,
    time_column,
)
from reg4rec_core.types import InputError

ROLES = ("user", "item", "time", "title", "brand", "category", "key")
"""What a column can be; `key` is the item column of the items file where it has another name there."""


@dataclass(frozen=True)
class TableColumns:
    """Which column plays which role; None where the tables have none."""

    user: str
    item: str
    time: str | None = None
    title: str | None = None
    brand: str | None = None
    category: str | None = None
    key: str | None = None

    @classmethod
    def from_mapping(cls, mapping: dict[str, str]) -> "TableColumns":
        """Check the roles of a mapping such as {"user": "customer", "item": "sku"}."""
        unknown = [role for role in mapping if role not in ROLES]
        if unknown:
            raise InputError(f"--columns knows the roles {', '.join(ROLES)}, got {unknown[0]}; leave it out")
        missing = [role for role in ("user", "item") if not mapping.get(role)]
        if missing:
            raise InputError(f"--columns must name the {' and '.join(missing)} column, as in user=customer,item=sku")
        return cls(**mapping)


def read_table_source(
    interactions: Path, items: Path | None, columns: TableColumns, *, category_separator: str = ">"
) -> SourceTables:
    """Read interactions (user, item, perhaps time) and items (item, perhaps title, brand, category).

    Without an items file, titles, brands and categories are looked for in the interactions, where the first row of an
    item counts. Without a time column the rows' order is the order of time. Raises InputError as the other readers do.
    """
    if not category_separator:
        raise InputError("--category-separator must not be empty; leave it out for >")
    described = [column for column in (columns.title, columns.brand, columns.category) if column is not None]
    wanted = [columns.user, columns.item] + ([columns.time] if columns.time else [])
    log = read_table(interactions, wanted + ([] if items else described))
    log_items = key_column(interactions, log, columns.item)
    times = np.full(len(log), UNKNOWN_TIME) if columns.time is None else time_column(interactions, log, columns.time)
    if items is None:
        first = ~log_items.duplicated().to_numpy()
        rows, keys = log[first], log_items[first]
    else:
        key = columns.key or columns.item
        rows = read_table(items, [key, *described])
        keys = key_column(items, rows, key)
        require_unique(items, key, keys)
    return SourceTables(
        interactions_table(key_column(interactions, log, columns.user), log_items, times),
        items_table(
            keys.tolist(),
            text_column(rows, columns.title),
            text_column(rows, columns.brand),
            path_column(rows, columns.category, category_separator),
        ),
        description=f"table: {interactions.name}" + (f", {items.name}" if items else ""),
        title_from_key=True,
    )


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """The columns of a .parquet, .csv or .tsv file (the latter two perhaps gzipped)."""
    columns = list(dict.fromkeys(columns))
    if path.is_dir():
        raise InputError(f"{path} is a directory; name a CSV or Parquet file")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if ".parquet" in suffixes:
        return read_parquet(path, columns)
    return read_csv(path, columns, separator="\t" if ".tsv" in suffixes else ",")


def text_column(rows: pd.DataFrame, column: str | None) -> list[str]:
    """Texts of a column, numbers as they read; "" where a cell is missing or there is no column."""
    if column is None:
        return [""] * len(rows)
    return [clean_text(str(value)) if is_given(value) else "" for value in rows[column]]


def path_column(rows: pd.DataFrame, column: str | None, separator: str) -> list[tuple[str, ...]]:
    """Category paths of a column whose cells are lists or texts."""
    if column is None:
        return [()] * len(rows)
    return [read_path(value, separator) for value in rows[column]]


def read_path(value: Any, separator: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple | np.ndarray):
        return clean_path(value)
    return split_path(str(value), separator) if is_given(value) else ()


def is_given(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray) or not pd.isna(value)
