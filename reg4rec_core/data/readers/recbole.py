"""RecBole atomic files: NAME.inter and perhaps NAME.item, tab-separated with typed headers (field:type)."""

import ast
from collections.abc import Iterable
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
    require_unique,
    split_path,
    time_column,
)
from reg4rec_core.types import InputError

TYPES = ("token", "token_seq", "float", "float_seq")
TITLES = ("title", "movie_title", "item_name", "name")
BRANDS = ("brand", "store", "artist")
CATEGORIES = ("categories", "category", "genre", "genres", "class")
"""Names under which the published RecBole sets keep what we need, the first found counts."""


def read_source(source: Path) -> SourceTables:
    """Read the one .inter file of a directory (user_id, item_id, perhaps timestamp) and the .item file beside it.

    Raises InputError on a directory with none or several, headers without types, missing fields and double items.
    """
    log_path = the_only(source, ".inter")
    log, names = read_atomic(log_path)
    user, item = field(log_path, names, "user_id"), field(log_path, names, "item_id")
    time = names.get("timestamp")
    items_path = log_path.with_suffix(".item")
    times = np.full(len(log), UNKNOWN_TIME) if time is None else time_column(log_path, log, time)
    return SourceTables(
        interactions_table(key_column(log_path, log, user), key_column(log_path, log, item), times),
        read_items(items_path) if items_path.exists() else items_table([], [], [], []),
        description=f"RecBole: {log_path.name}" + (f", {items_path.name}" if items_path.exists() else ""),
    )


def the_only(source: Path, suffix: str) -> Path:
    """The one file of a directory with this ending."""
    found = sorted(path for path in source.iterdir() if path.suffix == suffix)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(f"{source} must hold exactly one {suffix} file, found {names}; give a directory with one")
    return found[0]


def read_atomic(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table and, for each plain field name, the column that holds it."""
    frame = read_csv(path, separator="\t", quoted=False)
    names = {}
    for column in frame.columns:
        name, _, kind = column.strip().partition(":")
        if kind not in TYPES:
            raise InputError(f"{path}, column {column}: a header must read name:type with type {', '.join(TYPES)}")
        names[name] = column
    return frame, names


def field(path: Path, names: dict[str, str], name: str) -> str:
    if name not in names:
        raise InputError(f"{path} lacks the column {name}; it has {', '.join(names)}")
    return names[name]


def read_items(path: Path) -> pd.DataFrame:
    """The described items of an .item file."""
    frame, names = read_atomic(path)
    keys = key_column(path, frame, field(path, names, "item_id"))
    require_unique(path, "item_id", keys)
    titles, brands, categories = (
        frame[names[found]] if (found := next((name for name in known if name in names), None)) else [""] * len(frame)
        for known in (TITLES, BRANDS, CATEGORIES)
    )
    separator = sequence_separator(categories)
    return items_table(
        keys.tolist(),
        [clean_text(title) for title in titles],
        [clean_text(brand) for brand in brands],
        [read_sequence(cell, separator) for cell in categories],
    )


def sequence_separator(cells: Iterable[Any]) -> str:
    """What stands between the tokens of a sequence: a comma, bar or > where any cell has one, else RecBole's blank."""
    present = "".join(cell for cell in cells if isinstance(cell, str))
    return next((mark for mark in (">", "|", ",") if mark in present), " ")


def read_sequence(cell: Any, separator: str) -> tuple[str, ...]:
    """The tokens of one cell; a cell may also be written as a Python list."""
    if isinstance(cell, str) and cell.startswith("[") and cell.endswith("]"):
        try:
            tokens = ast.literal_eval(cell)
        except (ValueError, SyntaxError):
            tokens = None
        if isinstance(tokens, list):
            return clean_path(tokens[0] if tokens and isinstance(tokens[0], list) else tokens)
    return clean_path(token.strip(" '\"[]") for token in split_path(cell, separator))
