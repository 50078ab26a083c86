"""Finding a user: by id, or by what they bought."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.components.search_table import search_table

KEY = "user_picker"


def user_picker(label: str, *, find: Callable[[str], pd.DataFrame], total: int, on_pick: Callable[[str], None]) -> None:
    """A button that opens the search; `find` answers a query with rows (user, purchases, bought)."""

    def says(rows: pd.DataFrame, query: str) -> str:
        if rows.empty:
            return "Nobody matches. Try an id, or fewer or other words of a title."
        shown = f"{len(rows)} of {total:,} users" if len(rows) < total else f"all {total:,} users"
        found = f" for “{query}”" if query else ""
        return f"{shown}{found}; tick a row to look at that user."

    def pick(row: dict) -> None:
        on_pick(str(row["user"]))
        st.session_state[KEY] = False

    picker = st.popover(label, icon=":material/person_search:", key=KEY, on_change="rerun", width="stretch")
    if picker.open:
        with picker:
            search_table(
                "Find a user by id, or by words of a title they bought",
                key="user",
                find=find,
                says=says,
                columns={
                    "user": st.column_config.TextColumn("user", width=90),
                    "purchases": st.column_config.NumberColumn("purchases", width=90),
                    "bought": st.column_config.TextColumn("bought among others", width=420),
                },
                on_pick=pick,
                placeholder="for example: 42, or nail polish",
            )
