"""Choosing what A and B are."""

from functools import partial

import streamlit as st

from app.components import controls
from app.components.step_thetas import rule_control
from app.screens.step_thresholds import by_step, thetas_looked_at
from app.session import compared, open_runs, searches, step_thetas
from app.session.compared import LETTERS, Side


def choose_side(letter: str, other: Side | None) -> Side:
    """A run, its weights, a theta or one for every step, and the first step that is compared."""
    end = LETTERS[letter]
    name, rule, since = st.columns([0.3, 2.2, 0.9], vertical_alignment="bottom", gap="medium")
    name.markdown(f"##### {letter}")
    what, how = st.columns([1.25, 1.9], vertical_alignment="bottom", gap="medium")
    with what:
        run = open_runs.open_run(controls.run_control(list(open_runs.known_runs()), end))
        weights = compared.chosen_weights(run, letter)
        controls.weights_control(
            run.stages, weights, on_choose=lambda chosen: compared.choose_weights(letter, chosen), side=end
        )
    run = open_runs.with_weights(run, weights)
    usual, last = compared.usual_decode(run, other), run.facets.ids.n_codebooks
    thetas = thetas_looked_at(run, usual, end)
    if letter == "A":
        step_thetas.take_over_first_step(run)
    with since:
        check_from = controls.since_control(last, usual.check_from, end)
    with how:
        theta, corp = controls.threshold_control(usual, check_from, by_step(thetas, end), end)
    with rule:
        start = min(theta, controls.MAX_THETA)
        rule_control(bool(thetas), on_choose=partial(compared.choose_rule, run, letter, theta=start), side=end)
    beam = run.recommender.decode.beam_width
    decode = searches.decode_settings(run, theta=theta, corp=corp, beam=beam, check_from=check_from, thetas=thetas)
    return Side(letter, run, decode, thetas)
