"""The belief over categories at a step, and how far it moved."""

from typing import Any

import numpy as np
import streamlit as st

from app.charts.palette import Ground, colour_of
from app.view_models.reasoning import Shift

CHART_HEIGHT = 232
GAUGE_END = float(np.log(2))
"""Right end of the js gauge: no two beliefs are further apart."""


def belief_chart(option: dict[str, Any], *, title: str) -> None:
    st.caption(title)
    st.echarts_chart(option, height=CHART_HEIGHT, key="belief", alt=title)


def js_gauge(shift: Shift, ground: Ground) -> None:
    """The Jensen-Shannon divergence of the step as a bar, theta as a mark on it."""
    missing = np.isnan(shift.js)
    fill = 0 if missing else _place(shift.js)
    colour = colour_of("pruned" if shift.too_far else "kept", ground)
    limit = "off" if np.isinf(shift.theta) else f"{shift.theta:.3f}"
    mark = "" if np.isinf(shift.theta) else f'<div class="mark" style="left:{_place(shift.theta):.1%}"></div>'
    value = "–" if missing else f"{shift.js:.3f}"
    said = f"js {value}, theta {limit}: {shift.verdict}"
    st.html(
        f'<div class="r4"><div style="display:flex;justify-content:space-between">'
        f"<span>belief moved by js <b>{value}</b> · {shift.verdict}</span><span>θ <b>{limit}</b></span></div>"
        f'<div class="r4-gauge" role="img" aria-label="{said}" title="from 0 to ln 2, on a square-root scale">'
        f'<div class="fill" style="width:{fill:.1%};background:{colour}"></div>{mark}</div></div>'
    )


def _place(divergence: float) -> float:
    """Where a divergence stands on the gauge: a square root, because most shifts are small."""
    return float(np.sqrt(min(max(divergence, 0) / GAUGE_END, 1)))
