"""What a search found, seen along the path that is followed."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components import node_panel
from app.components.errors import errors_in_words
from app.components.markup import paragraph
from app.screens.asked import Asked
from app.screens.by_hand_panels import banners, steering_row, way_back
from app.screens.handed_on import hand_on
from app.screens.history_panel import influences, smallest, ways_to_change
from app.screens.recommended import recommended
from app.screens.reported import Shown
from app.screens.searched_tree import TreePlace, searched_tree, tree_place
from app.session import address, searches
from app.session import by_hand as hand
from app.view_models import by_hand as words
from app.view_models import history
from app.view_models import reasoning as view


@dataclass(frozen=True)
class Places:
    """Where the parts of a search are drawn that change with the path and the step."""

    sentence: DeltaGenerator
    strip: DeltaGenerator
    smallest: DeltaGenerator | None
    """None where the smallest edit is not asked for."""
    tree: TreePlace
    take_away: DeltaGenerator


def followed_search(asked: Asked, take_away: DeltaGenerator) -> None:
    """A search with what can be asked of it; what only another search changes is drawn here, once.

    No fragment of its own: Streamlit lets a fragment write into containers of the one that is run anew around it, and
    of no other between them.
    """
    with errors_in_words(way_back=way_back):
        by_hand = hand.chosen_by_hand()
        searched = searches.search(asked.run, asked.user, asked.at, asked.decode, by_hand)
        banners(by_hand, asked.run, searched)
        sentence, strip = st.container(), st.container()
        wanted = ways_to_change(asked, by_hand) and len(searched.trace.items) > 0
        place = st.container() if wanted else None
        along_the_path(asked, by_hand, searched, Places(sentence, strip, place, tree_place(), take_away))


@st.fragment
def along_the_path(asked: Asked, by_hand: words.ByHand, searched: searches.Searched, places: Places) -> None:
    """Everything that a step or a click changes, and nothing else: it alone is drawn anew then."""
    if hand.chosen_by_hand() != by_hand:
        st.rerun()  # a button in here asked for another search
    with errors_in_words(way_back=way_back):
        run, trace = asked.run, searched.trace
        target = run.recommender.target(asked.user, asked.at)
        focus = searched_tree(places.tree, run, searched, target, given=len(by_hand.branch))
        rank = history.followed_rank(trace, focus)
        with places.sentence:
            among = words.allowed_prefix(by_hand.steering, run.facets.catalog.n_items - 1 - len(searched.barred))
            told = view.why(trace, run.facets, focus, by_hand.given_codes)
            paragraph(view.whose_search(run.weights, run.stages) + among + told)
        with places.strip:
            influences(asked, by_hand, trace, rank)
        steering_row(trace, run, focus)
        barred = searched.barred if by_hand.steering.rules else frozenset()
        node_panel.node_details(view.node_details(trace, run.facets, focus.node, barred))
        recommended(asked, searched, focus, target, by_hand)
        with places.take_away:
            what = {"run": run.name, "weights": run.weights, "user": asked.key, "at": asked.at}
            state = view.link_state(asked.decode, focus, trace) | {"thetas": asked.thetas} | by_hand.texts
            link = view.permalink(st.context.url or "", what | state | address.choices(view.CHOICES))
            shown = Shown(run, asked.key, asked.at, searched, focus, target, by_hand, link)
            hand_on(shown, view.file_name(what | by_hand.saved_as))
        if places.smallest is not None:  # last, because it takes long: everything else is there already
            with places.smallest:
                smallest(asked, by_hand, rank)
