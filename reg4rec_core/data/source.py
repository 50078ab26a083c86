"""What every reader returns, and the checks of single columns that readers share."""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Int

from reg4rec_core.types import InputError

UNKNOWN_TIME = -1
"""Timestamp of an interaction whose time the source does not know."""


@dataclass(frozen=True)
class SourceTables:
    """A source, read but not yet filtered: texts are clean, keys are text, times are unix seconds."""

    interactions: pd.DataFrame
    """Columns user, item (text), timestamp (int64, -1 unknown), order (int64: breaks ties of time)."""
    items: pd.DataFrame
    """Columns item (text, unique), title, brand (text, "" unknown), category_path (tuple, () unknown)."""
    description: str
    """What was read, for people: format and file names."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Counts that only the reader knows, for the audit."""
    title_from_key: bool = False
    """Whether an item without a title is called by its key."""
    text_features: Path | None = None
    """Sentence vectors that came with the source."""


def interactions_table(
    users: pd.Series,
    items: pd.Series,
    timestamps: Int[np.ndarray, "rows"],
    order: Int[np.ndarray, "rows"] | None = None,
) -> pd.DataFrame:
    """The interactions of a source; without `order` its rows stand in the order that breaks ties."""
    order = np.arange(len(users)) if order is None else order
    return pd.DataFrame(
        {"user": users.to_numpy(), "item": items.to_numpy(), "timestamp": timestamps, "order": order.astype(np.int64)}
    )


def items_table(
    items: Sequence[str], titles: Sequence[str], brands: Sequence[str], paths: Sequence[tuple[str, ...]]
) -> pd.DataFrame:
    """The described items of a source."""
    frame = pd.DataFrame({"item": list(items), "title": list(titles), "brand": list(brands)})
    cells = np.empty(len(frame), dtype=object)
    cells[:] = [tuple(path) for path in paths]
    frame["category_path"] = pd.Series(cells, dtype=object)
    return frame


def clean_text(value: Any) -> str:
    """A text on one line that every file can hold; anything that is not text is unknown ("")."""
    if not isinstance(value, str):
        return ""
    return " ".join(value.encode("utf-8", "replace").decode("utf-8").split())


def clean_path(names: Any) -> tuple[str, ...]:
    """A category path of non-empty names, root first."""
    return tuple(name for name in map(clean_text, names) if name)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what may go wrong while a file is read into one InputError that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; check the path") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is a truncated or damaged gzip file ({error}); fetch it again") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); convert it to UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path} is empty; it must hold a header line and rows") from error
    except pd.errors.ParserError as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(f"{path} is not a well-formed table ({reason}); mend that line") from error
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not a readable Parquet file ({reason}); write it again") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check the file") from error


def read_csv(
    path: Path, columns: Sequence[str] | None = None, *, separator: str = ",", quoted: bool = True
) -> pd.DataFrame:
    """A CSV file as text columns, empty cells missing; `columns` must exist and are the only ones kept.

    Raises InputError that names the file and what is wrong with it.
    """
    quoting = 0 if quoted else 3
    options: dict[str, Any] = {"sep": separator, "encoding": "utf-8-sig", "quoting": quoting}
    with readable(path):
        header = pd.read_csv(path, nrows=0, **options).columns.tolist()
        require_columns(path, header, columns or [])
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], **options)
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path} has rows with more fields than its header; make them the same")
    return require_rows(path, frame if columns is None else frame[list(columns)])


