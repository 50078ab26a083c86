"""Every result that theta can give one user, and which theta is looked at."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import streamlit as st

from app.session.open_runs import OpenRun, RunKey
from app.view_models.theta_tree import HIGHEST_THETA, list_drawing, union_drawing, union_tree
from reg4rec_core import (
    DecodeConfig,
    Fate,
    InputError,
    ReasoningTrace,
    ThetaChange,
    ThetaInterval,
    ThetaProfile,
    profile_theta,
    theta_changes,
)


@dataclass(frozen=True)
class Profiled:
    """All searches of one user over theta, beside that of the run's own setting; shared, so nobody changes it."""

    own: ReasoningTrace
    profile: ThetaProfile
    drawing: dict[str, Any]
    """What the component draws, without colours."""

    @cached_property
    def changes(self) -> tuple[ThetaChange, ...]:
        """What changes at every breakpoint."""
        return theta_changes(self.profile)


def profiled(run: OpenRun, user: int, at: str, check_from: int) -> Profiled:
    """The profile of a user's history; kept, so that a drag asks for nothing anew. InputError for no history."""
    return _profiled(run.key, user, at, check_from, run)


@st.cache_resource(max_entries=16, show_spinner="Searching under every θ…")
def _profiled(key: RunKey, user: int, at: str, check_from: int, _run: OpenRun) -> Profiled:
    decode = compared_from(_run.recommender.decode, check_from)
    return _drawn(_run, user, at, profile_theta(_question(_run, user, at, decode), *_RANGE))


def searched_by_step(run: OpenRun, user: int, at: str, decode: DecodeConfig) -> Profiled:
    """The same of one search that has a threshold for every step: whatever theta is, it is the result."""
    return _searched_by_step(run.key, user, at, decode, run)


@st.cache_resource(max_entries=16, show_spinner="Searching…")
def _searched_by_step(key: RunKey, user: int, at: str, decode: DecodeConfig, _run: OpenRun) -> Profiled:
    trace = _question(_run, user, at, decode).trace()
    pruned = int((trace.fate == Fate.PRUNED).sum())
    whole = ThetaInterval(*_RANGE, trace.items, trace.item_scores, trace.n_nodes, pruned, build=lambda: trace)
    return _drawn(_run, user, at, ThetaProfile((whole,), searches=1, beams=0))


def _question(run: OpenRun, user: int, at: str, decode: DecodeConfig):
    recommender = run.recommender
    history = recommender.history(user, at)
    if len(history) == 0:
        name = recommender.interactions.user_keys[user]
        raise InputError(
            f"user {name} bought nothing before what is to be predicted; predict now, or look at another user"
        )
    return recommender.question(history, decode)


def _drawn(run: OpenRun, user: int, at: str, profile: ThetaProfile) -> Profiled:
    """A profile beside the search of the run's own setting, with what the component draws."""
    own = _question(run, user, at, run.recommender.decode).trace()
    union = union_tree(interval.trace for interval in profile.intervals)
    lows = [interval.low for interval in profile.intervals]
    lists = list_drawing(union, profile, own.items, run.facets)
    return Profiled(own, profile, union_drawing(union, profile, run.facets) | lists | {"lows": lows})


_RANGE = (0.0, float(np.nextafter(HIGHEST_THETA, 1)))
"""A range ends before its end, and the slider at it."""


def compared_from(decode: DecodeConfig, check_from: int) -> DecodeConfig:
    """The run's decoding with one theta for all steps, compared from another step on."""
    return replace(decode, check_from=check_from, thetas=())


def chosen_theta() -> str:
    """The theta that the URL names, "" for the run's own."""
    return st.query_params.get("theta", "")


def choose_theta(theta: str) -> None:
    """Look at another theta."""
    st.query_params["theta"] = theta


def choose_check_from(step: int) -> None:
    """Compare from another step on; only from a callback, before the control is drawn."""
    st.session_state["from"] = step
