"""What real training steps changed: rewards, sampled users, one user's list and tree; and keeping them as a run."""

import streamlit as st

from app.charts.rewards import reward_curve
from app.components.figure import figure
from app.components.markup import number_cards, table
from app.screens.reward_panels import Look
from app.session import previews, theme
from app.view_models import previews as view
from reg4rec_core import PreviewState


def curve(state: PreviewState) -> None:
    if state.records:
        drawn = reward_curve(view.curve(state), state.plan.config.steps, theme.ground())
        figure(drawn, key="curve", alt=view.curve_words(state))


def finished(look: Look, state: PreviewState) -> None:
    """What a preview did: its curve, the sampled users, the focus user; and whether it is kept."""
    (st.error if state.phase == "failed" else st.success)(view.progress_text(state))
    st.caption(view.plan_words(state))
    if state.phase == "failed":
        discard_button(state)
        return
    left, right = st.columns([7, 4], gap="large")
    with left:
        curve(state)
    with right:
        st.html(table(view.reward_changes(state), numbers=("first steps", "last steps", "change"), height=200))
    effect = previews.effect(look.run, state)
    st.markdown(f"**{view.effect_sentence(effect)}**")
    number_cards(view.effect_cards(effect))
    focus_user_beside(look, state)
    keep_row(state)


def focus_user_beside(look: Look, state: PreviewState) -> None:
    recommender, catalog = look.run.recommender, look.run.facets.catalog
    before, after = previews.searches(look.run, state, look.user)
    st.markdown(f"**User {recommender.interactions.user_keys[look.user]}, before and after**")
    left, right = st.columns([8, 3], gap="large")
    with left:
        rows = view.lists_beside(before, after, catalog, recommender.target(look.user))
        st.html(table(rows, numbers=("place",), height=350))
    with right:
        st.html(table(view.tree_rows(before, after), numbers=("before", "after"), height=210))


def keep_row(state: PreviewState) -> None:
    if state.phase == "kept":
        st.info(view.kept_words(state.path.name), icon=":material/inventory_2:")
        return
    name, keep, drop, _ = st.columns([2.4, 1.6, 1.6, 4.4], vertical_alignment="bottom", gap="medium")
    wanted = name.text_input("Name of the run to keep it as", key="keep_name", placeholder="for example path-only")
    if keep.button("Keep as a run", key="keep", disabled=not wanted, icon=":material/save:"):
        previews.keep(state.number, wanted)
        st.rerun()
    with drop:
        discard_button(state)


def discard_button(state: PreviewState) -> None:
    st.button("Discard", key="discard", on_click=previews.discard, args=(state.number,), icon=":material/delete:")
