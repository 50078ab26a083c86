"""Steering the search by hand: by the chosen code, by a category or brand, from a branch that was dropped."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.components.search_table import search_table

KEY = "steer_picker"


def code_controls(
    *, code: str, can_go_on: bool, on_steer: Callable[[str, str], None], on_go_on: Callable[[], None]
) -> None:
    """What can be asked about the chosen node; `code` is its "codebook.code", "" at the start."""
    st.button(
        "Only paths with this code",
        key="only_code",
        on_click=on_steer,
        args=("fix", code),
        disabled=not code,
        icon=":material/filter_alt:",
        help="Search again among the items that carry the code chosen here.",
    )
    st.button(
        "Without this code",
        key="without_code",
        on_click=on_steer,
        args=("forbid", code),
        disabled=not code,
        icon=":material/filter_alt_off:",
        help="Search again among the items that do not carry the code chosen here.",
    )
    st.button(
        "Go on from this branch",
        key="go_on",
        on_click=on_go_on,
        disabled=not can_go_on,
        icon=":material/restore:",
        help="For a pruned or out-scored node: search on as if it had been kept. All paths then begin with its codes.",
    )


def group_picker(*, find: Callable[[str], pd.DataFrame], on_steer: Callable[[str, str], None]) -> None:
    """A button that opens a search for categories and brands; `find` gives rows (kind, name, called, items)."""
    picker = st.popover("Steer by category or brand", icon=":material/tune:", key=KEY, on_change="rerun")
    if not picker.open:
        return

    def pick(row: dict) -> None:
        verb = "forbid" if st.session_state.get("steer_how") == "without it" else "require"
        on_steer(f"{verb}_{row['kind']}", str(row["name"]))
        st.session_state[KEY] = False

    with picker:
        st.segmented_control("Recommend", ["only it", "without it"], default="only it", required=True, key="steer_how")
        search_table(
            "Find a category or brand",
            key="steer",
            find=find,
            says=_says,
            columns={
                "kind": st.column_config.TextColumn("kind", width=90),
                "called": st.column_config.TextColumn("name", width=430),
                "items": st.column_config.NumberColumn("items", width=80),
            },
            on_pick=pick,
            placeholder="for example: nail, or a brand",
        )


def _says(rows: pd.DataFrame, query: str) -> str:
    if rows.empty:
        return "No category or brand matches. Try fewer or other letters."
    found = f" for “{query}”" if query else ""
    return f"{len(rows)} categories and brands{found}, the largest first; tick a row to steer by it."
