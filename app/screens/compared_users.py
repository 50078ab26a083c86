"""All users under A and under B, from two stored searches: where they differ."""

import streamlit as st

from app.charts import cohorts as charts
from app.components.controls import choice_control
from app.components.errors import errors_in_words
from app.screens.cohort_comparison import differences
from app.screens.cohort_look import Look, answer, chart
from app.screens.cohort_users import whom_briefly
from app.screens.compared_reasons import who, why
from app.screens.compared_stores import how_to_store
from app.session import compared, stored_searches, theme
from app.session.compared import Side
from app.view_models import cohorts
from app.view_models import comparison as view
from reg4rec_core import TraceStore, count_users


def everyone(a: Side, b: Side, at: str, state: dict[str, str]) -> None:
    """The comparison of all users, or the commands that make what it needs."""
    st.markdown(f"##### {view.MANY_USERS}")
    if not compared.same_users(a, b):
        st.info(view.OTHER_USERS, icon=":material/info:")
        return
    paths = [compared.stored_search(side, at) for side in (a, b)]
    missing = [side for side, path in zip((a, b), paths, strict=True) if path is None]
    if missing:
        how_to_store(missing, at)
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
    with errors_in_words():
        cohort = whom_briefly()
        st.markdown(f"**{cohorts.cohort_sentence(cohort)}**")
        if stored_searches.ask(count_users, first, cohort).users:
            answer(Look(first, cohort, "", theme.ground()), questions)
        else:
            st.info(cohorts.NOBODY)


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
