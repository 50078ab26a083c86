"""The sampled paths that a page weighs: those stored with a run, and fresh ones of one user."""

import streamlit as st

from app.session.open_runs import OpenRun, RunKey, with_weights
from reg4rec_core import InputError, PostTrainConfig, Rollouts, sample_rollouts_at


def stored_rollouts(run: OpenRun) -> Rollouts:
    """What post-training left with the run; InputError where the run was not post-trained."""
    return _stored(run.key[:2], run)


@st.cache_resource(max_entries=4, show_spinner=False)
def _stored(key: tuple[str, int], _run: OpenRun) -> Rollouts:
    return _run.recommender.run.rollouts()


def has_stored_rollouts(run: OpenRun) -> bool:
    return (run.recommender.run.path / "rollouts.safetensors").exists()


def fresh_rollouts(run: OpenRun, user: int, position: int, config: PostTrainConfig, draw: int) -> Rollouts:
    """Paths of one user, sampled with the weights of `run`; kept, so that moving reward weights samples nothing."""
    return _fresh(run.key, user, position, config, draw, run)


@st.cache_resource(max_entries=64, show_spinner="Sampling paths…")
def _fresh(key: RunKey, user: int, position: int, config: PostTrainConfig, draw: int, _run: OpenRun) -> Rollouts:
    reference = with_weights(_run, "pretrained").recommender
    return sample_rollouts_at(_run.recommender, reference, user, position, config, seed=draw)


def chosen_group(count: int, default: int) -> int:
    """Which of the stored histories the URL names, from 1; InputError when there is none of that number."""
    text = st.query_params.get("group", str(default + 1))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= count):
        raise InputError(f"group must be a number from 1 to {count}, the stored histories, got {text!r}")
    return int(text) - 1


def choose_group(place: int) -> None:
    """Look at another stored history; only from a callback."""
    st.query_params["group"] = str(place + 1)
