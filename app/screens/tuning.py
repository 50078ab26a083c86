"""Which theta: one shopper's search that follows it while it is dragged, beside what it does to everybody."""

import json
import math

import streamlit as st

from app.components import controls
from app.components.footer import footer
from app.components.markup import page_heading
from app.components.share import share
from app.components.step_thetas import rule_control
from app.components.sweep_controls import preset_button
from app.components.user_picker import user_picker
from app.screens.chosen_run import chosen_run_with_weights
from app.screens.step_thresholds import looked_at
from app.screens.theta_cohort import cohort
from app.screens.theta_explorer import explorer, explorer_by_step
from app.screens.theta_reported import report_of
from app.session import address, focus_user, open_runs, provenance, step_thetas, theta_sweeps
from app.view_models import tuning as view
from app.view_models.reasoning import permalink, sentence
from app.view_models.step_thetas import link_text, text_of
from reg4rec_core import InputError, preset_json, theta_report_page


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
    theta, thetas = looked_at(latest)
    run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
    limit = {"thetas": text_of(thetas)} if thetas else {"theta": view.theta_text(theta)}
    state = {"run": run.name, "weights": run.weights, "user": key, "at": at, **limit, "from": str(check_from)}
    name = "-".join(state.values())
    with keep:
        decode = view.preset_decode(own, theta, check_from, thetas)
        file = f"preset-{name}.json"
        preset_button(file, document=lambda: preset_json(run.recommender.run.path, decode, weights=run.weights))
    left, right = st.columns([11, 10], gap="large")
    with left:
        rule_control(bool(thetas), on_choose=lambda by_step: step_thetas.choose_rule(latest, by_step, theta))
        limit_of, show = (thetas, explorer_by_step) if thetas else (theta, explorer)
        results = show(run, key, at, limit_of, check_from)
    with right:
        cohort(run, math.nan if thetas else theta, check_from, state)
    with take_away:
        chosen = state | theta_sweeps.chosen() | address.choices(("against", "top"))
        one = {"thetas": link_text(thetas, own)}
        link = permalink(st.context.url or "", chosen | one)
        share(
            link, file_name=f"thetas-{name}.json", document=lambda: results, what="every result",
            report=lambda: theta_report_page(report_of(run, decode, link)),
            twin=lambda: json.dumps(report_of(run, decode, link), ensure_ascii=False),
        )  # fmt: skip
    footer(provenance.where_from(run.name, run.weights, sample=theta_sweeps.how_drawn(run)))


page()
