"""Which users the Cohorts page is about, and those of them that it lists: every name leads to a search's tree."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components import controls
from app.components.cohort_builder import cohort_form, quick_cohorts
from app.components.user_table import user_table
from app.session import chosen_cohort, stored_searches
from app.view_models import cohorts as view
from app.view_models.links import page_link
from reg4rec_core import Cohort, TraceStore, UserRow, common_brands, count_users, read_cohort, users_of


def whom(store: TraceStore) -> tuple[Cohort, DeltaGenerator]:
    """The row that chooses the cohort; returns it and the place for what is taken away."""
    quick, build, text, take_away = st.columns([6, 2, 2.4, 1.2], vertical_alignment="bottom", gap="medium")
    with text:
        cohort = read_cohort(controls.cohort_text())
    with quick:
        quick_cohorts(cohort, on_choose=chosen_cohort.choose_cohort)
    with build:
        cohort_form(
            cohort,
            categories=store.category_names,
            brands=lambda: stored_searches.ask(common_brands, store, Cohort()),
            on_choose=chosen_cohort.choose_cohort,
        )
    return cohort, take_away


def whom_briefly() -> Cohort:
    """The same without the form, for a page that looks at two stored searches; InputError for a text without sense."""
    quick, text = st.columns([7, 3], vertical_alignment="bottom", gap="medium")
    with text:
        cohort = read_cohort(controls.cohort_text())
    with quick:
        quick_cohorts(cohort, on_choose=chosen_cohort.choose_cohort)
    return cohort


def users(run: str, store: TraceStore, cohort: Cohort, marked: Cohort | None) -> None:
    """Who is behind what is marked, or in the cohort: every name leads to the tree of that search.

    `run` is "" for a store of another recommender, whose trees this page shows itself.
    """
    shown = marked or cohort
    count = stored_searches.ask(count_users, store, shown).users
    st.markdown(f"##### {view.users_title(count, marked=marked is not None)}")
    st.caption(view.users_note(shown, count, marked=marked is not None))
    if marked is not None:
        keep, drop = st.columns(2)
        keep.button("Make them the cohort", key="keep", on_click=chosen_cohort.choose_cohort, args=(marked.to_text(),),
                    disabled=not count)  # fmt: skip
        drop.button("Let go of the mark", key="unmark", on_click=chosen_cohort.mark, args=("",))
    rows = stored_searches.ask(first_users, store, shown)
    settings = store.description.get("settings", {})
    address = st.context.url or ""
    names = [view.user_name(row) for row in rows]
    here = {"store": store.path.name, "cohort": cohort.to_text()}
    links = [
        view.tree_link(address, run, name, settings) if run else page_link(address, "cohorts", here | {"user": name})
        for name in names
    ]
    user_table(view.users_table(rows, links))


def first_users(store: TraceStore, cohort: Cohort) -> tuple[UserRow, ...]:
    return users_of(store, cohort, limit=view.SHOWN_USERS)
