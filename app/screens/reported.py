"""The search that the Reasoning page shows, and the report on it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from app.session import notes as kept
from app.session.open_runs import OpenRun
from app.session.searches import Searched
from app.view_models.tree import Focus
from reg4rec_core import Edit, ReportedSearch, ReportedUser, format_edits, note_document, search_report


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


def document(shown: Shown) -> dict[str, Any]:
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
