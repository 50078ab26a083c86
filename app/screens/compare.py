"""What changed between two searches: one user's trees and lists side by side, then all users."""

from dataclasses import replace

import streamlit as st

from app.components import controls
from app.components.errors import errors_in_words
from app.components.footer import footer
from app.components.markup import page_heading, paragraph
from app.components.user_picker import user_picker
from app.screens.compared_handed_on import hand_on
from app.screens.compared_lists import two_lists
from app.screens.compared_sides import choose_side
from app.screens.compared_trees import two_trees
from app.screens.compared_users import everyone
from app.session import address, compared, focus_user
from app.session.compared import Side
from app.view_models import comparison as view
from reg4rec_core import compare_traces


def page() -> None:
    page_heading("What changed between two searches", view.INTRODUCTION)
    with errors_in_words():
        explore()


def explore() -> None:
    who, moment, how_wide, _, share_place = st.columns(
        [1.8, 1.9, 1.8, 1.9, 2.1], vertical_alignment="bottom", gap="medium"
    )
    with moment:
        at = controls.moment_control()
    left, right = st.columns(2, gap="large")
    with left:
        a = choose_side("A", None)
    with right:
        b = choose_side("B", a)
    with how_wide:
        beam = controls.beam_control(a.run.recommender.decode)
    a, b = (replace(side, decode=replace(side.decode, beam_width=beam)) for side in (a, b))
    key = focus_user.chosen_user_key(a.run)
    with who:
        user_picker(f"User {key}", find=a.run.find_users, total=a.run.n_users, on_pick=compared.choose_user)
    if not compared.same_catalogue(a, b):
        st.info(view.OTHER_CATALOGUE, icon=":material/info:")
        return
    target = a.run.recommender.target(a.run.recommender.user_index(key), at)
    state = {**a.link_state(), **b.link_state(), "at": at, "beam": str(beam)}
    path = one_user(a, b, key, at, target)
    everyone(a, b, at, state)
    with share_place:
        hand_on(a, b, key, at, target, state | {"user": key} | path | address.choices(view.CHOICES))
    footer(" ".join(compared.where_from(side, at) for side in (a, b)))


def one_user(a: Side, b: Side, key: str, at: str, target: int) -> dict[str, str]:
    """Two trees and two lists of one user; returns what a link has to say about the path that is followed."""
    searched = a.search(key, at), b.search(key, at)
    before, after = (one.trace for one in searched)
    comparison, codes_agree = compare_traces(before, after), compared.same_codes(a, b)
    catalog = a.run.facets.catalog
    if (a.run.key, a.decode) == (b.run.key, b.decode):
        st.info(view.SAME, icon=":material/info:")
    else:
        paragraph(view.what_differs(before, after, a.run.facets, comparison, codes_agree=codes_agree))
    path = two_trees((a, b), searched, target, comparison if codes_agree else None)
    st.markdown("##### What each recommends")
    st.caption(view.target_sentence(catalog, target, before, after))
    two_lists(before, after, catalog, target)
    return path


page()
