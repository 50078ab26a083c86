"""The last line of every page: where its numbers come from."""

import streamlit as st


def footer(where_from: str) -> None:
    """Run, data, revision and sample in one line."""
    st.caption(where_from)
