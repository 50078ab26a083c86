"""Which thresholds by step the URL names."""

from collections.abc import Sequence

import streamlit as st

from app.session.open_runs import OpenRun
from app.view_models.step_thetas import ONE, read_thetas, text_of, whole
from reg4rec_core import DecodeConfig

PARAMETER = "thetas"


def chosen_thetas(run: OpenRun) -> tuple[float, ...]:
    """The thresholds of the steps but the last, () for one of all steps; InputError where the URL makes no sense."""
    asked = "theta" in st.query_params
    return read_thetas(st.query_params.get(PARAMETER, ""), own(run), count(run), theta_asked=asked)


def own(run: OpenRun) -> DecodeConfig:
    """The run's own settings."""
    return run.recommender.decode


def count(run: OpenRun) -> int:
    """Steps whose belief can be compared: the last code needs none."""
    return run.facets.ids.n_codebooks - 1


def choose_thetas(thetas: Sequence[float]) -> None:
    """Look at other thresholds."""
    st.query_params[PARAMETER] = text_of(thetas)


def choose_one() -> None:
    """Let one threshold hold for all steps."""
    st.query_params[PARAMETER] = ONE


def choose_rule(run: OpenRun, by_step: bool, theta: float) -> None:
    """One threshold for all steps, or one for each: at first the run's own, or that one everywhere."""
    if by_step:
        choose_thetas(whole(own(run).thetas or (theta,), count(run)))
    else:
        choose_one()
