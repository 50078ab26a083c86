"""Long work on a sample of users, done here and now."""

from collections.abc import Callable, Sequence

import streamlit as st


def sample_maker(
    title: str,
    sizes: Sequence[int],
    *,
    whom: str,
    note: str,
    button: str,
    is_open: bool,
    on_make: Callable[[int], None],
) -> None:
    """How many users, and a button that starts; `on_make` gets the number, and the page is drawn anew after it."""
    with st.expander(title, expanded=is_open, icon=":material/play_arrow:"):
        users = st.segmented_control(whom, sizes, default=sizes[0], required=True, key="sample")
        st.caption(note)
        if st.button(button, key="make"):
            on_make(int(users))
            st.rerun()
