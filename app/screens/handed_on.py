"""What leaves the Reasoning page: notes about it, its link, its numbers, and a report."""

import json

import streamlit as st

from app.components.share import share
from app.screens.noted import note_popover
from app.screens.reported import Shown, document
from app.view_models import reasoning as view
from reg4rec_core import report_page, search_graphml


def hand_on(shown: Shown, file_name: str) -> None:
    """Notes and Share, side by side."""
    catalog = shown.run.facets.catalog
    left, right = st.columns(2, gap="xsmall")
    with left:
        note_popover({"": shown})
    with right:
        share(
            shown.link,
            file_name=file_name,
            document=lambda: view.trace_json(catalog, shown.searched.trace, shown.by_hand.texts),
            report=lambda: report_page(document(shown)),
            twin=lambda: json.dumps(document(shown), ensure_ascii=False),
            graph=lambda: search_graphml(shown.searched.trace, shown.run.facets),
        )
