"""Real training steps with the chosen weights: started and followed."""

from dataclasses import replace

import streamlit as st

from app.screens.preview_outcome import curve, finished
from app.screens.reward_panels import Look
from app.session import previews
from app.view_models import previews as view
from reg4rec_core import PreviewState

SECONDS = 1.0
"""Between two looks at a preview that runs."""


def previews_panel(look: Look) -> None:
    st.markdown("##### Train a few steps with these weights")
    st.caption(view.INTRODUCTION)
    start_row(look)
    if previews.thrown_away():
        st.info(previews.thrown_away(), icon=":material/delete:")
    states = previews.previews_of(look.run)
    state = previews.chosen_preview(states)
    if state is None:
        return
    if len(states) > 1:
        choose(states, state)
    if state.is_over:
        finished(look, state)
    else:
        follow(state.number)


def start_row(look: Look) -> None:
    steps, batch, begin, _ = st.columns([1.2, 1.2, 1.6, 6], vertical_alignment="bottom", gap="medium")
    wanted = steps.number_input("Steps", min_value=1, max_value=500, value=20, key="steps", bind="query-params")
    size = batch.number_input("Histories a step", min_value=2, max_value=512, value=look.config.batch_size, key="batch",
                              bind="query-params")  # fmt: skip
    config = replace(look.config, steps=int(wanted), validate_every=int(wanted), batch_size=int(size))
    if begin.button("Start a preview", key="start_preview", type="primary", icon=":material/play_arrow:"):
        previews.start(look.run, look.weights, config)
        st.rerun()


def choose(states: list[PreviewState], chosen: PreviewState) -> None:
    st.session_state["previews"] = chosen.number
    titles = {state.number: view.title(state) for state in states}
    st.segmented_control("Preview", list(titles), format_func=titles.get, key="previews", required=True,
                         on_change=lambda: previews.look_at(st.session_state["previews"]))  # fmt: skip


@st.fragment(run_every=SECONDS)
def follow(number: str) -> None:
    """A preview that waits or runs, drawn anew every second; the whole page when it is over."""
    state = previews.all_previews().state(number)
    if state.is_over:
        st.rerun()
    st.progress(view.progress_share(state), view.progress_text(state))
    st.caption(view.plan_words(state))
    drawn, stop = st.columns([8, 2], gap="medium")
    with drawn:
        curve(state)
    stop.button("Cancel", key="cancel_preview", on_click=previews.discard, args=(number,), icon=":material/stop:")
