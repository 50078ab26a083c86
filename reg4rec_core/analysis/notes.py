"""What people think of a branch or an item: a thumb, a tag and a text, kept in one SQLite file beside the checkpoints.

Every note carries the history it was made on, so that an exported line can be trained on without the run.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from reg4rec_core.types import InputError

NOTES_VARIABLE = "REG4REC_NOTES"
DEFAULT_NOTES = Path("checkpoints") / "notes.sqlite"
WAIT = 30.0
"""Seconds that a writer waits for the others."""
MAX_TAG, MAX_TEXT = 60, 4000
"""Letters of a tag and of a text."""
CREATE = """
CREATE TABLE IF NOT EXISTS notes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, weights TEXT NOT NULL, user TEXT NOT NULL,
    at TEXT NOT NULL, theta REAL, edits TEXT NOT NULL, history TEXT NOT NULL, path TEXT NOT NULL, item TEXT NOT NULL,
    label INTEGER NOT NULL, tag TEXT NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL, link TEXT NOT NULL,
    thetas TEXT NOT NULL DEFAULT '[]', check_from INTEGER)
"""
ADDED = {"thetas": "TEXT NOT NULL DEFAULT '[]'", "check_from": "INTEGER"}
"""Columns that a file of before may lack."""


@dataclass(frozen=True)
class Note:
    """One judgement about a branch of a search, or about an item that it recommended."""

    run: str
    weights: str
    user: str
    """The user's key."""
    at: str
    """The moment asked about: valid, test or now."""
    theta: float
    """Infinite where nothing was pruned."""
    edits: str
    """What was changed in the history, as links write it; "" for the real one."""
    history: tuple[str, ...]
    """Item keys the model saw, oldest first, edits included."""
    path: tuple[tuple[int, int], ...]
    """Codebook and code of every step up to the branch; () for the start, or for an item that no path gave."""
    item: str
    """Key of the item, "" where the note is about a branch."""
    label: int
    """1 for a thumb up, -1 for a thumb down."""
    tag: str
    text: str
    link: str
    """Restores the view the note was made in; "" where there is none."""
    time: int = 0
    """Unix seconds; set when the note is kept."""
    number: int = 0
    """Counts the notes of a file from 1; set when the note is kept."""
    thetas: tuple[float, ...] = ()
    """Thresholds of step 1, 2, ... in the place of theta, the last one for all later steps; () where theta held."""
    check_from: int | None = None
    """The first step whose belief was compared; None for a note of before this was kept."""

    def __post_init__(self) -> None:
        if self.label not in (1, -1):
            raise InputError(f"a note's label is 1 (thumb up) or -1 (thumb down), got {self.label}; choose one")
        for name, most in (("tag", MAX_TAG), ("text", MAX_TEXT)):
            if len(getattr(self, name)) > most:
                raise InputError(f"a note's {name} has at most {most} letters, got {len(getattr(self, name))}; cut it")


def notes_file() -> Path:
    """Where notes are kept: $REG4REC_NOTES, or notes.sqlite beside the checkpoints."""
    return Path(os.environ.get(NOTES_VARIABLE) or DEFAULT_NOTES)


def keep_note(file: Path, note: Note) -> Note:
    """Write a note down; the note as it was kept, with its number and time. Several processes may write at once."""
    row = _row(replace(note, time=note.time or int(time.time())))
    names = ", ".join(row)
    with _opened(file) as connection:
        _widen(connection)
        cursor = connection.execute(
            f"INSERT INTO notes ({names}) VALUES ({', '.join(f':{name}' for name in row)})", row
        )  # fmt: skip
        return replace(note, time=row["time"], number=int(cursor.lastrowid or 0))


def read_notes(file: Path, *, run: str = "", user: str = "") -> tuple[Note, ...]:
    """The notes of a file, the newest first; of one run, of one user, or all. None where there is no file yet."""
    if not file.exists():
        return ()
    query = "SELECT * FROM notes WHERE (:run = '' OR run = :run) AND (:user = '' OR user = :user) ORDER BY number DESC"
    with _opened(file) as connection:
        return tuple(map(_note, connection.execute(query, {"run": run, "user": user})))


