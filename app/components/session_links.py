"""What listens on every page: links that keep the session instead of loading the application anew, and popovers."""

from pathlib import Path

import streamlit as st

KEY = "session_links"

_links = st.components.v2.component(
    "reg4rec.session_links", html="", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


_focus = st.components.v2.component(
    "reg4rec.popover_focus", html="", js=Path(__file__).with_name("popover_focus.js").read_text(encoding="utf-8")
)


def session_links() -> None:
    """Once a page: links to other pages switch inside the session, and popovers opened by keyboard are entered."""
    with st.container(key=KEY):
        _links(key=f"{KEY} listener")
        _focus(key=f"{KEY} popovers")
