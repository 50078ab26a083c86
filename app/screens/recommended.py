"""The recommended items, and what was changed by hand did to them."""

import streamlit as st

from app.components import edited_history
from app.components.recommendation_list import recommendation_list
from app.screens.asked import Asked
from app.session import focus_user, searches
from app.view_models import by_hand as words
from app.view_models import history
from app.view_models import reasoning as view
from app.view_models.tree import Focus
from reg4rec_core import compare_traces


def recommended(asked: Asked, searched: searches.Searched, focus: Focus, target: int, by_hand: words.ByHand) -> None:
    """The list, and beside it what was changed by hand did to it."""
    run, trace = asked.run, searched.trace
    st.markdown(f"##### The {len(trace.items)} items it recommends")
    entries = view.recommendations(trace, run.facets, focus, target, searched.sources)
    if not by_hand:
        recommendation_list(entries, on_follow=focus_user.follow)
        return
    plain = searches.search(run, asked.user, asked.at, asked.decode).trace
    with edited_history.changes_beside(history.changes(compare_traces(plain, trace), run.facets.catalog)):
        recommendation_list(entries, on_follow=focus_user.follow)
