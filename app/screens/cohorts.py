"""For whom it works: all users of a stored search, sliced."""

import plotly.graph_objects as go
import streamlit as st

import reg4rec_core as core
from app import cohort_charts as charts
from app import session
from app.components import controls
from app.components.markup import page_heading
from app.view_models import cohorts as view
from app.view_models.reasoning import sentence
from reg4rec_core import Cohort, InputError, TraceStore, read_cohort

LONGEST = 50


def page() -> None:
    choice = page_heading("For whom it works", view.INTRODUCTION)
    try:
        with choice:
            name = controls.run_control(list(session.known_runs()))
            stores = session.trace_stores(name)
            if stores:
                stored = st.selectbox("Stored search", list(stores), key="store", bind="query-params")
        if not stores:
            st.info(view.NO_STORE)
            st.code(view.make_command(str(session.known_runs()[name])), language="bash")
            return
        store = session.open_trace_store(stores[stored])
        explore(store, read_cohort(st.query_params.get("cohort", "")))
    except InputError as error:
        st.error(sentence(str(error)), icon=":material/error:")


def explore(store: TraceStore, base: Cohort) -> None:
    sizes, what, cold, by_what = st.columns([3, 2.4, 1.6, 3], vertical_alignment="bottom", gap="medium")
    bounds = (1, LONGEST)
    longest = sizes.slider("Purchases in the history", *bounds, value=bounds, key="history", bind="query-params")
    outcome = what.selectbox(
        "Outcome", list(view.OUTCOMES), format_func=view.OUTCOMES.get, key="outcome", bind="query-params"
    )
    is_cold = cold.toggle("Cold targets", key="cold", bind="query-params", help="Seen in training at most four times.")
    by = by_what.selectbox("Sliced by", list(view.SLICES), format_func=view.SLICES.get, key="by", bind="query-params")
    cohort = view.chosen_cohort(base, longest=longest, bounds=bounds, outcome=outcome, cold=is_cold)
    counts = core.count_users(store, cohort)
    share = f"{counts.hits / max(counts.asked, 1):.1%} found among ten"
    st.markdown(
        f"**{counts.users:,} users**, {share}; {counts.pruned_targets:,} missed after pruning towards the target."
    )
    if not counts.users:
        st.info("Nobody is in this cohort; widen a condition.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        table = view.slices_table(core.cohort_metrics(store, cohort), core.metrics_by(store, cohort, by))
        panel("Recall@10 by slice, users in brackets", charts.slice_chart(table, "recall@10"), "slices")
        panel(
            "Belief along the steps of the first path",
            charts.step_chart(view.steps_table(core.mass_along_steps(store, cohort))),
            "steps",
        )
    with right:
        drift = core.history_drift(store, cohort)
        panel(view.drift_sentence(drift), charts.drift_chart(view.drift_table(drift)), "drift")
        times = view.time_table(core.drift_over_time(store, cohort, "histories", "quarter"))
        panel("Drift of purchases from quarter to quarter", charts.time_chart(times), "time")
    st.markdown("##### Users of this cohort")
    st.dataframe(view.users_table(core.users_of(store, cohort, limit=view.SHOWN_USERS)), hide_index=True)


def panel(title: str, figure: go.Figure, key: str) -> None:
    st.markdown(title)
    st.plotly_chart(figure, key=f"chart_{key}", config={"displaylogo": False, "showSendToCloud": False})


page()
