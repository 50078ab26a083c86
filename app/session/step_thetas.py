"""Which thresholds by step the URL names."""

from collections.abc import Sequence

import streamlit as st

from app.session.open_runs import OpenRun
from app.view_models.step_thetas import ONE, read_thetas, text_of, whole
from reg4rec_core import DecodeConfig

PARAMETER = "thetas"


def chosen_thetas(run: OpenRun, usual: DecodeConfig, side: str = "") -> tuple[float, ...]:
    """The thresholds of the steps but the last, () for one of all steps; InputError where the URL makes no sense.

    `usual` holds where the URL says nothing; `side` ends the names of a second search.
    """
    asked = f"theta{side}" in st.query_params
    return read_thetas(st.query_params.get(f"{PARAMETER}{side}", ""), usual, count(run), theta_asked=asked)


def own(run: OpenRun) -> DecodeConfig:
    """The run's own settings."""
    return run.recommender.decode


def count(run: OpenRun) -> int:
    """Steps whose belief can be compared: the last code needs none."""
    return run.facets.ids.n_codebooks - 1


def choose_thetas(thetas: Sequence[float], side: str = "") -> None:
    """Look at other thresholds."""
    st.query_params[f"{PARAMETER}{side}"] = text_of(thetas)


def choose_one(side: str = "") -> None:
    """Let one threshold hold for all steps."""
    st.query_params[f"{PARAMETER}{side}"] = ONE


def choose_rule(run: OpenRun, by_step: bool, theta: float, side: str = "") -> None:
    """One threshold for all steps, or one for each: at first the run's own, or that one everywhere."""
    if by_step:
        choose_thetas(whole(own(run).thetas or (theta,), count(run)), side)
    else:
        choose_one(side)


def take_over_first_step(run: OpenRun) -> None:
    """Read the first compared step of a link to the Tuning page, where it has another name; before its control."""
    if "from" not in st.query_params:
        return
    asked = st.query_params.pop("from")
    if asked in {str(step) for step in range(1, count(run) + 1)}:
        st.session_state.setdefault("check_from", int(asked))
