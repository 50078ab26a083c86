"""The last line of every page: where its numbers come from."""

import streamlit as st


def footer(where_from: str, *, note: str = "") -> None:
    """Run, data, revision and sample in one line; `note` stands before it."""
    st.caption(f"{note} {where_from}".strip())
