"""Searching a sample of users from the Cohorts page, and the command that searches all of them."""

import streamlit as st

from app.components.sample_maker import sample_maker
from app.session import open_runs, stored_searches
from app.view_models import cohorts as view


def make_one(run: str, *, is_open: bool) -> None:
    st.info(view.NO_STORE, icon=":material/database:")
    sample_maker(
        "Search a sample of users here", view.SAMPLES, whom="Users", note=view.SAMPLE_NOTE, button="Search them",
        is_open=is_open, on_make=lambda users: stored_searches.make_store(run, users),
    )  # fmt: skip
    st.code(view.make_command(str(open_runs.run_path(run))), language="bash")
