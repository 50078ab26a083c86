"""Choosing what A and B are."""

import streamlit as st

from app.components import controls
from app.session import compared, open_runs, searches
from app.session.compared import LETTERS, Side


def choose_side(letter: str, other: Side | None) -> Side:
    """A run, its weights and a theta."""
    end = LETTERS[letter]
    st.markdown(f"##### {letter}")
    what, how = st.columns([1.25, 1.9], vertical_alignment="bottom", gap="medium")
    with what:
        run = open_runs.open_run(controls.run_control(list(open_runs.known_runs()), end))
        weights = compared.chosen_weights(run, letter)
        controls.weights_control(
            run.stages, weights, on_choose=lambda chosen: compared.choose_weights(letter, chosen), side=end
        )
    run = open_runs.with_weights(run, weights)
    with how:
        theta, corp = controls.theta_control(compared.usual_decode(run, other), end)
    beam = run.recommender.decode.beam_width
    return Side(letter, run, searches.decode_settings(run, theta=theta, corp=corp, beam=beam))
