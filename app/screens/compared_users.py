"""All users under A and under B, from two stored searches: where they differ, why, and who gained or lost a hit."""

import streamlit as st

from app import cohort_charts as charts
from app.components.controls import choice_control
from app.components.markup import table
from app.components.user_table import flip_table
from app.screens.cohort_comparison import differences
from app.screens.cohort_look import Look, answer, chart
from app.screens.cohort_users import first_users
from app.session import compared, open_runs, stored_searches, theme
from app.session.compared import Side
from app.view_models import cohorts
from app.view_models import comparison as view
from reg4rec_core import Cohort, TraceStore, search_habits


def everyone(a: Side, b: Side, at: str, state: dict[str, str]) -> None:
    """The comparison of all users, or the commands that make what it needs."""
    st.markdown("#### All users")
    paths = [compared.stored_search(side, at) for side in (a, b)]
    missing = [command(side, at) for side, path in zip((a, b), paths, strict=True) if path is None]
    if missing:
        st.info(view.NO_STORES, icon=":material/database:")
        st.code("\n".join(dict.fromkeys(missing)), language="bash")
        return
    if paths[0] == paths[1]:
        st.info(view.SAME, icon=":material/info:")
        return
    first, second = (stored_searches.open_trace_store(path) for path in paths if path)
    questions = {
        "Where they differ": lambda look: where(look, second),
        "Why": lambda look: why(look, second),
        "Who gained or lost a hit": lambda look: who(look, second, (a.run.name, b.run.name), state),
    }
    answer(Look(first, Cohort(), "", theme.ground()), questions)


def command(side: Side, at: str) -> str:
    """How to store the searches of a side."""
    usual = side.run.recommender.decode
    path = str(open_runs.run_path(side.run.name))
    settings = {"theta": side.theta, "beam": side.decode.beam_width, "at": at}
    whole = {"theta": usual.theta, "beam": usual.beam_width}
    return view.trace_command(path, side.run.weights, **settings, whole=whole)


def where(look: Look, second: TraceStore) -> None:
    compared_stores = stored_searches.ask_both(look.store, second, look.cohort)
    words = [cohorts.store_words(store.description) for store in (look.store, second)]
    st.markdown(view.stores_sentence(compared_stores, *words))
    left, right = st.columns(2, gap="large")
    with left:
        differences(compared_stores, look)
    with right:
        by, metric = st.columns(2, gap="medium")
        with by:
            cut = cohorts.SLICES[choice_control("Cut by", list(cohorts.SLICES), key="by")]
        with metric:
            chosen = choice_control("Metric", list(cohorts.METRICS), key="metric")
        st.caption(view.SLICES_NOTE)
        rows = view.slices_table(stored_searches.ask_slices(look.store, second, look.cohort, cut), chosen)
        option = charts.interval_chart(rows, 0.0, "", look.ground)
        chart(option, key="slices-beside", alt=view.SLICES_NOTE, rows=len(rows))


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
