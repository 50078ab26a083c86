"""Which user, path and step are looked at."""

import numpy as np
import streamlit as st

from app.session.by_hand import back_to_root, restore_history
from app.session.open_runs import OpenRun, RunKey
from app.session.replaced import taken_instead
from app.view_models.reasoning import is_telling, telling_score
from app.view_models.tree import path_length

FIRST_LOOK_BLOCKS = 8
"""Blocks of users searched at most for one worth showing to a newcomer."""
BLOCK = 8
MOST_DIGITS = 4
"""Of a step in the URL."""


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


def first_user(run: OpenRun) -> int:
    """A user worth showing to a newcomer, the same on every visit."""
    return _first_user(run.key, run)


def chosen_user_key(run: OpenRun) -> str:
    """The user that the URL names, or one worth showing."""
    key = st.query_params.get("user")
    return key if key is not None else run.recommender.interactions.user_keys[first_user(run)]


def choose_user(key: str) -> None:
    """Look at another user, from the root and the path of their first recommendation; steering stays."""
    st.query_params["user"] = key
    back_to_root()
    restore_history()


def chosen_path() -> str:
    """The path that the URL names, "" for the first recommendation's."""
    return st.query_params.get("path", "")


def chosen_step(last: int, *, default: int) -> int:
    """The step that the URL names, `default` where it names none of the `last` steps."""
    said = st.query_params.get("step", "")
    step = int(said) if said.isdecimal() and len(said) < MOST_DIGITS else -1
    if 0 <= step <= last:
        return step
    if said:
        taken_instead("step", str(min(default, last)))
    return min(default, last)


def chosen() -> tuple[str, str]:
    """The followed path and the chosen step as the URL names them."""
    return chosen_path(), st.query_params.get("step", "")


def follow(path: str) -> None:
    """Look along another path, at the step that is chosen anyway."""
    if path:
        st.query_params["path"] = path
    else:
        st.query_params.pop("path", None)


def move(path: str, step: int) -> None:
    """Follow a path up to a step."""
    follow(path)
    st.query_params["step"] = str(step)


def choose_node(path: str) -> None:
    """Follow the path through a node, where a slider holds the step; only from a callback."""
    follow(path)
    set_step(path_length(path))


def set_step(step: int) -> None:
    """Move the scrubber; only from a callback, before the slider is drawn."""
    st.session_state["step"] = step
