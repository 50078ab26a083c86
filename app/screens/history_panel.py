"""The purchases, what each speaks for, and the ways to change them."""

import numpy as np
import pandas as pd
import streamlit as st

from app.components import edited_history
from app.components.history_strip import history_strip
from app.screens.asked import Asked
from app.session import by_hand as hand
from app.session import searches, theme
from app.view_models import by_hand as words
from app.view_models import catalog, history
from app.view_models import reasoning as view
from reg4rec_core import HISTORY_LENGTH, Edit, ReasoningTrace


def purchases(asked: Asked, by_hand: words.ByHand) -> tuple[pd.DataFrame, int]:
    """What the search reads, a row a purchase, and the place of the first one shown."""
    items, recommender = asked.run.facets.catalog, asked.run.recommender
    bought = view.history_cards(
        items, recommender.interactions, asked.user, len(recommender.history(asked.user, asked.at))
    )
    cards = history.edited_cards(bought, by_hand.edits, items, length=HISTORY_LENGTH)
    return cards, history.first_place(len(bought), by_hand.edits)


def ways_to_change(asked: Asked, by_hand: words.ByHand) -> bool:
    """Leave a purchase out or change the history otherwise; returns whether the smallest edit is asked for."""
    cards, first = purchases(asked, by_hand)
    names, facets = history.purchase_names(cards), asked.run.facets
    with st.container(horizontal=True, vertical_alignment="center"):
        edited_history.leave_out_control(
            names, on_leave_out=lambda place: hand.edit_history(Edit("remove", place + first - 1, 0))
        )
        edited_history.history_editor(
            names, first=first, find=lambda query: catalog.found_items(facets, query), on_edit=hand.edit_history
        )
        return edited_history.smallest_control()


def influences(asked: Asked, by_hand: words.ByHand, trace: ReasoningTrace, rank: int) -> None:
    """The purchases with what each adds to the followed item."""
    items, (cards, _) = asked.run.facets.catalog, purchases(asked, by_hand)
    attribution = searches.influence(asked.run, asked.user, asked.at, asked.decode, by_hand)
    target = asked.run.recommender.target(asked.user, asked.at)
    history_strip(
        history.with_influence(cards, attribution, rank),
        theme.ground(),
        next_title=view.target_title(items, target),
        outcome=view.outcome(trace, target),
        note=history.influence_note(trace, items, rank),
    )


def smallest(asked: Asked, by_hand: words.ByHand, rank: int) -> None:
    """What the smallest edit is that takes the followed item off the list, and the button that makes it."""
    cards, first = purchases(asked, by_hand)
    search = (asked.run, asked.user, asked.at, asked.decode, by_hand)
    found, attribution = searches.smallest(*search, rank), searches.influence(*search)
    rows = np.searchsorted(attribution.positions, found.removed).tolist()  # those of the cards
    titles, removals = [cards["title"][row] for row in rows], history.removals([row + first for row in rows])
    edited_history.smallest_edit(
        history.smallest_edit_text(found, titles, asked.run.facets.catalog),
        history.removals_label(rows),
        on_apply=lambda: hand.edit_history(*removals),
    )
