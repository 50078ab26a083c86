"""Plotly charts that are looked at."""

import plotly.graph_objects as go
import streamlit as st

CONFIG = {"displayModeBar": False, "showSendToCloud": False}


def figure(drawn: go.Figure, *, key: str, alt: str) -> None:
    st.plotly_chart(drawn, key=key, config=CONFIG, alt=alt)
