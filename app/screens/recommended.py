"""The recommended items, and what was changed by hand did to them."""

from typing import Any

import streamlit as st

from app.components import edited_history, search_tree
from app.components.recommendation_list import recommendation_list
from app.screens.found import Found
from app.session import searches
from app.view_models import history
from reg4rec_core import compare_traces


def recommended(found: Found, followed: dict[str, Any]) -> None:
    """The list, and beside it what was changed by hand did to it."""
    asked = found.asked
    st.markdown(f"##### The {len(found.trace.items)} items it recommends")
    if not found.by_hand:
        recommendation_list(found.entries, followed=followed, tree=search_tree.KEY)
        return
    plain = searches.search(asked.run, asked.user, asked.at, asked.decode).trace
    with edited_history.changes_beside(history.changes(compare_traces(plain, found.trace), asked.run.facets.catalog)):
        recommendation_list(found.entries, followed=followed, tree=search_tree.KEY)
