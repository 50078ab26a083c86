"""One user's tree from a stored search whose model is not at hand."""

import streamlit as st

from app.charts import reasoning as charts
from app.components.errors import errors_in_words
from app.components.followed_path import followed_path
from app.components.markup import table
from app.components.search_tree import KEY, legend, search_tree
from app.screens.cohort_users import first_users
from app.session import focus_user, stored_searches, theme
from app.view_models import stored_tree as view
from app.view_models import tree
from app.view_models.cohorts import user_name
from app.view_models.reasoning import plain_markdown
from app.view_models.tree import fate_counts, tree_columns
from reg4rec_core import Cohort, StoredSearch, TraceStore

ROW = 31


def stored_tree(store: TraceStore, cohort: Cohort) -> None:
    """The search of the user that the address names, of the first of the cohort where it names none of the store."""
    asked, first = st.query_params.get("user", ""), stored_searches.ask(first_users, store, cohort)[0]
    with errors_in_words(mild=True):
        draw(stored_searches.search_of(store, asked if stored_searches.knows(store, asked) else user_name(first)))


def draw(found: StoredSearch) -> None:
    """The tree, the node that was clicked in it, and the list."""
    ground = theme.ground()
    path = focus_user.chosen_path()
    length = int(found.trace.step.max())
    focus = tree.find_focus(found.trace, path, min(tree.path_length(path), length) or length)
    st.markdown(f"##### {view.HEADING}: user {plain_markdown(found.user)}")
    st.caption(view.NOTE)
    drawn, listed = st.columns([6, 5], gap="large")
    with drawn:
        legend(fate_counts(found.trace), ground)
        columns, alt = tree_columns(found.trace, fold=False), view.summary(found)
        drawing = charts.search_tree(view.nodes(found), columns, ground, alt=alt)
        followed = charts.followed(drawing["id"], focus, path=path)
        search_tree(drawing, followed=followed)
        followed_path(followed, tree=KEY, on_move=lambda path, step: focus_user.follow(path))
    with listed:
        st.markdown(f"**{view.chosen_words(found, focus)}**")
        rows = view.listed(found)
        st.html(table(rows, numbers=("#", "score"), height=ROW * (len(rows) + 1)))
