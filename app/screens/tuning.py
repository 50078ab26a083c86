"""Which theta: one shopper's search that follows it while it is dragged, beside what it does to everybody."""

import streamlit as st

from app.components import controls
from app.components.errors import errors_in_words
from app.components.footer import footer
from app.components.markup import page_heading
from app.components.user_picker import user_picker
from app.screens.chosen_run import chosen_run_with_weights
from app.screens.followed_theta import Tuned, TunedPlaces, followed_theta
from app.screens.step_thresholds import at_first
from app.screens.theta_cohort import cohort
from app.session import focus_user, open_runs, provenance, theta_sweeps
from app.view_models import tuning as view


def page() -> None:
    choice = page_heading("Which θ, and what it costs", view.INTRODUCTION)
    with errors_in_words():
        with choice:
            run = chosen_run_with_weights()
        explore(run)


@st.fragment
def explore(latest: open_runs.OpenRun) -> None:
    """Whose search, compared from where, and beside whom; what follows theta is drawn apart."""
    with errors_in_words():
        key, own = focus_user.chosen_user_key(latest), latest.recommender.decode
        who, what, since, keep, take_away = st.columns(
            [2, 1.9, 1.9, 1.3, 1.2], vertical_alignment="bottom", gap="medium"
        )
        with who:
            user_picker(f"User {key}", find=latest.find_users, total=latest.n_users, on_pick=focus_user.choose_user)
        with what:
            at = controls.moment_control()
        with since:
            steps = view.check_steps(own.check_from, latest.facets.ids.n_codebooks)
            check_from = controls.check_from_control(steps, own.check_from)
        run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
        left, right = st.columns([11, 10], gap="large")
        with right:
            swept = cohort(run, at_first(latest), check_from)
        followed_theta(Tuned(latest, run, key, at, check_from), TunedPlaces(keep, take_away, left, swept))
        footer(provenance.where_from(run.name, run.weights, sample=theta_sweeps.how_drawn(run)))


page()
