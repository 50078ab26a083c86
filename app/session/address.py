"""What the controls of a page say, for its link."""

from collections.abc import Sequence

import streamlit as st


def choices(names: Sequence[str]) -> dict[str, str]:
    """What the page's controls of these names say, defaults spelt out; those that it does not show are left out."""
    return {name: str(st.session_state[name]) for name in names if st.session_state.get(name)}
