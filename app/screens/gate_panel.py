"""How the weights of the gate spread over the items, for runs that know."""

import streamlit as st

from app.charts.gates import HEIGHT, gate_boxes
from app.session import theme
from app.view_models import codebooks as view
from reg4rec_core import CodebookReport


def gate_weights(report: CodebookReport, facet: int) -> None:
    """The spread beside how to read it; a run without it says so under the table of experts."""
    if not view.has_gate_spread(report):
        return
    spread = view.gate_spread(report)
    st.markdown("##### How much each expert counts")
    left, right = st.columns([6, 5], gap="large", vertical_alignment="center")
    with left:
        boxes = gate_boxes(spread.rows, spread.even, facet, theme.ground())
        st.echarts_chart(boxes, height=HEIGHT, key="gates", alt=spread.summary)
    right.caption(spread.summary)
