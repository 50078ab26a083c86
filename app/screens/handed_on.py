"""What leaves the Reasoning page: notes about it, its link, its numbers, and a report."""

import json

import streamlit as st

from app.components import notes
from app.components import share as shared
from app.screens.found import Found
from app.screens.noted import note_popover
from app.screens.reported import Shown, document
from app.session import address, focus_user
from app.view_models import reasoning as view
from app.view_models.tree import find_focus
from reg4rec_core import report_page, search_graphml


def is_handing_on() -> bool:
    """Whether notes or the link lie open."""
    return bool(st.session_state.get(notes.KEY) or st.session_state.get(shared.KEY))


def hand_on(found: Found) -> None:
    """Notes and Share, side by side; both tell of the path and the step that are followed when they are opened."""
    asked, what = found.asked, named(found)
    left, right = st.columns(2, gap="xsmall")
    with left:
        note_popover(asked.key, {asked.run.name: asked.run.facets}, lambda: {"": shown(found)})
    with right:
        shared.share(
            lambda: shown(found).link,
            file_name=view.file_name(what | found.by_hand.saved_as),
            document=lambda: view.trace_json(asked.run.facets.catalog, found.trace, found.by_hand.texts),
            report=lambda: report_page(document(shown(found))),
            twin=lambda: json.dumps(document(shown(found)), ensure_ascii=False),
            graph=lambda: search_graphml(found.trace, asked.run.facets),
        )


def named(found: Found) -> dict[str, str]:
    """Whose search it is, by the names in the address."""
    asked = found.asked
    return {"run": asked.run.name, "weights": asked.run.weights, "user": asked.key, "at": asked.at}


def shown(found: Found) -> Shown:
    """The search along the path and at the step that are followed now."""
    asked, trace, last = found.asked, found.trace, int(found.trace.step.max())
    focus = find_focus(trace, focus_user.chosen_path(), focus_user.chosen_step(last, default=trace.check_from))
    state = view.link_state(asked.decode, focus, trace) | {"thetas": asked.thetas} | found.by_hand.texts
    choices = address.choices(view.CHOICES)
    link = view.permalink(st.context.url or "", named(found) | state | choices)
    return Shown(asked.run, asked.key, asked.at, found.searched, focus, found.target, found.by_hand, link)
