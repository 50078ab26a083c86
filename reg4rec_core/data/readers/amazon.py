"""Amazon product data as published in 2014, 2018 and 2023: a reviews file and a meta_ file, one object a line."""

import ast
import gzip
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
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
    readable,
)
from reg4rec_core.types import InputError

ENDINGS = (".json.gz", ".jsonl.gz", ".json", ".jsonl")
LITERAL_ITEM = re.compile(r"""['"]asin['"]: ['"]([^'"]+)['"]""")
"""Where a line of the 2014 metadata names its item: lets lines of items nobody bought pass unparsed."""


def read_source(source: Path) -> SourceTables:
    """Read the reviews (any of the three forms) and the metadata of one category.

    Ratings of every value count as interactions. A metadata line that repeats an earlier one word for word is left
    out; two lines that differ are an InputError, as are unreadable lines, missing ids and damaged gzip files.
    """
    reviews, metadata = find_files(source)
    log = read_reviews(reviews)
    items, repeated = read_metadata(metadata, wanted=set(log["item"].unique()))
    return SourceTables(
        log,
        items,
        description=f"Amazon: {source.name}/{reviews.name}, {metadata.name}",
        notes={"repeated_metadata_lines": repeated} if repeated else {},
    )


def find_files(source: Path) -> tuple[Path, Path]:
    """The reviews file and the metadata file of a directory."""
    files = sorted(path for path in source.iterdir() if path.name.endswith(ENDINGS))
    metadata = [path for path in files if path.name.startswith("meta_")]
    reviews = [path for path in files if not path.name.startswith("meta_")]
    kinds = {"reviews (reviews_X_5.json.gz, X.jsonl.gz)": reviews, "metadata (meta_X.json.gz)": metadata}
    for kind, found in kinds.items():
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise InputError(f"{source} must hold exactly one file of {kind}, found {names}; keep one category apart")
    return reviews[0], metadata[0]


def read_lines(path: Path, *, wanted: set[str] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number (from 1) and object of each line: JSON, or the Python literals of 2014.

    With `wanted`, literal lines about other items are passed over unparsed: parsing them takes minutes.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with readable(path), opened(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            line = line.strip()
            if not line:
                continue
            if wanted is not None and line.startswith("{'") and line.endswith("}"):
                named = LITERAL_ITEM.search(line)
                if named and named.group(1) not in wanted:
                    continue
            yield number, parse_line(path, number, line)


def parse_line(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        try:
            record = ast.literal_eval(line)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise bad_line(path, number, line) from error
    if not isinstance(record, dict):
        raise bad_line(path, number, line)
    return record


def bad_line(path: Path, number: int, line: str) -> InputError:
    shown = line if len(line) <= 40 else line[:40] + "..."
    return InputError(f"{path}, line {number}: must be one JSON object, got {shown!r}; mend or remove the line")


def read_reviews(path: Path) -> pd.DataFrame:
    """The interactions of a reviews file; 2023 counts time in milliseconds, the older forms in seconds."""
    rows = [read_review(path, number, record) for number, record in read_lines(path)]
    if not rows:
        raise InputError(f"{path} is empty; it must hold one review a line")
    users, items, times = zip(*rows, strict=True)
    return interactions_table(pd.Series(users, dtype=object), pd.Series(items, dtype=object), np.array(times, np.int64))


def read_review(path: Path, number: int, record: dict[str, Any]) -> tuple[str, str, int]:
    if "reviewerID" in record:
        user, item, time, ticks = "reviewerID", "asin", record.get("unixReviewTime"), 1
    else:
        item = "parent_asin" if "parent_asin" in record else "asin"
        user, time, ticks = "user_id", record.get("timestamp"), 1000
    ids = (read_id(path, number, record, name) for name in (user, item))
    return *ids, read_time(path, number, time, ticks)


def read_id(path: Path, number: int, record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not clean_text(value):
        reason = "is missing" if value is None else f"must be an id, got {value!r:.40}"
        raise InputError(f"{path}, line {number}: {name} {reason}; mend or remove the line")
    return clean_text(value)


def read_time(path: Path, number: int, value: Any, ticks: int) -> int:
    if value is None:
        return UNKNOWN_TIME
    try:
        seconds = float(value) / ticks
    except (TypeError, ValueError):
        seconds = float("nan")
    if isinstance(value, bool) or not (0 <= seconds < 1e11):
        raise InputError(f"{path}, line {number}: the review time must be a unix time, got {value!r:.40}; mend it")
    return int(seconds)


def read_metadata(path: Path, *, wanted: set[str]) -> tuple[pd.DataFrame, int]:
    """The described items that were bought, and the number of repeated lines."""
    found: dict[str, tuple[str, str, tuple[tuple[str, ...], ...]]] = {}
    repeated, lines = 0, 0
    for number, record in read_lines(path, wanted=wanted):
        lines += 1
        key = read_id(path, number, record, "parent_asin" if "parent_asin" in record else "asin")
        if key not in wanted:
            continue
        described = (text(record.get("title")), text(record.get("brand") or record.get("store")), read_paths(record))
        if found.setdefault(key, described) is not described:
            if found[key] != described:
                raise InputError(f"{path}, line {number}: item {key} occurs twice, differently; keep one line")
            repeated += 1
    if not lines and next(read_lines(path), None) is None:
        raise InputError(f"{path} is empty; it must hold one item a line")
    paths = primary_paths([paths for _, _, paths in found.values()])
    titles, brands = [title for title, _, _ in found.values()], [brand for _, brand, _ in found.values()]
    return items_table(list(found), titles, brands, paths), repeated


def text(value: Any) -> str:
    return clean_text(html.unescape(value)) if isinstance(value, str) else ""


def read_paths(record: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Every category path of an item: a list of paths in 2014, one path in 2018 and 2023."""
    listed = record.get("categories") or record.get("category") or []
    if isinstance(listed, str):
        listed = [listed]
    if not isinstance(listed, list):
        return ()
    nested = listed if any(isinstance(path, list) for path in listed) else [listed]
    paths = (clean_path(text(name) for name in path) for path in nested if isinstance(path, list))
    return tuple(path for path in paths if path)


def primary_paths(all_paths: list[tuple[tuple[str, ...], ...]]) -> list[tuple[str, ...]]:
    """One path an item: its first under the root that most items share, else its first."""
    roots = Counter(root for paths in all_paths for root in {path[0] for path in paths})
    common = roots.most_common(1)[0][0] if roots else ""
    return [next((path for path in paths if path[0] == common), paths[0] if paths else ()) for paths in all_paths]
