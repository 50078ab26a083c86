"""The search that the Reasoning page shows, and the report on it."""

from dataclasses import dataclass
from typing import Any

from app.session import notes as kept
from app.session.open_runs import OpenRun
from app.session.searches import Searched
from app.view_models.by_hand import ByHand, changes_text
from app.view_models.history import edited_cards
from app.view_models.reasoning import history_cards
from app.view_models.tree import Focus
from reg4rec_core import HISTORY_LENGTH, ReportedSearch, ReportedUser, format_edits, note_document, search_report


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
    by_hand: ByHand
    link: str


def document(shown: Shown) -> dict[str, Any]:
    """The report on the search as JSON values; `report_page` draws it."""
    run, searched, by_hand = shown.run, shown.searched, shown.by_hand
    recommender, catalog = run.recommender, run.facets.catalog
    row = recommender.user_index(shown.key)
    bought = history_cards(catalog, recommender.interactions, row, len(recommender.history(row, shown.at)))
    dates = tuple(edited_cards(bought, by_hand.edits, catalog, length=HISTORY_LENGTH)["date"])
    asked = changes_text(by_hand, run.facets, allowed=catalog.n_items - 1 - len(searched.barred))
    edits = format_edits(by_hand.edits)
    user = ReportedUser(shown.key, shown.at, searched.history, dates, shown.target, edits, asked)
    reported = ReportedSearch(
        "", run.name, run.weights, run.recommender.run.settings, run.facets, searched.trace, searched.sources,
        shown.focus.rows[-1],
    )  # fmt: skip
    found = [note_document(note) for note in kept.notes_about(run.name, shown.key)]
    return search_report(user, reported, link=shown.link, notes=found)
