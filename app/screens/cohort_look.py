"""What every chart of the Cohorts page shares: whom it is about, and that a click marks the users behind a mark."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.charts import cohorts as charts
from app.charts.palette import Ground
from app.components.clickable_chart import clickable_chart
from app.components.errors import errors_in_words
from app.session import chosen_cohort
from app.view_models import cohorts as view
from reg4rec_core import Cohort, TraceStore


@dataclass(frozen=True)
class Look:
    """What every chart of the page is about."""

    store: TraceStore
    cohort: Cohort
    marked: str
    ground: Ground


def answer(look: Look, questions: dict[str, Callable[[Look], None]]) -> None:
    """Every question under its heading; one that the store cannot answer says what it lacks."""
    for heading, panel in questions.items():
        st.markdown(f"##### {heading}")
        with errors_in_words(mild=True):
            panel(look)


def heat_map(table: view.HeatTable, look: Look, *, key: str, alt: str) -> None:
    option = charts.heat_chart(table, look.marked, look.ground)
    chart(option, key=key, alt=alt, rows=len(table.rows), cohorts={"rows": table.cells["cohort"]})


def chart(option: dict[str, Any], *, key: str, alt: str, rows: int, cohorts: dict[str, Any] | None = None) -> None:
    said = {series: list(texts) for series, texts in (cohorts or {}).items()}
    height = charts.row_height(rows)
    clickable_chart(option, key=f"chart-{key}", alt=alt, height=height, cohorts=said, on_mark=chosen_cohort.mark)
