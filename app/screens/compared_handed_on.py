"""What leaves the Compare page: notes about both searches, its link, its numbers, and a report."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.share import share
from app.screens.noted import note_popover
from app.screens.reported import Shown
from app.session import compared, notes
from app.session.compared import Side
from app.view_models import comparison as view
from app.view_models.by_hand import ByHand
from app.view_models.reasoning import file_name, history_cards, permalink
from app.view_models.tree import find_focus
from reg4rec_core import (
    ReportedSearch,
    ReportedUser,
    compare_traces,
    comparison_report,
    note_document,
    report_page,
)


def hand_on(a: Side, b: Side, key: str, at: str, target: int, state: Mapping[str, str]) -> None:
    """Notes and Share, side by side; `state` is all that a link has to say."""
    link = permalink(st.context.url or "", dict(state))
    with st.container(horizontal=True, gap="small"):
        facets = {side.run.name: side.run.facets for side in (a, b)}
        note_popover(key, facets, lambda: {side.letter: shown(side, key, at, target, state, link) for side in (a, b)})
        share(
            lambda: link,
            file_name=file_name({"a": a.run.name, "b": b.run.name, "user": key, "at": at}),
            document=lambda: json.dumps(document(a, b, key, at, target, link), ensure_ascii=False),
            what="the comparison",
            report=lambda: report_page(document(a, b, key, at, target, link)),
        )


def shown(side: Side, key: str, at: str, target: int, state: Mapping[str, str], link: str) -> Shown:
    """One side as the page shows it: the path that is followed is its own where the codes are."""
    searched, path = side.search(key, at), state["path"]
    focus = find_focus(searched.trace, state.get("path_b", path) if side.letter == "B" else path, int(state["step"]))
    return Shown(side.run, key, at, searched, focus, target, ByHand(), link)


def document(a: Side, b: Side, key: str, at: str, target: int, link: str) -> dict[str, Any]:
    """The report on both searches of a user as JSON values."""
    first, second = (reported(side, key, at) for side in (a, b))
    comparison, facets = compare_traces(first.trace, second.trace), a.run.facets
    codes_agree = compared.same_codes(a, b)
    said = view.what_differs(first.trace, second.trace, facets, comparison, codes_agree=codes_agree)
    recommender = a.run.recommender
    row = recommender.user_index(key)
    cards = history_cards(facets.catalog, recommender.interactions, row, len(recommender.history(row, at)))
    user = ReportedUser(key, at, a.search(key, at).history, tuple(cards["date"]), target, "")
    names = dict.fromkeys((a.run.name, b.run.name))
    found = [note_document(note) for name in names for note in notes.notes_about(name, key)]
    return comparison_report(user, (first, second), comparison, said, link=link, notes=found)


def reported(side: Side, key: str, at: str) -> ReportedSearch:
    """One side for the report, along the path of its first item."""
    run, searched = side.run, side.search(key, at)
    end = find_focus(searched.trace, "", 0).rows[-1]
    settings = run.recommender.run.settings
    return ReportedSearch(
        side.letter, run.name, run.weights, settings, run.facets, searched.trace, searched.sources, end
    )  # fmt: skip
