"""All users, or those of a cohort, under stored thetas: the right half of the Tuning page."""

import streamlit as st

from app.components import sweep_controls
from app.components.errors import errors_in_words
from app.components.sample_maker import sample_maker
from app.screens.theta_advice import Swept, suggestion
from app.screens.theta_curves import curves
from app.session import theta_sweeps
from app.session.open_runs import OpenRun
from app.view_models import theta_cohort as view
from app.view_models.cohorts import cohort_sentence
from reg4rec_core import ThetaSweep, read_cohort


def cohort(run: OpenRun, theta: float, check_from: int) -> Swept | None:
    """Which sweep and whom it is about, its curves and a suggestion; where nothing is stored, how to make it.

    `theta` is where the slider stands at first, NaN where every step has its own.
    """
    sweeps = view.sweeps_of(theta_sweeps.stored_sweeps(run), run.weights)
    swept = None
    if not sweeps:
        st.info(view.NO_SWEEP, icon=":material/database:")
        st.code(view.sweep_commands(str(run.recommender.run.path), run.weights), language="bash")
    else:
        chosen, text = chosen_of(sweeps)
        with errors_in_words():
            swept = swept_users(run, sweeps, chosen, text, theta, check_from)
    sample_maker(
        "Sweep a sample of users here", view.QUICK_USERS, whom="Users of each split", note=view.SAMPLE_NOTE,
        button="Sweep them", is_open=not sweeps, on_make=lambda users: theta_sweeps.make_sweeps(run, users),
    )  # fmt: skip
    return swept


def chosen_of(sweeps: dict[str, ThetaSweep]) -> tuple[ThetaSweep, str]:
    """The sweep and the cohort that are looked at."""
    chosen = view.chosen_sweep(sweeps, theta_sweeps.chosen()["sweep"])
    labels = {name: view.sweep_label(sweep) for name, sweep in sweeps.items()}
    which, whom = st.columns(2, gap="medium")
    with which:
        sweep_controls.sweep_control(labels, chosen.name, on_choose=theta_sweeps.choose_sweep)
    with whom:
        text = theta_sweeps.chosen()["cohort"]
        names, change = view.cohort_labels(text), theta_sweeps.choose_cohort
        sweep_controls.cohort_control(names, text, help=view.COHORT_HELP, on_choose=change)
    return chosen, text


def swept_users(
    run: OpenRun, sweeps: dict[str, ThetaSweep], chosen: ThetaSweep, text: str, theta: float, check_from: int
) -> Swept | None:
    """What the chosen sweep says of the users of a cohort; None where they are too few."""
    curve = theta_sweeps.curve_of(run, chosen.name, text)
    if text:
        words = cohort_sentence(read_cohort(text))
        st.caption(view.cohort_note(curve, chosen.users, words))
        if view.too_few(curve):
            return None
    curves(curve, top=sweep_controls.top_control(view.TOPS), theta=theta, check_from=check_from)
    suggestion(run, *(view.of_split(sweeps, chosen, split) for split in view.SPLITS), text)
    return Swept(chosen.split, chosen.name, text, curve, st.container(key="who_flips"))
