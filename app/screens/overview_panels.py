"""Parts of the Overview page: whom a run serves least, its number formats, and its training curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.charts import overview as charts
from app.components.figure import figure
from app.components.slice_table import slice_table
from app.session import open_runs, overview, theme
from app.view_models import overview as view


def least_served(run: open_runs.OpenRun, record: overview.RunRecord) -> None:
    """The slices with the lowest recall: of the newest stored search, else of the report, else how to get one."""
    store = overview.newest_store(run.name)
    rows = view.frequency_rows(record.report)
    if store is not None:
        everyone, slices = overview.served_least(store)
        slice_table(view.slice_rows(slices, st.context.url or "", run.name, store.path.name))
        st.caption(view.slices_note(everyone.metrics["recall@10"].mean, stored=True))
    elif rows and record.report:
        slice_table(rows)
        st.caption(view.slices_note(record.report["first_state"]["recall@10"], stored=False))
    else:
        missing(view.NO_COHORTS, f"reg4rec trace --run {run.recommender.run.path}")


def curves(heading: str, said: str, panels: Sequence[view.Panel], *, columns: int) -> None:
    """A stage of training: what came of it, then its curves."""
    st.markdown(f"##### {heading}\n{said}")
    if panels:
        figure(charts.curves(panels, theme.ground(), columns=columns), key=heading, alt=view.panels_summary(panels))


def missing(what: str, command: str) -> None:
    """What is not there yet, and the command that makes it."""
    st.info(what, icon=":material/database:")
    st.code(command, language="bash")


def number_formats(plans: Sequence[Mapping[str, Any]]) -> None:
    """The format of every layer over time."""
    if not plans:
        st.markdown(view.NO_PRECISION)
        return
    said = view.precision_sentence(plans)
    st.markdown(said)
    figure(charts.precision_map(view.precision_table(plans), theme.ground()), key="plans", alt=said)
