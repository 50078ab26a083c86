"""The purchases, what each speaks for, and the ways to change them."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from app.components import edited_history
from app.components.history_strip import history_strip
from app.session import by_hand as hand
from app.session import open_runs, searches, theme
from app.view_models import by_hand as words
from app.view_models import catalog, history
from app.view_models import reasoning as view
from reg4rec_core import HISTORY_LENGTH, Catalog, DecodeConfig, Edit, ReasoningTrace, SmallestEdit


def history_panel(
    run: open_runs.OpenRun, user: int, at: str, decode: DecodeConfig, by_hand: words.ByHand, trace: ReasoningTrace,
    rank: int,
) -> Callable[[], None]:  # fmt: skip
    """The purchases with what each adds to the followed item, and the ways to change them.

    Returns what shows the smallest edit, where it is asked for: the page may show everything else first.
    """
    facets, recommender = run.facets, run.recommender
    bought = view.history_cards(facets.catalog, recommender.interactions, user, len(recommender.history(user, at)))
    first = history.first_place(len(bought), by_hand.edits)
    cards = history.edited_cards(bought, by_hand.edits, facets.catalog, length=HISTORY_LENGTH)
    attribution = searches.influence(run, user, at, decode, by_hand)
    cards, target = history.with_influence(cards, attribution, rank), recommender.target(user, at)
    title, outcome = view.target_title(facets.catalog, target), view.outcome(trace, target)
    note = history.influence_note(trace, facets.catalog, rank)
    history_strip(cards, theme.ground(), next_title=title, outcome=outcome, note=note)
    names = history.purchase_names(cards)
    with st.container(horizontal=True, vertical_alignment="center"):
        edited_history.leave_out_control(
            names, on_leave_out=lambda place: hand.edit_history(Edit("remove", place + first - 1, 0))
        )
        edited_history.history_editor(
            names, first=first, find=lambda query: catalog.found_items(facets, query), on_edit=hand.edit_history
        )
        wanted = edited_history.smallest_control() and len(trace.items) > 0
    place = st.container() if wanted else None

    def show_smallest() -> None:
        if place is not None:
            with place:
                found = searches.smallest(run, user, at, decode, by_hand, rank)
                rows = np.searchsorted(attribution.positions, found.removed).tolist()
                _smallest(found, rows, [cards["title"][row] for row in rows], first, facets.catalog)

    return show_smallest


def _smallest(found: SmallestEdit, rows: list[int], titles: list[str], first: int, items: Catalog) -> None:
    """What the smallest edit is, and the button that makes it; `rows` are those of the cards."""
    removals = history.removals([row + first for row in rows])
    edited_history.smallest_edit(
        history.smallest_edit_text(found, titles, items),
        history.removals_label(rows),
        on_apply=lambda: hand.edit_history(*removals),
    )
