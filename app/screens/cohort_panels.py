"""The charts of the Cohorts page about one stored search, one function a question."""

import streamlit as st

from app.charts import cohorts as charts
from app.components.controls import choice_control
from app.screens.cohort_look import Look, chart, heat_map
from app.session import stored_searches
from app.view_models import cohorts as view
from reg4rec_core import (
    Cohort,
    CohortCounts,
    TraceStore,
    cohort_metrics,
    drift_over_time,
    mass_along_steps,
    metrics_by,
)
from reg4rec_core import history_drift as drift_from_histories


def glance(look: Look, counts: CohortCounts) -> list[tuple[str, str, str]]:
    everyone = stored_searches.ask(cohort_metrics, look.store, Cohort())
    return view.cards(counts, stored_searches.ask(cohort_metrics, look.store, look.cohort), everyone)


def slices(look: Look) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        by = view.SLICES[choice_control("Cut by", list(view.SLICES), key="by")]
    with right:
        metric = choice_control("Metric", list(view.METRICS), key="metric")
    st.caption(view.slices_note(metric))
    table = view.slices_table(stored_searches.ask(metrics_by, look.store, look.cohort, by), metric)
    whole = stored_searches.ask(cohort_metrics, look.store, look.cohort).metrics[metric].mean
    option = charts.interval_chart(table, whole, look.marked, look.ground)
    chart(option, key="slices", alt=view.slices_note(metric), rows=len(table), cohorts={"rows": table["cohort"]})


def history_drift(look: Look) -> None:
    drift = stored_searches.ask(drift_from_histories, look.store, look.cohort)
    table = view.drift_table(
        drift,
        before=lambda name: look.cohort.narrowed(bought=name),
        after=lambda name: look.cohort.narrowed(recommended=name),
    )
    st.markdown(view.drift_sentence(drift))
    st.caption(view.DRIFT_NOTE)
    option = charts.drift_chart(table, ("purchases", "recommendations"), look.marked, look.ground)
    cohorts = {"before": table["before_cohort"], "after": table["after_cohort"]}
    chart(option, key="drift", alt=view.drift_sentence(drift), rows=len(table), cohorts=cohorts)


def steps(look: Look) -> None:
    st.caption(view.STEPS_NOTE)
    table = view.steps_table(stored_searches.ask(mass_along_steps, look.store, look.cohort), look.cohort)
    heat_map(table, look, key="steps", alt=view.STEPS_NOTE)


def time(look: Look) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        source = choice_control("What is counted", list(view.SOURCES), key="source")
    with right:
        period = choice_control("By", list(view.PERIODS), key="period")
    st.caption(view.time_note(source, period))
    drift = stored_searches.ask(drift_over_time, look.store, look.cohort, view.SOURCES[source], period)
    heat_map(view.time_table(drift, look.cohort, source, period), look, key="time", alt=view.time_note(source, period))


def document(store: TraceStore, cohort: Cohort) -> str:
    """The numbers of the page for a file, cut as the page cuts them."""
    by = view.SLICES.get(st.query_params.get("by", ""), "history")
    whole = stored_searches.ask(cohort_metrics, store, cohort)
    parts = stored_searches.ask(metrics_by, store, cohort, by)
    return view.cohort_json(whole, parts, stored_searches.ask(drift_from_histories, store, cohort))
