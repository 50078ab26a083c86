"""Why two stored searches differ, and who gained or lost a hit."""

import streamlit as st

from app.charts import cohorts as charts
from app.components.controls import choice_control
from app.components.markup import table
from app.components.user_table import flip_table
from app.screens.cohort_look import Look, chart
from app.screens.cohort_users import first_users
from app.session import stored_searches
from app.view_models import cohorts
from app.view_models import comparison as view
from reg4rec_core import TraceStore, search_habits


def why(look: Look, second: TraceStore) -> None:
    a, b = (stored_searches.ask(search_habits, store, look.cohort) for store in (look.store, second))
    st.markdown(view.habits_sentence(a, b))
    left, right = st.columns(2, gap="large")
    with left:
        st.caption(view.HABITS_NOTE)
        rows = view.habits_table(a, b)
        st.html(table(rows, numbers=list(rows), height=32 * (len(rows) + 1) + 20))
    with right:
        steps = [str(step) for step in range(1, min(len(a.steps), len(b.steps)) + 1)]
        step = int(choice_control("Facets asked at step", steps, key="load"))
        st.caption(view.LOAD_NOTE)
        load = view.load_table(a, b, step)
        option = charts.drift_chart(load, ("A", "B"), "", look.ground)
        chart(option, key="load-beside", alt=view.LOAD_NOTE, rows=len(load))


def who(look: Look, second: TraceStore, runs: tuple[str, str], state: dict[str, str]) -> None:
    compared_stores = stored_searches.ask_both(look.store, second, look.cohort)
    address = st.context.url or ""
    settings = [store.description.get("settings", {}) for store in (look.store, second)]
    groups = (("gained", compared_stores.gained_users), ("lost", compared_stores.lost_users))
    for column, (kind, users) in zip(st.columns(2, gap="large"), groups, strict=True):
        with column:
            st.markdown(f"**{view.flips_title(kind, len(users.users or ()))}**")
            before = stored_searches.ask(first_users, look.store, users)
            after = stored_searches.ask(first_users, second, users)
            links = [view.flip_links(address, state, cohorts.user_name(row), runs, settings) for row in before]
            flip_table(view.flip_rows(before, after, links=links))
