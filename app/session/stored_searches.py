"""Stored searches of all users, and what has been asked of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from app.session.open_runs import CHECKPOINTS, open_run, run_path
from app.session.progress import on_bar
from reg4rec_core import (
    Cohort,
    InputError,
    SliceDifference,
    StoreComparison,
    StoredSearch,
    TraceStore,
    compare_by,
    compare_stores,
    open_store,
    read_cohort,
    stored_search,
    write_store,
)

USERS_A_PART = 50
"""Searched between two moves of the progress bar."""

Answer = TypeVar("Answer")


def trace_stores(name: str) -> dict[str, Path]:
    """The finished stored searches of a run by name, those of the most users first."""
    sizes = {}
    for file in sorted((run_path(name) / "traces").glob("*/store.json")):
        description = json.loads(file.read_text(encoding="utf-8"))
        if description.get("complete") is not False:
            sizes[file.parent] = int(description.get("users", 0))
    return {path.name: path for path in sorted(sizes, key=lambda path: (-sizes[path], path.name))}


def foreign_stores() -> dict[str, Path]:
    """Stored searches of other recommenders: folders under checkpoints/ that hold the tables and are no run."""
    tables = sorted(CHECKPOINTS.glob("*/recommendations*"))
    folders = [table.parent for table in tables if not (table.parent / "run.json").exists()]
    return {folder.name: folder for folder in folders}


def search_of(store: TraceStore, user: str) -> StoredSearch:
    """One user's search as it is stored; kept like other answers."""

    def stored(store: TraceStore, cohort: Cohort, user: str) -> StoredSearch:
        return stored_search(store, user)

    return ask(stored, store, Cohort(), user)


def knows(store: TraceStore, user: str) -> bool:
    """Whether a store holds a user of that key."""
    return bool(store.rows("SELECT 1 FROM users WHERE coalesce(key, user::VARCHAR) = ? LIMIT 1", user))


def make_store(name: str, users: int) -> None:
    """Search a sample of a run's test users and keep the searches beside it, with a bar of the progress."""
    run = open_run(name)
    recommender, bar = run.recommender, st.progress(0.0, "starting")
    asked = {"weights": run.weights, "users": min(users, run.n_users), "part_users": USERS_A_PART}
    try:
        write_store(recommender, recommender.run, "test", recommender.decode, **asked, progress=on_bar(bar))
    except OSError as error:
        raise InputError(
            f"searches are stored in the run, which must be writable ({error.strerror}); search a copy of it"
        ) from error
    finally:
        bar.empty()


def store_settings(path: Path) -> dict[str, Any]:
    """What a stored search was asked: split, weights, and how it was decoded."""
    return json.loads((path / "store.json").read_text(encoding="utf-8")).get("settings", {})


def open_trace_store(path: Path) -> TraceStore:
    """A stored search, kept open until it is written anew."""
    return _open_trace_store(str(path), _written(path))


@st.cache_resource(max_entries=4, show_spinner="Opening the stored search…")
def _open_trace_store(path: str, written: int) -> TraceStore:
    return open_store(Path(path))


def _written(store: Path) -> int:
    files = [path for path in (store / "store.json", *store.glob("recommendations*")) if path.exists()]
    return max(path.stat().st_mtime_ns for path in files)


def ask(question: Callable[..., Answer], store: TraceStore, cohort: Cohort, *settings: str) -> Answer:
    """The answer of a stored search to a question about a cohort; kept, so that clicking around asks nothing anew."""
    return _ask(question.__name__, str(store.path), _written(store.path), cohort.to_text(), settings, question, store)


def ask_both(first: TraceStore, second: TraceStore, cohort: Cohort) -> StoreComparison:
    """What a second stored search does otherwise for a cohort; kept like other answers."""

    def compare(store: TraceStore, cohort: Cohort, *_: str) -> StoreComparison:
        return compare_stores(store, second, cohort)

    return ask(compare, first, cohort, str(second.path), str(_written(second.path)))


def ask_slices(first: TraceStore, second: TraceStore, cohort: Cohort, by: str) -> tuple[SliceDifference, ...]:
    """The same, slice by slice."""

    def compare_slices(store: TraceStore, cohort: Cohort, *_: str) -> tuple[SliceDifference, ...]:
        return compare_by(store, second, cohort, by)

    return ask(compare_slices, first, cohort, str(second.path), str(_written(second.path)), by)


@st.cache_resource(max_entries=256, show_spinner=False)
def _ask(
    name: str, path: str, written: int, cohort: str, settings: tuple[str, ...], _question: Callable, _store: TraceStore
) -> object:
    return _question(_store, read_cohort(cohort), *settings)
