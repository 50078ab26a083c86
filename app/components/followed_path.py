"""Which path of a search is followed, and how far: all that draw the search know it, and the page keeps it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.components.scripts import script

SCRIPT = script("listening.js", "followed_path.js")
TURNS = "moves that the page knows of"

_followed = st.components.v2.component("reg4rec.followed_path", html="", js=SCRIPT)


def followed_path(followed: dict[str, Any], *, tree: str, on_move: Callable[[str, int], None]) -> None:
    """Tell the browser what is followed of the search whose tree has the key `tree`.

    A click or a step is followed in the browser at once; `on_move` gets the path key and the step, and what the page
    says after it confirms it. Moves are counted, so that an answer to an earlier one leads nobody back.
    """
    key = f"followed_{tree}"
    turns = st.session_state.setdefault(TURNS, {})

    def moved() -> None:
        move = st.session_state[key].moved
        if not isinstance(move, dict) or not _is_move(**move) or move["turn"] <= turns.get(tree, 0):
            return
        turns[tree] = move["turn"]
        on_move(move["path"], move["step"])

    _followed(key=key, data=followed | {"key": tree, "turn": turns.get(tree, 0)}, on_moved_change=moved)


def _is_move(path: object = None, step: object = None, turn: object = None, **others: object) -> bool:
    """Whether a browser sent what ours sends."""
    numbers = all(isinstance(number, int) and 0 <= number < 2**31 for number in (step, turn))
    return isinstance(path, str) and numbers and not others
