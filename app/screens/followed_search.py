"""What a search found, seen along the path that is followed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components import edited_history, node_panel
from app.components.markup import paragraph
from app.components.recommendation_list import recommendation_list
from app.screens.by_hand_panels import banners, steering_row
from app.screens.handed_on import hand_on
from app.screens.history_panel import history_panel
from app.screens.reported import Shown
from app.screens.searched_tree import searched_tree
from app.session import address, focus_user, searches
from app.session import by_hand as hand
from app.session.open_runs import OpenRun
from app.view_models import by_hand as words
from app.view_models import history
from app.view_models import reasoning as view
from app.view_models.tree import Focus
from reg4rec_core import DecodeConfig, InputError, compare_traces


@dataclass(frozen=True)
class Asked:
    """Which search is looked at, before anything is changed by hand."""

    run: OpenRun
    key: str
    """The user's."""
    user: int
    at: str
    decode: DecodeConfig
    thetas: str
    """Thresholds by step as a link names them."""


@contextmanager
def errors_in_words() -> Iterator[None]:
    """What a user can set right is told in a sentence, with the way back from what was changed by hand."""
    try:
        yield
    except InputError as error:
        st.error(view.sentence(str(error)), icon=":material/error:")
        if hand.is_by_hand():
            edited_history.back_button("Back to the plain search", key="restore", on_back=hand.restore_all)


@st.fragment
def followed_search(asked: Asked, take_away: DeltaGenerator) -> None:
    """Everything that a step or a click changes, and nothing else: it alone is drawn anew then."""
    with errors_in_words():
        run, by_hand = asked.run, hand.chosen_by_hand()
        searched = searches.search(run, asked.user, asked.at, asked.decode, by_hand)
        trace, target = searched.trace, run.recommender.target(asked.user, asked.at)
        banners(by_hand, run, searched)
        sentence, strip = st.container(), st.container()
        focus = searched_tree(run, searched, target, given=len(by_hand.branch))
        rank = history.followed_rank(trace, focus)
        with strip:
            show_smallest = history_panel(run, asked.user, asked.at, asked.decode, by_hand, trace, rank)
        with sentence:
            among = words.allowed_prefix(by_hand.steering, run.facets.catalog.n_items - 1 - len(searched.barred))
            told = view.why(trace, run.facets, focus, by_hand.given_codes)
            paragraph(view.whose_search(run.weights, run.stages) + among + told)
        steering_row(trace, run, focus)
        barred = searched.barred if by_hand.steering.rules else frozenset()
        node_panel.node_details(view.node_details(trace, run.facets, focus.node, barred))
        recommended(asked, searched, focus, target, by_hand)
        with take_away:
            what = {"run": run.name, "weights": run.weights, "user": asked.key, "at": asked.at}
            state = view.link_state(asked.decode, focus, trace) | {"thetas": asked.thetas} | by_hand.texts
            link = view.permalink(st.context.url or "", what | state | address.choices(view.CHOICES))
            shown = Shown(run, asked.key, asked.at, searched, focus, target, by_hand, link)
            hand_on(shown, view.file_name(what | by_hand.saved_as))
        show_smallest()


def recommended(asked: Asked, searched: searches.Searched, focus: Focus, target: int, by_hand: words.ByHand) -> None:
    """The list, and beside it what was changed by hand did to it."""
    run, trace = asked.run, searched.trace
    st.markdown(f"##### The {len(trace.items)} items it recommends")
    entries = view.recommendations(trace, run.facets, focus, target, searched.sources)
    if not by_hand:
        recommendation_list(entries, on_follow=focus_user.follow)
        return
    plain = searches.search(run, asked.user, asked.at, asked.decode).trace
    with edited_history.changes_beside(history.changes(compare_traces(plain, trace), run.facets.catalog)):
        recommendation_list(entries, on_follow=focus_user.follow)
