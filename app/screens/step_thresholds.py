"""One threshold or one for each step: what the URL asks for, and the fields that stand in the place of a slider."""

import math
from collections.abc import Callable
from functools import partial

import streamlit as st

from app.components.step_thetas import theta_popover
from app.session import step_thetas, theta_profiles
from app.session.open_runs import OpenRun
from app.view_models.reasoning import sentence
from app.view_models.step_thetas import whole
from app.view_models.tuning import read_theta
from reg4rec_core import DecodeConfig, InputError

Say = Callable[[InputError], None]


def refuse(error: InputError) -> None:
    st.error(f"{sentence(str(error))} The run's own is shown.", icon=":material/error:")


def quiet(error: InputError) -> None:
    """For what is said elsewhere on the page."""


def by_step(thetas: tuple[float, ...], side: str = "") -> Callable[[int, bool], None] | None:
    """What draws the thresholds, told the first step that is compared and whether any is; None where there are none.

    `side` ends the names of a second search in the URL.
    """

    def draw(check_from: int, corp: bool) -> None:
        chosen, one = partial(step_thetas.choose_thetas, side=side), partial(step_thetas.choose_one, side)
        theta_popover(thetas, check_from, corp=corp, on_set=chosen, on_one=one, side=side)

    return draw if thetas else None


def looked_at(run: OpenRun) -> tuple[float, tuple[float, ...]]:
    """The theta that the URL names, and those by step; where they make no sense, says so and takes the run's own."""
    return theta_looked_at(run, refuse), thetas_looked_at(run)


def at_first(run: OpenRun) -> float:
    """Where the slider is going to stand, NaN where every step has a theta of its own; says nothing, unlike it."""
    return math.nan if thetas_looked_at(run, say=quiet) else theta_looked_at(run, quiet)


def theta_looked_at(run: OpenRun, say: Say) -> float:
    """The theta that the URL names, the run's own where it makes no sense."""
    own = run.recommender.decode
    try:
        return read_theta(theta_profiles.chosen_theta(), own.theta)
    except InputError as error:
        say(error)
        return read_theta("", own.theta)


def thetas_looked_at(
    run: OpenRun, usual: DecodeConfig | None = None, side: str = "", say: Say = refuse
) -> tuple[float, ...]:
    """Those by step alone, () where one holds for all steps; `usual` is how a side decodes by itself."""
    usual = usual or run.recommender.decode
    try:
        return step_thetas.chosen_thetas(run, usual, side)
    except InputError as error:
        say(error)
        return whole(usual.thetas, step_thetas.count(run))
