"""Everything that outlives one run of a page: opened runs, searches, and what the address bar says.

The only module with caches and session state. Whatever a page remembers stands in the URL, either because a widget is
bound to it or because it is written here; every value that comes back is checked before it is used.
"""

import gc
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import streamlit as st

from app.charts import Ground
from app.view_models.reasoning import found_users, is_telling, telling_score
from app.view_models.tree import describe_nodes, path_length
from reg4rec_core import (
    Attribution,
    CodebookMaps,
    CodebookReport,
    CodeCard,
    Cohort,
    DecodeConfig,
    Edit,
    Facets,
    InputError,
    ReasoningTrace,
    Recommender,
    StoreComparison,
    TraceStore,
    TransitionSource,
    UserIndex,
    ask_edited,
    attribute,
    code_card,
    compare_stores,
    format_edits,
    has_umap_maps,
    index_users,
    open_store,
    parse_edits,
    principal_maps,
    read_codebooks,
    read_cohort,
    read_facets,
    search_users,
    umap_maps,
)

RUN_VARIABLE = "REG4REC_RUN"
CHECKPOINTS = Path("checkpoints")
DEFAULT_RUN = CHECKPOINTS / "demo"
FIRST_LOOK_BLOCKS = 8
"""Blocks of users searched at most for one worth showing to a newcomer."""
BLOCK = 8
LATEST = "latest"
"""Stands for the weights of the last training stage of a run."""

RunKey = tuple[str, int, str]
"""A run's path, when it was last written, so that a retrained run is opened afresh, and whose weights are asked for."""
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class OpenRun:
    """One run in memory. Shared by all sessions: nobody changes anything in it."""

    key: RunKey
    name: str
    recommender: Recommender
    facets: Facets
    users: UserIndex

    @property
    def weights(self) -> str:
        """The training stage whose weights search."""
        return self.recommender.weights

    @property
    def stages(self) -> list[str]:
        """The training stages that left weights, the latest first."""
        return self.recommender.run.weights_available()

    @property
    def n_users(self) -> int:
        return self.recommender.interactions.n_users

    def find_users(self, query: str) -> pd.DataFrame:
        """Users that match a query, as rows to choose from."""
        return found_users(search_users(self.users, query), self.facets.catalog, self.recommender.interactions)


def known_runs() -> dict[str, Path]:
    """The runs that a link may name: the one the app was started on first, then every folder under checkpoints/."""
    started_on = Path(os.environ.get(RUN_VARIABLE) or DEFAULT_RUN)
    others = sorted(path.parent for path in CHECKPOINTS.glob("*/run.json"))
    return {started_on.name: started_on} | {path.name: path for path in others if path.name != started_on.name}


def run_path(name: str) -> Path:
    """Where the run of that name lies; InputError when it is none of `known_runs`."""
    runs = known_runs()
    if name not in runs:
        raise InputError(f"there is no run {name!r} here; choose one of {', '.join(runs)}")
    return runs[name]


def open_run(name: str) -> OpenRun:
    """The run of that name, latest weights; InputError when it is none of `known_runs` or lacks something."""
    path = run_path(name)
    weights = sorted(path.glob("weights/*.safetensors"))
    written = max((file.stat().st_mtime_ns for file in weights), default=0)
    return _open((str(path), written, LATEST), name)


@st.cache_resource(max_entries=2, show_spinner="Opening the run…")
def _open(key: RunKey, name: str) -> OpenRun:
    recommender = Recommender.load(key[0])
    facets = read_facets(recommender.catalog, recommender.semantic_ids, recommender.interactions)
    users = index_users(recommender.catalog, recommender.interactions)
    recommender.recommend([recommender.interactions.sequence(0)], recommender.decode)
    gc.collect()
    gc.freeze()  # what is loaded stays: without this every click pays for searching it for garbage
    return OpenRun(key, name, recommender, facets, users)


def with_weights(run: OpenRun, weights: str) -> OpenRun:
    """The run with a stage's weights; all but the network is shared. InputError when that stage left none."""
    return run if weights == run.weights else _with_weights((*run.key[:2], weights), run)


@st.cache_resource(max_entries=2, show_spinner="Opening the weights…")
def _with_weights(key: RunKey, _run: OpenRun) -> OpenRun:
    return replace(_run, key=key, recommender=_run.recommender.with_weights(key[2]))


def chosen_weights(run: OpenRun) -> str:
    """The stage whose weights the URL asks for, the latest where it asks for none."""
    chosen = st.query_params.get("weights", LATEST)
    return run.weights if chosen == LATEST else chosen


def choose_weights(weights: str) -> None:
    """Look at the search of another stage's weights, along the same path."""
    st.query_params["weights"] = weights


def trace_stores(name: str) -> dict[str, Path]:
    """The finished stored searches of a run by name, those of the most users first."""
    sizes = {}
    for file in sorted((run_path(name) / "traces").glob("*/store.json")):
        description = json.loads(file.read_text(encoding="utf-8"))
        if description.get("complete") is not False:
            sizes[file.parent] = int(description.get("users", 0))
    return {path.name: path for path in sorted(sizes, key=lambda path: (-sizes[path], path.name))}


