"""The ground that pages are drawn on."""

import streamlit as st

from app.charts.palette import Ground


def ground() -> Ground:
    """Whether the page is drawn on a light or a dark ground."""
    return "dark" if st.context.theme.type == "dark" else "light"
