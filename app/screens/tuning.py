"""Which theta: one shopper's search that follows it while it is dragged, beside what it does to everybody."""

import streamlit as st

from app.components import controls
from app.components.footer import footer
from app.components.markup import page_heading
from app.components.share import share
from app.components.sweep_controls import preset_button
from app.components.user_picker import user_picker
from app.screens.chosen_run import chosen_run_with_weights
from app.screens.theta_cohort import cohort
from app.screens.theta_explorer import explorer
from app.session import address, focus_user, open_runs, provenance, theta_profiles, theta_sweeps
from app.view_models import tuning as view
from app.view_models.reasoning import permalink, sentence
from reg4rec_core import InputError, preset_json


def page() -> None:
    choice = page_heading("Which θ, and what it costs", view.INTRODUCTION)
    try:
        with choice:
            run = chosen_run_with_weights()
        explore(run)
    except InputError as error:
        st.error(sentence(str(error)), icon=":material/error:")


def explore(latest: open_runs.OpenRun) -> None:
    key, own = focus_user.chosen_user_key(latest), latest.recommender.decode
    who, what, since, keep, take_away = st.columns([2, 1.9, 1.9, 1.3, 1.2], vertical_alignment="bottom", gap="medium")
    with who:
        user_picker(f"User {key}", find=latest.find_users, total=latest.n_users, on_pick=focus_user.choose_user)
    with what:
        at = controls.moment_control()
    with since:
        steps = view.check_steps(own.check_from, latest.facets.ids.n_codebooks)
        check_from = controls.check_from_control(steps, own.check_from)
    theta = looked_at(own.theta)
    run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
    looked = {"run": run.name, "weights": run.weights, "user": key, "at": at}
    state = looked | {"theta": view.theta_text(theta), "from": str(check_from)}
    name = "-".join(state.values())
    with keep:
        decode = view.preset_decode(own, theta, check_from)
        file = f"preset-{name}.json"
        preset_button(file, document=lambda: preset_json(run.recommender.run.path, decode, weights=run.weights))
    left, right = st.columns([11, 10], gap="large")
    with left:
        profile = explorer(run, key, at, theta, check_from)
    with right:
        cohort(run, theta, check_from, state)
    with take_away:
        link = permalink(st.context.url or "", state | theta_sweeps.chosen() | address.choices(("against",)))
        results = view.profile_json(latest.facets.catalog, key, profile)
        share(link, file_name=f"thetas-{name}.json", document=lambda: results, what="every result")
    footer(provenance.where_from(run.name, run.weights, sample=theta_sweeps.how_drawn(run)))


def looked_at(own: float) -> float:
    """The theta that the URL names; where it makes no sense, says so and takes the run's own."""
    try:
        return view.read_theta(theta_profiles.chosen_theta(), own)
    except InputError as error:
        st.error(f"{sentence(str(error))} The run's own is shown.", icon=":material/error:")
        return view.read_theta("", own)


page()
