"""What the controls of a page say, for its link."""

from collections.abc import Sequence

import streamlit as st


def choices(names: Sequence[str]) -> dict[str, str]:
    """What the page's controls of these names say, defaults spelt out; those that it does not show are left out."""
    said = {name: st.session_state.get(name) for name in names}
    return {name: _text(value) for name, value in said.items() if value not in (None, "")}


def _text(value: object) -> str:
    """As the URL writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
