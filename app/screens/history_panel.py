"""The purchases, what each speaks for, and the ways to change them."""

import numpy as np
import streamlit as st

from app.components import edited_history
from app.components.history_strip import history_strip
from app.screens.found import Found
from app.session import by_hand as hand
from app.session import searches, theme
from app.view_models import catalog, history
from app.view_models import reasoning as view
from reg4rec_core import Edit


def ways_to_change(found: Found) -> bool:
    """Leave a purchase out or change the history otherwise; returns whether the smallest edit is asked for."""
    first, names, facets = found.first_place, history.purchase_names(found.cards), found.asked.run.facets
    with st.container(horizontal=True, vertical_alignment="center"):
        edited_history.leave_out_control(
            names, on_leave_out=lambda place: hand.edit_history(Edit("remove", place + first - 1, 0))
        )
        edited_history.history_editor(
            names, first=first, find=lambda query: catalog.found_items(facets, query), on_edit=hand.edit_history
        )
        return edited_history.smallest_control()


def influences(found: Found, rank: int) -> None:
    """The purchases with what each adds to the followed item."""
    items = found.asked.run.facets.catalog
    history_strip(
        history.with_influence(found.cards, found.attribution, rank),
        theme.ground(),
        next_title=view.target_title(items, found.target),
        outcome=view.outcome(found.trace, found.target),
        note=history.influence_note(found.trace, items, rank),
    )


def smallest(found: Found, rank: int) -> None:
    """What the smallest edit is that takes the followed item off the list, and the button that makes it."""
    asked, cards, first = found.asked, found.cards, found.first_place
    edit = searches.smallest(asked.run, asked.user, asked.at, asked.decode, found.by_hand, rank)
    rows = np.searchsorted(found.attribution.positions, edit.removed).tolist()  # those of the cards
    titles, removals = [cards["title"][row] for row in rows], history.removals([row + first for row in rows])
    edited_history.smallest_edit(
        history.smallest_edit_text(edit, titles, asked.run.facets.catalog),
        history.removals_label(rows),
        on_apply=lambda: hand.edit_history(*removals),
    )
