"""One user's search that follows theta while it is dragged: slider, tree and list, drawn without asking the server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.scripts import script

KEY = "theta_explorer"
_HERE = Path(__file__)
_HTML = """
<div class="explorer">
  <div class="slider" role="slider" tabindex="0" aria-label="θ: largest jump of the belief" aria-valuemin="0">
    <svg class="ticks" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
      <path class="trees"></path><path class="lists"></path>
    </svg>
    <div class="rail"></div>
    <div class="own"><span>run's own</span></div>
    <div class="thumb"></div>
    <div class="scale" aria-hidden="true"></div>
  </div>
  <div class="status"></div>
  <div class="both">
    <div class="tree"><canvas role="img"></canvas><div class="tip" hidden></div></div>
    <div><ol class="list"></ol><div class="gone"></div></div>
  </div>
</div>
"""

_explorer = st.components.v2.component(
    "reg4rec.theta_explorer",
    html=_HTML,
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=script("listening.js", "theta_explorer.js"),
)


def theta_explorer(drawing: dict[str, Any], *, on_theta: Callable[[str], None]) -> None:
    """Draw a profile; `on_theta` gets the theta at which the slider was let go."""

    def let_go() -> None:
        theta = st.session_state[KEY].theta
        if isinstance(theta, str):
            on_theta(theta)

    _explorer(key=KEY, data=drawing, on_theta_change=let_go)
