"""Changing the history by hand: leaving out, replacing, moving and adding, and what that changed."""

from collections.abc import Callable

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.markup import table
from app.components.search_table import search_table
from app.view_models.history import Changes
from reg4rec_core import Edit

KEY = "leave_out"
EDITOR = "history_editor"
TABLE_HEIGHT = 420
WAYS = ("replace a purchase", "add one", "move one")


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


def history_editor(
    names: list[str], *, first: int, find: Callable[[str], pd.DataFrame], on_edit: Callable[[Edit], None]
) -> None:
    """A button that opens the other ways to change the history.

    `first` is the place of the first purchase shown; `find` answers a query with items of the catalogue.
    """
    editor = st.popover("Change the history", icon=":material/edit_note:", key=EDITOR, on_change="rerun")
    if not editor.open:
        return
    with editor:
        way = st.segmented_control("What to do", WAYS, default=WAYS[0], required=True, key="edit_way")
        place = first
        if way != "add one":
            place = first + st.selectbox(
                "Which purchase", range(len(names)), format_func=lambda row: names[row], key="edit_place"
            )
        if way == "move one":
            _move_buttons(place, first, first + len(names) - 1, on_edit)
        else:
            _item_search(find, on_edit, place=0 if way == "add one" else place)


def _move_buttons(place: int, first: int, last: int, on_edit: Callable[[Edit], None]) -> None:
    """One place back or forth; the choice moves along."""

    def move(by: int) -> None:
        st.session_state["edit_place"] = place - first + by
        on_edit(Edit("move", place, place + by))

    with st.container(horizontal=True):
        st.button("Earlier", key="earlier", on_click=move, args=(-1,), disabled=place <= first)
        st.button("Later", key="later", on_click=move, args=(1,), disabled=place >= last)


def _item_search(find: Callable[[str], pd.DataFrame], on_edit: Callable[[Edit], None], *, place: int) -> None:
    """Choose an item for a place, or for the end where the place is 0."""

    def pick(row: dict) -> None:
        item = int(row["item"])
        on_edit(Edit("replace", place, item) if place else Edit("append", 0, item))
        st.session_state[EDITOR] = False

    def says(rows: pd.DataFrame, query: str) -> str:
        if rows.empty:
            return "No item matches. Try fewer or other words of its title or brand."
        found = f" for “{query}”" if query else ", the most bought"
        return f"{len(rows)} items{found}; tick a row to {'put it in its place' if place else 'add it as the newest'}."

    search_table(
        "Find an item by words of its title or brand",
        key="item",
        find=find,
        says=says,
        columns={
            "title": st.column_config.TextColumn("title", width=330),
            "brand": st.column_config.TextColumn("brand", width=110),
            "category": st.column_config.TextColumn("category", width=160),
        },
        on_pick=pick,
        placeholder="for example: nail polish",
    )


def smallest_control() -> bool:
    """Whether to look for the fewest purchases that the followed item rests on."""
    return st.toggle(
        "smallest edit that removes the followed item",
        key="smallest",
        bind="query-params",
        help="Searches again without every single purchase, every pair, and growing sets, until the item is gone. "
        "The first time this takes some seconds.",
    )


def smallest_edit(text: str, label: str, *, on_apply: Callable[[], None]) -> None:
    """What the smallest edit is, and a button that makes it; no button where the label is empty."""
    said, button = st.columns([7, 1.6], vertical_alignment="center")
    said.info(text, icon=":material/content_cut:")
    if label:
        button.button(label, key="apply_smallest", on_click=on_apply)


def banner(
    text: str,
    *,
    key: str,
    icon: str,
    back: str,
    on_back: Callable[[], None],
    on_undo: Callable[[], None] | None = None,
    about: str | None = None,
) -> None:
    """That this is not the plain search, the way back to it, and one step back where there were several."""
    said, undo, restore = st.columns([6, 1.3, 1.7], vertical_alignment="center", gap="small")
    said.warning(text, icon=icon)
    if on_undo is not None:
        undo.button("Undo the last", key=f"{key}_undo", on_click=on_undo, icon=":material/undo:")
    with restore:
        back_button(back, key=key, on_back=on_back, about=about)


def back_button(label: str, *, key: str, on_back: Callable[[], None], about: str | None = None) -> None:
    st.button(label, key=key, on_click=on_back, icon=":material/settings_backup_restore:", help=about)


def changes_beside(changes: Changes) -> DeltaGenerator:
    """What was changed in the list, at the right; returns the place for the list itself."""
    left, right = st.columns([7, 3], gap="medium")
    with right:
        st.caption(changes.summary)
        st.html(table(changes.rows, numbers=["before", "after"], height=TABLE_HEIGHT))
    return left
