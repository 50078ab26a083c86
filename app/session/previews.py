"""The previews of this application, and what they changed: one queue for all visitors, ended with the application."""

from pathlib import Path

import streamlit as st

from app.session.open_runs import CHECKPOINTS, OpenRun, with_weights
from app.view_models.previews import chosen_number, gone_words
from reg4rec_core import (
    PostTrainConfig,
    PreviewPlan,
    Previews,
    PreviewState,
    ReasoningTrace,
    Recommender,
    RewardWeights,
    WeightsEffect,
    weights_effect,
)

GONE = "what became of the preview that was thrown away last"
FOLDER = ".previews"
"""Under the checkpoints; its runs are none that a link may name."""
SAMPLE = 2000
"""Validation users that before and after are compared on."""


def all_previews() -> Previews:
    """The queue; what applications that no longer live have left is deleted when it is first asked for."""
    return _previews(str((CHECKPOINTS / FOLDER).resolve()))


@st.cache_resource(show_spinner=False)
def _previews(folder: str) -> Previews:
    return Previews(Path(folder))


def previews_of(run: OpenRun) -> list[PreviewState]:
    """The previews that start from this run, oldest first."""
    queue, source = all_previews(), run.recommender.run.path.resolve()
    states = [queue.state(number) for number in queue.numbers()]
    return [state for state in states if state.plan.source == source]


def chosen_preview(states: list[PreviewState]) -> PreviewState | None:
    """The preview of the run that the URL names, the newest where it names none; InputError for one that is gone."""
    known = [state.number for state in states]
    elsewhere = [number for number in all_previews().numbers() if number not in known]
    number = chosen_number(st.query_params.get("preview", ""), known, elsewhere)
    return next((state for state in states if state.number == number), None)


def start(run: OpenRun, weights: RewardWeights, config: PostTrainConfig) -> None:
    """Put a preview in the queue and look at it; InputError when there are too many."""
    look_at(all_previews().start(PreviewPlan(run.recommender.run.path.resolve(), weights, config)))
    st.session_state.pop(GONE, None)


def look_at(number: str) -> None:
    st.query_params["preview"] = number


def discard(number: str) -> None:
    """Stop a preview or throw it away; only from a callback."""
    st.session_state[GONE] = gone_words(all_previews().state(number))
    all_previews().cancel(number)
    st.query_params.pop("preview", None)


def thrown_away() -> str:
    """What became of the preview that this visitor threw away last; "" where none was, or another has begun since."""
    return st.session_state.get(GONE, "")


def keep(number: str, name: str) -> None:
    """Make a finished preview a run; InputError for a name that is taken or is none."""
    all_previews().keep(number, name, CHECKPOINTS)


def effect(run: OpenRun, state: PreviewState) -> WeightsEffect:
    """What the preview changes for a seeded sample of users; kept while the application lives."""
    return _effect(identity(state), run, state)


@st.cache_resource(max_entries=16, show_spinner="Ranking the sampled users before and after…")
def _effect(key: tuple[str, ...], _run: OpenRun, _state: PreviewState) -> WeightsEffect:
    before = with_weights(_run, "pretrained").recommender
    return weights_effect(before, _after(key, _state), before.decode, users=SAMPLE)


def searches(run: OpenRun, state: PreviewState, user: int) -> tuple[ReasoningTrace, ReasoningTrace]:
    """One user's search for their last purchase, before and after the preview's steps."""
    return _searches(identity(state), user, run, state)


@st.cache_resource(max_entries=64, show_spinner="Searching before and after…")
def _searches(
    key: tuple[str, ...], user: int, _run: OpenRun, _state: PreviewState
) -> tuple[ReasoningTrace, ReasoningTrace]:
    both = with_weights(_run, "pretrained").recommender, _after(key, _state)
    history = both[0].history(user)
    first, second = (one.recommend([history], both[0].decode)[0] for one in both)
    return first, second


@st.cache_resource(max_entries=2, show_spinner="Opening the preview…")
def _after(key: tuple[str, ...], _state: PreviewState) -> Recommender:
    return Recommender.load(_state.path, weights="post_trained")


def identity(state: PreviewState) -> tuple[str, ...]:
    """Tells previews apart; numbers begin anew with every queue."""
    return str(all_previews().folder), str(state.plan.source), state.number
