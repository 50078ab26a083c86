"""The final list: an entry a line with the codes of its path; a click follows that path through every view."""

from pathlib import Path
from typing import Any

import streamlit as st

from app.components.scripts import script

KEY = "recommendations"

_HERE = Path(__file__)

_list = st.components.v2.component(
    "reg4rec.recommendation_list",
    html='<div class="grid"></div>',
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script("listening.js", "followed_node.js", "recommendation_list.js"),
)


def recommendation_list(entries: list[dict[str, Any]], *, followed: dict[str, Any], tree: str) -> None:
    """Draw the list of a search; a click follows the path to an entry.

    The entry whose path is followed in the tree with the key `tree` is marked, and the code of its chosen step;
    `followed` says which at first.
    """
    heads = [
        "#",
        "item",
        "brand and category",
        "score: what it is made of",
        "its path: facets and what the codes stand for",
    ]
    _list(key=KEY, data=followed | {"key": tree, "heads": heads, "entries": entries})
