"""Choosing what A and B are, and taking the comparison away."""

import streamlit as st

from app.components import controls
from app.components.share import share
from app.session import compared, open_runs, searches
from app.session.compared import LETTERS, Side
from app.view_models.reasoning import file_name, permalink


def choose_side(letter: str, other: Side | None) -> Side:
    """A run, its weights and a theta."""
    end = LETTERS[letter]
    st.markdown(f"##### {letter}")
    what, how = st.columns([1, 1.5], vertical_alignment="bottom", gap="medium")
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


def take_away(a: Side, b: Side, key: str, at: str, state: dict[str, str]) -> None:
    """The link that restores the comparison, and what it shows as a file."""
    link = permalink(st.context.url or "", state)
    share(link, file_name=file_name({"a": a.run.name, "b": b.run.name, "user": key, "at": at}),
          document=lambda: "", what="the comparison")  # fmt: skip
