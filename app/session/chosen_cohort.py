"""Which users are looked at, and which of them are marked."""

import streamlit as st

from reg4rec_core import Cohort, read_cohort


def choose_cohort(text: str) -> None:
    """Look at other users; only from a callback, before the field that holds the cohort is drawn."""
    st.session_state["cohort"] = text
    st.query_params.pop("marked", None)


def marked_cohort() -> Cohort | None:
    """The users behind the mark that was clicked in a chart, as the URL says; InputError when it makes no sense."""
    text = st.query_params.get("marked")
    return read_cohort(text) if text else None


def mark(text: str) -> None:
    """Mark a cell, a point or a number of a chart by the cohort it stands for; marked again, it is let go."""
    if text and st.query_params.get("marked") != text:
        st.query_params["marked"] = text
    else:
        st.query_params.pop("marked", None)
