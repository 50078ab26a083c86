"""All codes of a facet with a search, and the card of the chosen one beside them."""

from collections.abc import Callable
from html import escape

import pandas as pd
import streamlit as st

from app.components.search_table import TYPING_PAUSE
from reg4rec_core import CodeCard

KEY = "codes"
HEIGHT = 400


@st.fragment
def code_search(find: Callable[[str], pd.DataFrame], *, total: int, on_choose: Callable[[int], None]) -> None:
    """The codes that match what is typed; `on_choose` gets the code of a ticked row."""
    query = st.text_input(
        "Find a code by number, name, word, brand or category",
        key="find",
        type="search",
        live=TYPING_PAUSE,
        bind="query-params",
        placeholder="for example: 117, or nail polish",
    )
    rows = find(query)
    if rows.empty:
        st.caption("No code matches. Try fewer or other words.")
        return
    st.caption(f"{len(rows):,} of {total:,} codes, the largest first; tick a row to see its card.")

    def ticked() -> None:
        chosen = st.session_state[KEY].selection.rows
        if chosen and chosen[0] < len(rows):
            on_choose(int(rows["code"].iloc[chosen[0]]))
            st.rerun()  # the card stands outside this fragment

    st.dataframe(
        rows,
        key=KEY,
        on_select=ticked,
        selection_mode="single-row",
        hide_index=True,
        height=HEIGHT - 86,
        column_config={
            "code": st.column_config.NumberColumn("code", width=55),
            "stands for": st.column_config.TextColumn("stands for", width=190),
            "items": st.column_config.NumberColumn("items", width=55),
            "words": st.column_config.TextColumn("words", width=170),
        },
    )


def code_card(
    card: CodeCard, *, heading: str, about: list[tuple[str, str]], typical: list[tuple[str, str]], link: tuple[str, str]
) -> None:
    """What a code stands for, read off the items that carry it; `link` leads to the users whose paths use it."""
    rows = "".join(f'<tr><td class="soft">{escape(n)}</td><td>{escape(text)}</td></tr>' for n, text in about)
    titles = "".join(f"<tr><td>{escape(t)}</td><td class='soft'>{escape(b)}</td></tr>" for t, b in typical)
    items = f'<div class="soft" style="margin-top:8px">Most bought of its items</div><table class="r4-table">{titles}'
    st.html(
        f'<div class="r4"><div style="font-size:1.1rem"><b>{escape(card.name)}</b></div>'
        f'<div class="soft">{escape(heading)} · <a href="{escape(link[1])}">{escape(link[0])}</a></div>'
        f'<div class="r4-scroll" style="height:{HEIGHT - 46}px;margin-top:6px" tabindex="0">'
        f'<table class="r4-table">{rows}</table>{f"{items}</table>" if typical else ""}</div></div>'
    )