def open_trace_store(path: Path) -> TraceStore:
    """A stored search, kept open until it is written anew."""
    return _open_trace_store(str(path), _written(path))


@st.cache_resource(max_entries=4, show_spinner="Opening the stored search…")
def _open_trace_store(path: str, written: int) -> TraceStore:
    return open_store(Path(path))


def _written(store: Path) -> int:
    return (store / "store.json").stat().st_mtime_ns


def ask(question: Callable[..., Answer], store: TraceStore, cohort: Cohort, *settings: str) -> Answer:
    """The answer of a stored search to a question about a cohort; kept, so that clicking around asks nothing anew."""
    return _ask(question.__name__, str(store.path), _written(store.path), cohort.to_text(), settings, question, store)


def ask_both(first: TraceStore, second: TraceStore, cohort: Cohort) -> StoreComparison:
    """What a second stored search does otherwise for a cohort; kept like other answers."""

    def compare(store: TraceStore, cohort: Cohort, *_: str) -> StoreComparison:
        return compare_stores(store, second, cohort)

    return ask(compare, first, cohort, str(second.path), str(_written(second.path)))


@st.cache_resource(max_entries=256, show_spinner=False)
def _ask(
    name: str, path: str, written: int, cohort: str, settings: tuple[str, ...], _question: Callable, _store: TraceStore
) -> object:
    return _question(_store, read_cohort(cohort), *settings)


def choose_cohort(text: str) -> None:
    """Look at other users; only from a callback, before the field that holds the cohort is drawn."""
    st.session_state["cohort"] = text
    st.query_params.pop("marked", None)


def marked_cohort() -> Cohort | None:
    """The users behind the mark that was clicked in a chart, as the URL says; InputError when it makes no sense."""
    text = st.query_params.get("marked")
    return read_cohort(text) if text else None


def mark(text: str) -> None:
    """Mark a cell, a point or a number of a chart by the cohort it stands for; marked again, it is let go."""
    if text and st.query_params.get("marked") != text:
        st.query_params["marked"] = text
    else:
        st.query_params.pop("marked", None)


def choices(names: Sequence[str]) -> dict[str, str]:
    """What the page's controls of these names say, defaults spelt out; those that it does not show are left out."""
    return {name: str(st.session_state[name]) for name in names if st.session_state.get(name)}


@dataclass(frozen=True)
class Searched:
    """One search, and its nodes described; shared, so nobody changes it."""

    trace: ReasoningTrace
    nodes: pd.DataFrame
    sources: tuple[tuple[TransitionSource, ...], ...]
    """For every recommended item, the history items after which other shoppers bought it."""


def search(run: OpenRun, user: int, at: str, decode: DecodeConfig, edits: tuple[Edit, ...] = ()) -> Searched:
    """The search for a user's history, edited or not; kept, so that clicking around in it costs little."""
    return _search(run.key, user, at, decode, format_edits(edits), run)


@st.cache_resource(max_entries=256, show_spinner=False)
def _search(key: RunKey, user: int, at: str, decode: DecodeConfig, edits: str, _run: OpenRun) -> Searched:
    history = _run.recommender.history(user, at)
    if len(history) == 0:
        key = _run.recommender.interactions.user_keys[user]
        raise InputError(
            f"user {key} bought nothing before what is to be predicted; predict now, or look at another user"
        )
    asked = ask_edited(_run.recommender.question(history, decode), parse_edits(edits))
    trace, seen = asked.trace(), asked.history[asked.history > 0]
    sources = tuple(_run.recommender.transition_sources(seen, int(item)) for item in trace.items)
    return Searched(trace, describe_nodes(trace, _run.facets), sources)


def influence(run: OpenRun, user: int, at: str, decode: DecodeConfig, edits: tuple[Edit, ...]) -> Attribution:
    """What each purchase adds to each recommended item of `search` with the same arguments; kept like it."""
    return _influence(run.key, user, at, decode, format_edits(edits), run)


@st.cache_resource(max_entries=256, show_spinner=False)
def _influence(key: RunKey, user: int, at: str, decode: DecodeConfig, edits: str, _run: OpenRun) -> Attribution:
    history = _run.recommender.history(user, at)
    question = ask_edited(_run.recommender.question(history, decode), parse_edits(edits))
    return attribute(question, _search(key, user, at, decode, edits, _run).trace)


def chosen_edits() -> tuple[Edit, ...]:
    """What the URL changes in the history; InputError when it says something else."""
    return parse_edits(st.query_params.get("edit", ""))


def leave_out(place: int) -> None:
    """Go on without the purchase at a place of the history as it is shown, the oldest is 1."""
    st.query_params["edit"] = format_edits((*chosen_edits(), Edit("remove", place, 0)))
    st.query_params.pop("path", None)


