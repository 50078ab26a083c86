"""The belief over categories at a step, and how far it moved: HTML, since an analyst steps through many of them."""

from html import escape

import numpy as np
import pandas as pd

from app.charts.palette import GREY, Ground, colour_of
from app.view_models.reasoning import Shift

BARS_HEIGHT = 254
"""Of the title and the most rows there are, so that what stands below keeps its place."""
VISIBLE = 0.005
"""Less has no outline: its two ends would be all one sees."""
NAMES = ("now", "step before")
GAUGE_END = float(np.log(2))
"""Right end of the js gauge: no two beliefs are further apart."""


def belief_bars(rows: pd.DataFrame, ground: Ground, *, title: str, names: tuple[str, str] = NAMES) -> str:
    """The belief over categories: a filled bar now, a dashed outline for the step before.

    `rows` has the columns category, before and now, probabilities; `names` are said of now and before.
    """
    now, before = f"background:{colour_of('kept', ground)}", f"border:1px dashed {GREY}"
    legend = "".join(
        f'<span><i style="{style}"></i>{escape(name)}</span>' for style, name in zip((now, before), names, strict=True)
    )
    columns = (rows["category"], rows["now"], rows["before"])
    bars = "".join(
        f'<div class="name" title="{escape(category)}">{escape(category)}</div>'
        f'<div title="{names[0]} {is_now:.1%}, {names[1]} {was:.1%}">'
        f'<div class="now"><i style="{now};width:{_width(is_now)}"></i>{is_now:.1%}</div>'
        f'<i class="before" style="{before if was >= VISIBLE else ""};width:{_width(was)}"></i></div>'
        for category, is_now, was in zip(*(column.tolist() for column in columns), strict=True)
    )
    return (
        f'<div class="r4" style="min-height:{BARS_HEIGHT}px"><div class="soft">{escape(title)}</div>'
        f'<div class="r4-names">{legend}</div>'
        f'<div class="r4-belief" role="group" aria-label="{escape(title)}">{bars}</div></div>'
    )


def js_gauge(shift: Shift, ground: Ground) -> str:
    """The Jensen-Shannon divergence of the step as a bar, theta as a mark on it."""
    missing = np.isnan(shift.js)
    fill = 0 if missing else _place(shift.js)
    colour = colour_of("pruned" if shift.too_far else "kept", ground)
    limit = "off" if np.isinf(shift.theta) else f"{shift.theta:.3f}"
    mark = "" if np.isinf(shift.theta) else f'<div class="mark" style="left:{_place(shift.theta):.1%}"></div>'
    value = "–" if missing else f"{shift.js:.3f}"
    said = f"js {value}, theta {limit}: {shift.verdict}"
    return (
        f'<div class="r4"><div style="display:flex;justify-content:space-between">'
        f"<span>belief moved by js <b>{value}</b> · {shift.verdict}</span><span>θ <b>{limit}</b></span></div>"
        f'<div class="r4-gauge" role="img" aria-label="{said}" title="from 0 to ln 2, on a square-root scale">'
        f'<div class="fill" style="width:{fill:.1%};background:{colour}"></div>{mark}</div></div>'
    )


def _width(probability: float) -> str:
    """Of a bar; what is left of the line holds the number."""
    return f"calc({probability:.4f}*(100% - 4em))"


def _place(divergence: float) -> float:
    """Where a divergence stands on the gauge: a square root, because most shifts are small."""
    return float(np.sqrt(min(max(divergence, 0) / GAUGE_END, 1)))
