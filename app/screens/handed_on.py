"""What leaves the Reasoning page: notes about it, its link, its numbers, and a report."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app.components.notes import notes
from app.components.share import share
from app.session import notes as kept
from app.session.open_runs import OpenRun
from app.session.searches import Searched
from app.view_models import notes as note_view
from app.view_models import reasoning as view
from app.view_models.tree import Focus
from reg4rec_core import (
    Edit,
    Note,
    ReportedSearch,
    ReportedUser,
    format_edits,
    note_document,
    report_page,
    search_report,
)


@dataclass(frozen=True)
class Shown:
    """One search as the page shows it."""

    run: OpenRun
    key: str
    """The user's."""
    at: str
    searched: Searched
    focus: Focus
    target: int
    cards: pd.DataFrame
    """The history, a row a card."""
    edits: tuple[Edit, ...]
    link: str


def hand_on(shown: Shown, file_name: str) -> None:
    """Notes and Share, side by side."""
    catalog = shown.run.facets.catalog
    with st.container(horizontal=True, gap="small"):
        note_popover(shown)
        share(
            shown.link,
            file_name=file_name,
            document=lambda: view.trace_json(catalog, shown.searched.trace),
            report=lambda: report_page(document(shown)),
        )


def note_popover(shown: Shown) -> None:
    """Notes about the chosen branch and the recommended items of this user."""
    run, facets = shown.run, shown.run.facets
    about = note_view.subjects(shown.searched.trace, facets, shown.focus)

    def keep(place: int, label: int, tag: str, text: str) -> None:
        subject, keys = about[place], facets.catalog.item_keys
        kept.keep(
            Note(
                run=run.name, weights=run.weights, user=shown.key, at=shown.at, theta=shown.searched.trace.theta,
                edits=format_edits(shown.edits), history=tuple(keys[item] for item in shown.searched.history),
                path=subject.path, item=subject.item, label=label, tag=tag, text=text, link=shown.link,
            )
        )  # fmt: skip

    notes(
        len(kept.notes_about(run.name, shown.key)),
        [subject.name for subject in about],
        rows=lambda: note_view.note_rows(kept.notes_about(run.name, shown.key), facets),
        on_keep=keep,
        on_drop=kept.drop,
        export=kept.lines,
    )


def document(shown: Shown) -> dict:
    """The report on the search as JSON values; `report_page` draws it."""
    run, searched = shown.run, shown.searched
    dates = tuple(shown.cards["date"])
    user = ReportedUser(shown.key, shown.at, searched.history, dates, shown.target, format_edits(shown.edits))
    reported = ReportedSearch(
        "", run.name, run.weights, run.recommender.run.settings, run.facets, searched.trace, searched.sources,
        shown.focus.rows[-1],
    )  # fmt: skip
    found = [note_document(note) for note in kept.notes_about(run.name, shown.key)]
    return search_report(user, reported, link=shown.link, notes=found)
