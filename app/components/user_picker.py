"""Finding a user: by id, or by what they bought."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

KEY = "user_picker"
_TABLE = "found_users"


def user_picker(label: str, *, find: Callable[[str], pd.DataFrame], total: int, on_pick: Callable[[str], None]) -> None:
    """A button that opens the search; `find` answers a query with rows (user, purchases, bought)."""
    picker = st.popover(label, icon=":material/person_search:", key=KEY, on_change="rerun", width="stretch")
    if picker.open:
        with picker:
            _search(find, total, on_pick)


@st.fragment
def _search(find: Callable[[str], pd.DataFrame], total: int, on_pick: Callable[[str], None]) -> None:
    query = st.text_input(
        "Find a user by id, or by words of a title they bought",
        key="user_query",
        type="search",
        live="200ms",
        placeholder="for example: 42, or nail polish",
    )
    rows = find(query)
    if rows.empty:
        st.caption("Nobody matches. Try an id, or fewer or other words of a title.")
        return
    shown = f"{len(rows)} of {total:,} users" if len(rows) < total else f"all {total:,} users"
    found = f" for “{query}”" if query else ""
    st.caption(f"{shown}{found}; tick a row to look at that user.")
    st.dataframe(
        rows,
        key=_TABLE,
        on_select=lambda: _picked(rows, on_pick),
        selection_mode="single-row",
        hide_index=True,
        height=320,
        width=640,
        column_config={
            "user": st.column_config.TextColumn("user", width=90),
            "purchases": st.column_config.NumberColumn("purchases", width=90),
            "bought": st.column_config.TextColumn("bought among others", width=420),
        },
    )


def _picked(rows: pd.DataFrame, on_pick: Callable[[str], None]) -> None:
    chosen = st.session_state[_TABLE].selection.rows
    if chosen and chosen[0] < len(rows):
        on_pick(str(rows["user"].iloc[chosen[0]]))
        st.session_state[KEY] = False
        st.rerun()