def restore_history() -> None:
    """Back to what the user really bought."""
    st.query_params.pop("edit", None)
    st.query_params.pop("path", None)


def is_edited() -> bool:
    """Whether the URL asks for another history, sensible or not."""
    return bool(st.query_params.get("edit"))


@st.cache_resource(max_entries=8, show_spinner="Looking for a user worth showing…")
def _first_user(key: RunKey, _run: OpenRun) -> int:
    """The first user whose search has everything to see; the best of those looked at where none has."""
    recommender = _run.recommender
    lengths = recommender.interactions.test_positions
    users = np.flatnonzero((lengths >= 4) & (lengths <= 12))
    users = users if len(users) else np.flatnonzero(lengths > 0)
    best, best_score = 0, -np.inf
    for block in np.split(users[: FIRST_LOOK_BLOCKS * BLOCK], range(BLOCK, FIRST_LOOK_BLOCKS * BLOCK, BLOCK)):
        if len(block) == 0:
            break
        traces = recommender.recommend([recommender.history(int(user)) for user in block], recommender.decode)
        for user, trace in zip(block.tolist(), traces, strict=True):
            target = recommender.target(user)
            if is_telling(trace, target):
                return user
            if telling_score(trace, target) > best_score:
                best, best_score = user, telling_score(trace, target)
    return best


def chosen_user_key(run: OpenRun) -> str:
    """The user that the URL names, or one worth showing."""
    key = st.query_params.get("user")
    return key if key is not None else run.recommender.interactions.user_keys[_first_user(run.key, run)]


def choose_user(key: str) -> None:
    """Look at another user, from the path of their first recommendation."""
    st.query_params["user"] = key
    restore_history()


def chosen_path() -> str:
    """The path that the URL names, "" for the first recommendation's."""
    return st.query_params.get("path", "")


def follow(path: str) -> None:
    """Look along another path, at the step that is chosen anyway."""
    if path:
        st.query_params["path"] = path
    else:
        st.query_params.pop("path", None)


def choose_node(path: str) -> None:
    """Follow the path through a node and look at the node's step; only from a callback."""
    follow(path)
    set_step(path_length(path))


def set_step(step: int) -> None:
    """Move the scrubber; only from a callback, before the slider is drawn."""
    st.session_state["step"] = step


def codebook_report(run: OpenRun) -> CodebookReport:
    """What the codes of a run say about its experts; the same whatever weights search."""
    return _codebook_report(run.key[:2], run)


@st.cache_resource(max_entries=4, show_spinner="Reading the codebooks…")
def _codebook_report(key: tuple[str, int], _run: OpenRun) -> CodebookReport:
    return read_codebooks(_run.recommender.run)


def code_cards(run: OpenRun, codebook: int) -> tuple[CodeCard, ...]:
    """What every code of a facet stands for, in the order of the codes."""
    return _code_cards(run.key[:2], codebook, run)


@st.cache_resource(max_entries=64, show_spinner="Reading the codes…")
def _code_cards(key: tuple[str, int], codebook: int, _run: OpenRun) -> tuple[CodeCard, ...]:
    return tuple(code_card(_run.facets, codebook, code) for code in range(_run.facets.ids.codebook_size))


def choose_code(code: int) -> None:
    """Look at another code of the facet."""
    st.query_params["code"] = str(code)


def leave_code() -> None:
    """A code belongs to its facet: another facet starts at its largest."""
    st.query_params.pop("code", None)


def has_maps(run: OpenRun) -> bool:
    """Whether UMAP has been computed for the run, in this session or before."""
    return _maps_name(run) in st.session_state or has_umap_maps(run.recommender.run)


def maps(run: OpenRun) -> CodebookMaps:
    """The maps by UMAP where they have been computed, by PCA otherwise."""
    name = _maps_name(run)
    return st.session_state[name] if name in st.session_state else _maps(run.key[:2], has_maps(run), run)


@st.cache_resource(max_entries=4, show_spinner=False)
def _maps(key: tuple[str, int], computed: bool, _run: OpenRun) -> CodebookMaps:
    run = _run.recommender.run
    return umap_maps(run, progress=lambda share, text: None) if computed else principal_maps(run)


def compute_maps(run: OpenRun) -> None:
    """Compute UMAP, with a bar of its progress; kept for the session even where it cannot be kept beside the run."""
    bar = st.progress(0.0, "starting UMAP")
    st.session_state[_maps_name(run)] = umap_maps(run.recommender.run, progress=bar.progress)
    bar.empty()


def _maps_name(run: OpenRun) -> str:
    return f"maps of {run.key[:2]}"


def ground() -> Ground:
    """Whether the page is drawn on a light or a dark ground."""
    return "dark" if st.context.theme.type == "dark" else "light"


def decode_settings(run: OpenRun, *, theta: float, corp: bool, beam: int) -> DecodeConfig:
    """The run's decoding with the page's choices; InputError for values that no search accepts."""
    return replace(run.recommender.decode, theta=float(theta) if corp else float("inf"), beam_width=int(beam))
