"""What theta does to everybody, as curves whose marks follow the slider of the page without asking the server."""

from pathlib import Path
from typing import Any

import streamlit as st

from app.components.scripts import script

KEY = "theta_curves"
_HERE = Path(__file__)
_curves = st.components.v2.component(
    "reg4rec.theta_curves",
    html='<div class="curves"><div class="said"></div><div class="charts"></div>'
    '<div class="tip" role="status" hidden></div></div>',
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script("listening.js", "theta_curves.js"),
)


def theta_curves(drawing: dict[str, Any]) -> None:
    """Draw the curves; the slider of theta_explorer tells them each theta in the browser."""
    _curves(key=KEY, data=drawing)