def drop_note(file: Path, number: int) -> None:
    """Forget a note."""
    with _opened(file) as connection:
        connection.execute("DELETE FROM notes WHERE number = ?", (number,))


def note_document(note: Note) -> dict[str, Any]:
    """A note as one training example: history and path as keys and codes, the label +1 or -1. No pruning reads null.

    `thetas` is there where every step had its own, and then stands for `theta`; `check_from` where it was kept.
    """
    return {
        "number": note.number,
        "run": note.run,
        "weights": note.weights,
        "user": note.user,
        "at": note.at,
        "theta": _finite(note.theta),
        **({"thetas": [_finite(theta) for theta in note.thetas]} if note.thetas else {}),
        **({} if note.check_from is None else {"check_from": note.check_from}),
        "edits": note.edits,
        "history": list(note.history),
        "path": [{"codebook": codebook, "code": code} for codebook, code in note.path],
        "item": note.item or None,
        "label": note.label,
        "tag": note.tag,
        "text": note.text,
        "time": note.time,
        "link": note.link,
    }


def note_lines(notes: Sequence[Note]) -> str:
    """Notes as JSON Lines, the oldest first."""
    ordered = sorted(notes, key=lambda note: note.number)
    return "".join(json.dumps(note_document(note), ensure_ascii=False) + "\n" for note in ordered)


def _row(note: Note) -> dict[str, Any]:
    """The columns of a note; SQLite knows no infinity that every reader agrees on, so no pruning is null."""
    row = {field.name: getattr(note, field.name) for field in fields(note) if field.name != "number"}
    texts = {"history": note.history, "path": note.path, "thetas": [_finite(theta) for theta in note.thetas]}
    return row | {"theta": _finite(note.theta)} | {name: json.dumps(value) for name, value in texts.items()}


def _note(row: sqlite3.Row) -> Note:
    values = dict(row)
    values["theta"] = _read_theta(values["theta"])
    values["thetas"] = tuple(map(_read_theta, json.loads(values.get("thetas", "[]"))))
    values["history"] = tuple(json.loads(values["history"]))
    values["path"] = tuple((codebook, code) for codebook, code in json.loads(values["path"]))
    return Note(**values)


def _finite(theta: float) -> float | None:
    """Theta as files write it: null for infinity."""
    return None if theta == float("inf") else float(theta)


def _read_theta(theta: float | None) -> float:
    return float("inf") if theta is None else theta


def _widen(connection: sqlite3.Connection) -> None:
    """Give a file of before the columns that it lacks, once, whoever writes at the same time."""
    if not _lacking(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    for name in _lacking(connection):  # another process may have been quicker
        connection.execute(f"ALTER TABLE notes ADD COLUMN {name} {ADDED[name]}")


def _lacking(connection: sqlite3.Connection) -> list[str]:
    there = {row["name"] for row in connection.execute("PRAGMA table_info(notes)")}
    return [name for name in ADDED if name not in there]


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The file, made where it is not there yet; what is done in the context is kept at its end."""
    try:
        if not file.exists():
            _make(file)
        with closing(sqlite3.connect(file, timeout=WAIT)) as connection, connection:
            connection.row_factory = sqlite3.Row
            yield connection
    except (OSError, sqlite3.Error) as error:
        raise InputError(
            f"notes are kept in {file}, which cannot be used ({error}); name another file in {NOTES_VARIABLE}"
        ) from error


def _make(file: Path) -> None:
    """An empty file of notes, made under another name and linked in, so that several processes may all try at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}-{time.monotonic_ns()}.partial")
    with closing(sqlite3.connect(fresh)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # readers and a writer at once; kept in the file
        connection.execute(CREATE)
        connection.commit()
    try:
        os.link(fresh, file)
    except FileExistsError:
        return  # another process was quicker
    finally:
        fresh.unlink()
