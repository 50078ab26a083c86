"""The belief over categories at a step, how far it moved, and the numbers of a node, side by side or alone."""

from typing import Any

import pandas as pd
import streamlit as st

from app.charts.palette import GREY, Ground, colour_of
from app.components.scripts import script

DRAWN_BY = ("escaped.js", "belief.js")
"""What any component needs that draws these."""

_sheet = st.components.v2.component(
    "reg4rec.belief_sheet",
    html='<div class="r4 r4-stack"></div>',
    js=script(*DRAWN_BY, "belief_sheet.js"),
    isolate_styles=False,
)


def colours(ground: Ground) -> dict[str, str]:
    """Of bars and outlines, by the names that the style knows."""
    return {"--kept": colour_of("kept", ground), "--pruned": colour_of("pruned", ground), "--grey": GREY}


def belief_bars(rows: pd.DataFrame, ground: Ground, *, title: str, names: tuple[str, str], key: str) -> None:
    """The belief over categories: a filled bar now, a dashed outline before.

    `rows` has the columns category, before and now, probabilities; `names` are said of now and before.
    """
    bars = {"title": title, "names": names, "rows": rows.to_dict("records")}
    _draw({"bars": bars}, ground, key)


def belief_shift(shift: dict[str, Any], reason: str, facts: list[tuple[str, str]], ground: Ground, *, key: str) -> None:
    """How far the belief moved at a node, why the node met its fate, and its numbers."""
    _draw({"shift": shift, "reason": reason, "facts": facts}, ground, key)


def _draw(told: dict[str, Any], ground: Ground, key: str) -> None:
    _sheet(key=key, data=told | {"colours": colours(ground)})
