"""Links between pages that keep the session: without this every click on one would load the application anew."""

from pathlib import Path

import streamlit as st

KEY = "session_links"

_links = st.components.v2.component(
    "reg4rec.session_links", html="", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


def session_links() -> None:
    """Once a page: its links to other pages of the application switch inside the session."""
    with st.container(key=KEY):
        _links(key=f"{KEY} listener")
