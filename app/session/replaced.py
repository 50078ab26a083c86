"""Saying which choices of an address a page could not take."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.session.open_runs import known_runs
from app.view_models.replaced import replaced

JUDGED, TAKEN = "the page whose address was judged", "what was taken of it without a control"


def taken_instead(name: str, value: str) -> None:
    """Note what a page takes in the place of what its address says, where no control holds it."""
    st.session_state.setdefault(TAKEN, {})[name] = value


@contextmanager
def told_of_replaced(page: str) -> Iterator[None]:
    """Draw a page, then say above it what of its address was replaced; once, as controls go on to rule the address."""
    place, asked = st.container(), st.query_params.to_dict()
    st.session_state[TAKEN] = {}
    yield
    if st.session_state.get(JUDGED) == page:
        return
    st.session_state[JUDGED] = page
    held = {name: st.session_state[name] for name in asked if name in st.session_state}
    taken = {"run": next(iter(known_runs())), "run_b": next(iter(known_runs()))} | held | st.session_state[TAKEN]
    for sentence in replaced(page, asked, taken):
        place.warning(sentence, icon=":material/edit_location_alt:")
