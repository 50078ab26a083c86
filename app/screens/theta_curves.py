"""The curves of a stored sweep: quality and cost by theta, one against the other, and how varied the lists are."""

import math

import streamlit as st

from app.charts import tuning as charts
from app.components import sweep_controls
from app.components.figure import figure
from app.session import theme
from app.view_models import theta_cohort as view
from reg4rec_core import ThetaCurve


def curves(curve: ThetaCurve, theta: float, check_from: int) -> None:
    """All that a sweep measured; `theta` is NaN where the setting that is looked at is no point of it."""
    top, ground = sweep_controls.top_control(view.TOPS), theme.ground()
    table = view.curve_table(curve, top)
    near = math.inf if math.isnan(theta) else view.nearest_theta(curve, theta)
    said = view.point_sentence(curve, near, check_from)
    st.markdown(view.BY_STEP_NOTE if math.isnan(theta) else said)
    figure(charts.quality_chart(table, theta, curve.own_theta, ground, top), key="quality", alt=said)
    st.caption(view.CURVE_NOTE)
    if table["nodes"].isna().any():
        st.caption(view.NO_COUNTS)
        return
    figure(charts.cost_chart(table, theta, curve.own_theta, ground), key="cost", alt=said)
    st.caption(f"{view.COST_NOTE} {view.time_note(curve)}")
    ringed = "" if math.isnan(theta) else view.theta_label(near)
    figure(charts.front_chart(table, ringed, ground, top), key="front", alt=view.FRONT_NOTE)
    st.caption(view.FRONT_NOTE)
    figure(charts.lists_chart(table, theta, curve.own_theta, ground), key="lists", alt=view.LISTS_NOTE)
    st.caption(view.LISTS_NOTE)
