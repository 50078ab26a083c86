"""The search tree, its legend, and what a click on it means.

A component of our own: the built-in graph chart waits 150 ms before it reports a click, and its nodes are neither
reachable by keyboard nor named for those who cannot see them.
"""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.palette import MARKS, Ground, colour_of

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
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


_followed = st.components.v2.component(
    "reg4rec.followed_path", html="", js=_HERE.with_name("followed_path.js").read_text(encoding="utf-8")
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


def search_tree(
    drawing: dict[str, Any], followed: dict[str, Any], *, on_choose: Callable[[str], None], key: str = KEY
) -> None:
    """Draw the tree; `on_choose` gets the path key of the node that was clicked or reached by keyboard.

    What is `followed` in it goes by a message of its own: a step along a path leaves the large drawing as it is. A
    click is followed in the browser at once, the page's answer confirms it.
    """

    def chosen() -> None:
        path = st.session_state[key].chosen
        if isinstance(path, str):
            on_choose(path)

    _tree(key=key, data=drawing | {"key": key}, height=drawing["height"], on_chosen_change=chosen)
    _followed(key=f"followed_{key}", data=followed | {"key": key})
