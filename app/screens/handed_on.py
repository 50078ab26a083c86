"""What leaves the Reasoning page: notes about it, its link, its numbers, and a report."""

import json

import streamlit as st

from app.components.notes import notes
from app.components.share import share
from app.screens.reported import Shown, document
from app.session import notes as kept
from app.view_models import notes as note_view
from app.view_models import reasoning as view
from reg4rec_core import InputError, Note, format_edits, report_page, search_graphml


def hand_on(shown: Shown, file_name: str) -> None:
    """Notes and Share, side by side."""
    catalog = shown.run.facets.catalog
    left, right = st.columns(2, gap="xsmall")
    with left:
        note_popover(shown)
    with right:
        share(
            shown.link,
            file_name=file_name,
            document=lambda: view.trace_json(catalog, shown.searched.trace, shown.by_hand.texts),
            report=lambda: report_page(document(shown)),
            twin=lambda: json.dumps(document(shown), ensure_ascii=False),
            graph=lambda: search_graphml(shown.searched.trace, shown.run.facets),
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
                edits=format_edits(shown.by_hand.edits), history=tuple(keys[item] for item in shown.searched.history),
                path=subject.path, item=subject.item, label=label, tag=tag, text=text, link=shown.link,
            )
        )  # fmt: skip

    try:
        count = len(kept.notes_about(run.name, shown.key))
    except InputError as error:
        st.button("Notes", icon=":material/edit_note:", disabled=True, help=view.sentence(str(error)), width="stretch")
        return
    notes(
        count,
        [subject.name for subject in about],
        rows=lambda: note_view.note_rows(kept.notes_about(run.name, shown.key), facets),
        on_keep=keep,
        on_drop=kept.drop,
        export=kept.lines,
    )
