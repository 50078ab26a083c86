"""Codes or items as points; a lasso around some of them lists them."""

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.codebooks import MAP_HEIGHT
from app.components.markup import table

KEY = "map"


def map_controls(colours: dict[str, list[str]]) -> tuple[str, str]:
    """Which kind of points, a key of `colours`, and what colours them, one of its values."""
    first, second = st.columns([1, 1], vertical_alignment="bottom", gap="medium")
    kinds = list(colours)
    with first:
        what = st.segmented_control(
            "Points",
            kinds,
            default=kinds[0],
            required=True,
            key="points",
            bind="query-params",
            help="The codes of the facet, by their codewords, or all items, by the sum of theirs.",
        )
        what = what if what in kinds else kinds[0]
    with second:
        colour = st.selectbox("Coloured by", colours[what], key="colour", bind="query-params")
    return what, colour if colour in colours[what] else colours[what][0]


def point_map(option: dict[str, Any], *, alt: str, name: str) -> list[dict[str, Any]]:
    """Draw the points; returns what is selected. `name` tells maps of other points apart: theirs is another lasso."""
    state = st.echarts_chart(option, height=MAP_HEIGHT, key=f"{KEY}-{name}", on_select="rerun", alt=alt)
    return list(state.selection.selected)


def selected_table(summary: str, rows: pd.DataFrame, link: tuple[str, str] | None = None) -> None:
    """What the lasso holds; `link` is what leads to the users behind it is called, and its address."""
    way = f'<a href="{escape(link[1])}">{escape(link[0])}</a>' if link else ""
    st.html(f'<div class="r4"><div style="min-height:3em">{escape(summary)} {way}</div></div>')
    if not rows.empty:
        numbers = [name for name in ("code", "items") if name in rows]
        st.html(table(rows, numbers=numbers, height=MAP_HEIGHT - 50))
