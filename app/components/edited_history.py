"""Leaving purchases out, the way back, and what it changed."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.markup import table
from app.view_models.history import Changes

KEY = "leave_out"
TABLE_HEIGHT = 420


def leave_out_control(names: list[str], *, on_leave_out: Callable[[int], None]) -> None:
    """Choose a purchase, and the search is run without it; `on_leave_out` gets its place, the oldest is 1."""

    def chosen() -> None:
        place = st.session_state[KEY]
        st.session_state[KEY] = None
        if place is not None:
            on_leave_out(place)

    st.selectbox(
        "Leave a purchase out and search again",
        list(range(1, len(names) + 1)),
        index=None,
        format_func=lambda place: names[place - 1],
        key=KEY,
        on_change=chosen,
        disabled=len(names) < 2,
        placeholder="Leave a purchase out and search again…" if len(names) > 1 else "The only purchase has to stay",
        label_visibility="collapsed",
        width=460,
    )


def banner(text: str, *, on_restore: Callable[[], None]) -> None:
    """That this is not the real history, and the way back to it."""
    with st.container(horizontal=True, vertical_alignment="center", key="edited"):
        st.warning(text, icon=":material/edit:", width="stretch")
        restore_button(on_restore)


def restore_button(on_restore: Callable[[], None]) -> None:
    st.button("Restore the history", key="restore", on_click=on_restore, icon=":material/undo:")


def changes_beside(changes: Changes) -> DeltaGenerator:
    """What the edit changed in the list, at the right; returns the place for the list itself."""
    left, right = st.columns([7, 3], gap="medium")
    with right:
        st.caption(changes.summary)
        st.html(table(changes.rows, numbers=["before", "after"], height=TABLE_HEIGHT))
    return left
