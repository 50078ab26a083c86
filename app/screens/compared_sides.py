"""Choosing what A and B are, and taking the comparison away."""

import json
from typing import Any

import streamlit as st

from app.components import controls
from app.components.share import share
from app.session import compared, notes, open_runs, searches
from app.session.compared import LETTERS, Side
from app.view_models import comparison as view
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


def choose_side(letter: str, other: Side | None) -> Side:
    """A run, its weights and a theta."""
    end = LETTERS[letter]
    st.markdown(f"##### {letter}")
    what, how = st.columns([1.25, 1.9], vertical_alignment="bottom", gap="medium")
    with what:
        run = open_runs.open_run(controls.run_control(list(open_runs.known_runs()), end))
        weights = compared.chosen_weights(run, letter)
        controls.weights_control(
            run.stages, weights, on_choose=lambda chosen: compared.choose_weights(letter, chosen), side=end
        )
    run = open_runs.with_weights(run, weights)
    with how:
        theta, corp = controls.theta_control(compared.usual_decode(run, other), end)
    beam = run.recommender.decode.beam_width
    return Side(letter, run, searches.decode_settings(run, theta=theta, corp=corp, beam=beam))


def take_away(a: Side, b: Side, key: str, at: str, target: int, state: dict[str, str]) -> None:
    """The link that restores the comparison, and what it shows as numbers and as a page."""
    link = permalink(st.context.url or "", state)
    share(
        link,
        file_name=file_name({"a": a.run.name, "b": b.run.name, "user": key, "at": at}),
        document=lambda: json.dumps(document(a, b, key, at, target, link), ensure_ascii=False),
        what="the comparison",
        report=lambda: report_page(document(a, b, key, at, target, link)),
    )


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
