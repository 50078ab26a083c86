"""The final list: an entry a line with the codes of its path; a click follows that path through every view."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

KEY = "recommendations"

_HERE = Path(__file__)

_list = st.components.v2.component(
    "reg4rec.recommendation_list",
    html='<div class="grid"></div>',
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def recommendation_list(entries: list[dict[str, Any]], *, tree: str, on_follow: Callable[[str], None]) -> None:
    """Draw the list; `on_follow` gets the path key of the entry that was clicked.

    The entry whose path is followed in the drawing with the key `tree` is marked, and the code of its chosen step.
    """

    def clicked() -> None:
        path = st.session_state[KEY].followed
        if isinstance(path, str):
            on_follow(path)

    heads = [
        "#",
        "item",
        "brand and category",
        "score: what it is made of",
        "its path: facets and what the codes stand for",
    ]
    _list(key=KEY, data={"heads": heads, "entries": entries, "tree": tree}, on_followed_change=clicked)
