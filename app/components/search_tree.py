"""The search tree and its legend.

A component of our own: the built-in graph chart waits 150 ms before it reports a click, and its nodes are neither
reachable by keyboard nor named for those who cannot see them.
"""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.palette import MARKS, Ground, colour_of
from app.components.scripts import script

KEY = "tree"
_HERE = Path(__file__)
_GLYPHS = {"circle": "●○", "triangle": "▲△", "diamond": "◆◇", "rect": "■□"}

_RING = (
    "display:inline-block;width:12px;height:12px;margin-right:7px;vertical-align:-1px;border:1.4px {} currentColor;"
    "border-radius:{}"
)
RING_SIGNS = tuple(
    f'<span style="{_RING.format(line, corner)}" aria-hidden="true"></span>'
    for line, corner in (("dashed", "50%"), ("solid", "0"))
)
"""Dashed circle, square: as the drawing rings nodes."""

_tree = st.components.v2.component(
    "reg4rec.search_tree",
    html='<div class="tree"><svg role="group"></svg><div class="tip" hidden></div></div>',
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script("listening.js", "followed_node.js", "search_tree.js"),
)


def legend(counts: pd.DataFrame, ground: Ground, *, rings: Mapping[str, int] | None = None, note: str = "") -> None:
    """How each kind of node looks, and how many there are.

    `rings` counts what another tree lacks, then changes; `note` says what is not drawn.
    """
    entries = "".join(
        f'<span title="{row["meaning"]}">{_icon(row["kind"], ground)}{row["name"]} <b>{row["count"]}</b></span>'
        for row in counts.to_dict("records")
    )
    signs = zip(RING_SIGNS, (rings or {}).items(), strict=False)
    entries += "".join(f"<span>{sign}{escape(said)} <b>{count}</b></span>" for sign, (said, count) in signs)
    hint = f"{note or 'The larger a node, the likelier its path.'} Click a node to follow its path."
    st.html(f'<div class="r4"><div class="r4-legend">{entries}</div><div class="soft">{hint}</div></div>')


def _icon(kind: str, ground: Ground) -> str:
    glyph = _GLYPHS[MARKS[kind].symbol][0 if MARKS[kind].filled else 1]
    return f'<span class="glyph" style="color:{colour_of(kind, ground)}" aria-hidden="true">{glyph}</span>'


def search_tree(drawing: dict[str, Any], *, followed: dict[str, Any], key: str = KEY) -> None:
    """Draw the tree, `followed` of it at first; what is followed later, `followed_path` says beside it."""
    text = json.dumps(drawing)  # the server's JSON, made twice otherwise, is for small things
    _tree(key=key, data=followed | {"key": key, "drawing": text}, height=drawing["height"])