def read_parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a Parquet file; `columns` must exist and are the only ones kept.

    Null means unknown, so a number that is not finite is an InputError, as is a file that cannot be read.
    """
    with readable(path):
        file = pq.ParquetFile(path)
        require_columns(path, file.schema_arrow.names, columns)
        table = file.read(columns=list(columns))
    for name in columns:
        column = table.column(name)
        if pa.types.is_floating(column.type):
            finite = pc.fill_null(pc.is_finite(column), True).to_numpy()
            require_every(path, name, finite, "is not a finite number", "leave the cell null where it is unknown")
    return require_rows(path, table.select(list(columns)).to_pandas())


def require_columns(path: Path, found: Sequence[str], wanted: Sequence[str]) -> None:
    """InputError that lists the missing columns beside those that are there."""
    missing = [name for name in wanted if name not in set(found)]
    if missing:
        raise InputError(f"{path} lacks the column {', '.join(missing)}; it has {', '.join(map(str, found))}")


def require_rows(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    if frame.empty:
        raise InputError(f"{path} holds no rows; give a file with data")
    return frame


def require_every(path: Path, column: str, good: Any, rule: str, remedy: str, values: Any = None) -> None:
    """InputError that names the first row where `good` is False; rows count from 1, the header left out."""
    bad = np.flatnonzero(~np.asarray(good, dtype=bool))
    if len(bad):
        value = "" if values is None else f" {np.asarray(values, dtype=object)[bad[0]]!r}"
        more = f" (and {len(bad) - 1:,} more rows)" if len(bad) > 1 else ""
        raise InputError(f"{path}, row {bad[0] + 1}, column {column}:{value} {rule}{more}; {remedy}")


def key_column(path: Path, frame: pd.DataFrame, column: str) -> pd.Series:
    """Ids as text: none may be missing, whole numbers lose a trailing .0."""
    values = frame[column]
    require_every(path, column, values.notna().to_numpy(), "has no id", "give every row one")
    if pd.api.types.is_float_dtype(values):
        whole = (values == np.floor(values)).to_numpy()
        require_every(path, column, whole, "is not an id: ids are text or whole numbers", "mend it", values)
        values = values.astype(np.int64)
    elif not (pd.api.types.is_integer_dtype(values) or isinstance(values.iloc[0], str | int)):
        kind = type(values.iloc[0]).__name__
        raise InputError(f"{path}, column {column}: ids must be text or whole numbers, got {kind}; convert it")
    keys = values.astype(str).str.strip()
    require_every(path, column, (keys != "").to_numpy(), "is an empty id", "give every row one")
    return keys


def require_unique(path: Path, column: str, keys: pd.Series) -> None:
    """InputError that names the first row whose key occurred before."""
    require_every(path, column, ~keys.duplicated().to_numpy(), "occurs twice", "keep one row per item", keys)


def time_column(path: Path, frame: pd.DataFrame, column: str) -> Int[np.ndarray, "rows"]:
    """Unix seconds, -1 where missing. Takes numbers (seconds, or finer where the size says so), dates and ISO texts.

    Raises InputError for values that are no time, not finite, or before 1970.
    """
    values = frame[column]
    present = values.notna().to_numpy()
    if pd.api.types.is_datetime64_any_dtype(values):
        return whole_seconds(path, column, pd.to_datetime(values, utc=True), present)
    if pd.api.types.is_bool_dtype(values):
        raise InputError(f"{path}, column {column}: {NOT_A_TIME[0]}, got true or false; {NOT_A_TIME[1]}")
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    if present.any() and np.isnan(numbers[present]).all():
        dates = pd.to_datetime(values.astype(str).where(present), errors="coerce", utc=True, format="ISO8601")
        require_every(path, column, dates.notna() | ~present, *NOT_A_TIME, values)
        return whole_seconds(path, column, dates, present)
    require_every(path, column, np.isfinite(numbers) | ~present, *NOT_A_TIME, values)
    numbers = np.where(present, numbers, UNKNOWN_TIME)
    require_every(path, column, (numbers >= 0) | ~present, "lies before 1970", "give unix seconds", values)
    return np.floor(np.where(present, numbers / ticks_per_second(numbers), UNKNOWN_TIME)).astype(np.int64)


NOT_A_TIME = ("is not a time", "give unix seconds or an ISO date such as 2014-07-23, or leave it empty")


def whole_seconds(path: Path, column: str, dates: pd.Series, present: np.ndarray) -> Int[np.ndarray, "rows"]:
    seconds = ((dates - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)).fillna(UNKNOWN_TIME).to_numpy(np.int64)
    require_every(path, column, (seconds >= 0) | ~present, "lies before 1970", "give a later date", dates)
    return seconds


def ticks_per_second(numbers: np.ndarray) -> int:
    """1 for seconds; 10^3, 10^6 or 10^9 where numbers are so large that they can only be finer ticks (year > 5000)."""
    newest = numbers.max(initial=0)
    return next((ticks for limit, ticks in ((1e17, 10**9), (1e14, 10**6), (1e11, 10**3)) if newest > limit), 1)


def split_path(text: Any, separator: str) -> tuple[str, ...]:
    """A category path written in one cell."""
    return clean_path(re.split(re.escape(separator.strip() or separator), text)) if isinstance(text, str) else ()
