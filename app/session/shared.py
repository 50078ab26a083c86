"""What all pages share: whom and with which θ one looks at on one page holds on the next, and stands in its address."""

import streamlit as st

SHARED = ("user", "cohort", "weights", "weights_b", "thetas", "thetas_b")
"""What a switch to another page would drop from the address: it keeps only what a control of the new page holds."""
BOUND = {"cohort"}
"""Of these, what a control of the session holds."""
RULED_BY = {"thetas": "theta", "thetas_b": "theta_b"}
"""Of these, what an address that names the other means to leave out."""
KEPT, PAGE = "what pages share", "the page before"


def carry_over(page: str, *, entrance: str) -> None:
    """On another page than before, put back into the address what it does not say itself; on the same one, note it.

    Before anything of the page is drawn. The page `entrance` shares nothing: a user in its address means a search.
    """
    before, st.session_state[PAGE] = st.session_state.get(PAGE, page), page
    if page == entrance:
        return
    if page != before and "tour" not in st.query_params:  # a stop of the tour says itself what it shows
        kept = st.session_state.get(KEPT, {}) | {name: st.session_state[name] for name in BOUND & {*st.session_state}}
        said = {*st.query_params}
        for name in [name for name in kept if kept[name] and not {name, RULED_BY.get(name)} & said]:
            st.query_params[name] = kept[name]
    st.session_state[KEPT] = {name: st.query_params[name] for name in SHARED if name in st.query_params}


def selections() -> dict[str, str]:
    """The cohort and the user that the address names, for the links of pages that show neither."""
    return {name: st.query_params[name] for name in ("user", "cohort") if st.query_params.get(name)}
