"""What a search found, seen along the path that is followed."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.errors import errors_in_words
from app.components.markup import paragraph
from app.components.node_panel import node_details
from app.components.search_tree import KEY
from app.screens.asked import Asked
from app.screens.by_hand_panels import banners, steering_row, way_back
from app.screens.found import Found
from app.screens.handed_on import hand_on, is_handing_on
from app.screens.history_panel import influences, smallest, ways_to_change
from app.screens.recommended import recommended
from app.screens.searched_tree import TreePlace, follow, followed_in, look_along, tree_place
from app.session import by_hand as hand
from app.session import focus_user, searches
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
    steering: DeltaGenerator


def followed_search(asked: Asked, take_away: DeltaGenerator) -> None:
    """A search with what can be asked of it; what only another search changes is drawn here, once.

    No fragment of its own: Streamlit lets a fragment write into containers of the one that is run anew around it, and
    of no other between them.
    """
    with errors_in_words(way_back=way_back):
        by_hand = hand.chosen_by_hand()
        searched = searches.search(asked.run, asked.user, asked.at, asked.decode, by_hand)
        found = Found(asked, by_hand, searched)
        banners(by_hand, asked.run, searched)
        sentence, strip = st.container(), st.container()
        changing, edited = st.container(), st.container()
        followed = followed_in(found, look_along(found))
        tree = tree_place(found, followed)  # first, since it is what people look at
        with changing:
            wanted = ways_to_change(found) and len(searched.trace.items) > 0
        steering, details = st.container(), st.container()
        places = Places(sentence, strip, edited if wanted else None, tree, steering)
        along_the_path(found, places, focus_user.chosen())
        recommended(found, followed)
        with details:  # not before what is seen at once: it takes a moment
            kept_out = searched.barred if by_hand.steering.rules else frozenset()
            codes = searches.codes_told(asked.run, searched, kept_out)
            node_details(searched.told, codes, followed=followed, tree=KEY)
        with take_away:
            hand_on(found)


@st.fragment
def along_the_path(found: Found, places: Places, handed_on: tuple[str, str]) -> None:
    """What a step or a click changes and the browser does not know itself; it alone is drawn anew then.

    `handed_on` is the path and the step that notes and links are about, as long as they are open.
    """
    asked, by_hand, trace = found.asked, found.by_hand, found.trace
    if hand.chosen_by_hand() != by_hand or (is_handing_on() and focus_user.chosen() != handed_on):
        st.rerun()  # a button in here asked for another search, or what lies open above would tell of another step
    with errors_in_words(way_back=way_back):
        focus = follow(places.tree, found)
        rank = history.followed_rank(trace, focus)
        with places.sentence:
            barred = len(found.searched.barred)
            among = words.allowed_prefix(by_hand.steering, asked.run.facets.catalog.n_items - 1 - barred)
            told = view.why(trace, asked.run.facets, focus, by_hand.given_codes)
            paragraph(view.whose_search(asked.run.weights, asked.run.stages) + among + told)
        with places.strip:
            influences(found, rank)
        with places.steering:
            steering_row(trace, asked.run, focus)
        if places.smallest is not None:  # last, because it takes long: everything else is there already
            with places.smallest:
                smallest(found, rank)
