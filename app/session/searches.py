"""The searches of one user, on the real history or an edited one."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from app.session.open_runs import OpenRun, RunKey
from app.view_models.tree import describe_nodes
from reg4rec_core import (
    Attribution,
    DecodeConfig,
    Edit,
    InputError,
    ReasoningTrace,
    TransitionSource,
    ask_edited,
    attribute,
    format_edits,
    parse_edits,
)


@dataclass(frozen=True)
class Searched:
    """One search, and its nodes described; shared, so nobody changes it."""

    trace: ReasoningTrace
    nodes: pd.DataFrame
    history: np.ndarray
    """Items the model saw, oldest first, edits included."""
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
    return Searched(trace, describe_nodes(trace, _run.facets), seen, sources)


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


def decode_settings(run: OpenRun, *, theta: float, corp: bool, beam: int) -> DecodeConfig:
    """The run's decoding with the page's choices; InputError for values that no search accepts."""
    return replace(run.recommender.decode, theta=float(theta) if corp else float("inf"), beam_width=int(beam))
