"""The curves of a stored sweep: quality and cost by theta, one against the other, and how varied the lists are."""

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts import theta_curves as charts
from app.screens.theta_advice import who_flips
from app.session import theme
from app.session.open_runs import OpenRun
from app.view_models import theta_cohort as view
from reg4rec_core import ThetaCurve


@dataclass(frozen=True)
class Swept:
    """A stored sweep over the users of a cohort, and where it is drawn."""

    split: str
    name: str
    cohort: str
    curve: ThetaCurve
    top: int
    """How many first places count."""
    curves: DeltaGenerator
    flips: DeltaGenerator


def over_users(run: OpenRun, swept: Swept, theta: float, check_from: int, state: dict[str, str]) -> None:
    """The curves and who flips, where theta stands now; NaN where every step has its own."""
    with swept.curves:
        curves(swept.curve, theta, check_from, swept.top)
    if math.isfinite(theta):
        with swept.flips:
            who_flips(run, swept.curve, theta, state | {"sweep": swept.name, "cohort": swept.cohort, "at": swept.split})


def curves(curve: ThetaCurve, theta: float, check_from: int, top: int) -> None:
    """All that a sweep measured; `theta` is NaN where the setting that is looked at is no point of it."""
    ground = theme.ground()
    table = view.curve_table(curve, top)
    near = math.inf if math.isnan(theta) else view.nearest_theta(curve, theta)
    said = view.point_sentence(curve, near, check_from)
    st.markdown(view.BY_STEP_NOTE if math.isnan(theta) else said)
    chart(charts.quality_chart(table, theta, curve.own_theta, ground, top), "quality", charts.CURVE_HEIGHT, said)
    st.caption(view.CURVE_NOTE)
    if table["nodes"].isna().any():
        st.caption(view.NO_COUNTS)
        return
    chart(charts.cost_chart(table, theta, curve.own_theta, ground), "cost", charts.COST_HEIGHT, said)
    st.caption(f"{view.COST_NOTE} {view.time_note(curve)}")
    ringed = "" if math.isnan(theta) else view.theta_label(near)
    chart(charts.front_chart(table, ringed, ground, top), "front", charts.FRONT_HEIGHT, view.FRONT_NOTE)
    st.caption(view.FRONT_NOTE)
    chart(charts.lists_chart(table, theta, curve.own_theta, ground), "lists", charts.COST_HEIGHT, view.LISTS_NOTE)
    st.caption(view.LISTS_NOTE)


def chart(option: dict[str, Any], key: str, height: int, alt: str) -> None:
    """The first chart as SVG, whose lines are parts of the page; the others on a canvas, which is drawn sooner."""
    st.echarts_chart(option, height=height, key=key, renderer="svg" if key == "quality" else "canvas", alt=alt)
