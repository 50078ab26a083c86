"""What a search found, seen along the path that is followed."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components import node_panel
from app.components.errors import errors_in_words
from app.components.markup import paragraph
from app.screens.asked import Asked
from app.screens.by_hand_panels import banners, steering_row, way_back
from app.screens.found import Found
from app.screens.handed_on import hand_on, is_handing_on
from app.screens.history_panel import influences, smallest, ways_to_change
from app.screens.recommended import recommended
from app.screens.searched_tree import TreePlace, searched_tree, tree_place
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
        wanted = ways_to_change(found) and len(searched.trace.items) > 0
        place = st.container() if wanted else None
        along_the_path(found, Places(sentence, strip, place, tree_place(found)), focus_user.chosen())
        with take_away:
            hand_on(found)  # last: it tells of the step, which the scrubber reads from the address


@st.fragment
def along_the_path(found: Found, places: Places, handed_on: tuple[str, int | None]) -> None:
    """Everything that a step or a click changes, and nothing else: it alone is drawn anew then.

    `handed_on` is the path and the step that notes and links are about, as long as they are open.
    """
    asked, by_hand, trace = found.asked, found.by_hand, found.trace
    if hand.chosen_by_hand() != by_hand or (is_handing_on() and focus_user.chosen() != handed_on):
        st.rerun()  # a button in here asked for another search, or what lies open above would tell of another step
    with errors_in_words(way_back=way_back):
        focus = searched_tree(places.tree, found)
        rank = history.followed_rank(trace, focus)
        with places.sentence:
            barred = len(found.searched.barred)
            among = words.allowed_prefix(by_hand.steering, asked.run.facets.catalog.n_items - 1 - barred)
            told = view.why(trace, asked.run.facets, focus, by_hand.given_codes)
            paragraph(view.whose_search(asked.run.weights, asked.run.stages) + among + told)
        with places.strip:
            influences(found, rank)
        steering_row(trace, asked.run, focus)
        kept_out = found.searched.barred if by_hand.steering.rules else frozenset()
        node_panel.node_details(view.node_details(trace, asked.run.facets, focus.node, kept_out))
        recommended(found)
        if places.smallest is not None:  # last, because it takes long: everything else is there already
            with places.smallest:
                smallest(found, rank)
