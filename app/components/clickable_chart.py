"""A chart whose marks stand for users: a click marks them."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def clickable_chart(
    option: dict[str, Any],
    *,
    key: str,
    alt: str,
    height: int,
    cohorts: dict[str, Sequence[str]],
    on_mark: Callable[[str], None],
) -> None:
    """Draw an option; `cohorts` has, by the id of a series, the text that each of its points stands for.

    The page draws the ring around what is marked. The chart itself only reports clicks, and a second click on a point
    as "nothing selected": so the point clicked last is remembered.
    """
    last = f"{key} clicked last"

    def clicked() -> None:
        points = [
            cohorts[group["series_id"]][index]
            for group in st.session_state[key].selection.selected
            if group["series_id"] in cohorts
            for index in group["data_indices"]
            if index < len(cohorts[group["series_id"]])
        ]
        known = {text for texts in cohorts.values() for text in texts}
        # two series may each hold a point: the new one is not the one clicked before
        fresh = [text for text in points if text != st.session_state.get(last)] or points
        text = fresh[0] if fresh else st.session_state.get(last, "")
        st.session_state[last] = text
        if text in known:
            on_mark(text)

    st.echarts_chart(option, height=height, key=key, on_select=clicked, alt=alt)
