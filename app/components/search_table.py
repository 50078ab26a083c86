"""Searching a long list: a field that answers while one types, over a table of at most some hundred rows."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

HEIGHT = 320
TYPING_PAUSE = "120ms"
"""After so long without a key a search begins."""


@st.fragment
def search_table(
    label: str,
    *,
    key: str,
    find: Callable[[str], pd.DataFrame],
    says: Callable[[pd.DataFrame, str], str],
    columns: dict[str, Any],
    on_pick: Callable[[dict[str, Any]], None],
    placeholder: str = "",
) -> None:
    """`find` answers a query with rows, `says` puts them into words; `on_pick` gets the row that was ticked.

    Only a column named in `columns` is shown.
    """
    query = st.text_input(label, key=f"{key}_query", type="search", live=TYPING_PAUSE, placeholder=placeholder)
    rows = find(query)
    st.caption(says(rows, query))
    if rows.empty:
        return

    def picked() -> None:
        chosen = st.session_state[f"{key}_rows"].selection.rows
        if chosen and chosen[0] < len(rows):
            on_pick(rows.iloc[chosen[0]].to_dict())
            st.rerun()

    st.dataframe(
        rows,
        key=f"{key}_rows",
        on_select=picked,
        selection_mode="single-row",
        hide_index=True,
        height=HEIGHT,
        width=640,
        column_config={name: columns.get(name) for name in rows},
    )
