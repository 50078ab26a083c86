"""Where the mix of categories shifts: from purchases to recommendations, along the steps, and over time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from app.view_models.reasoning import short_category
from reg4rec_core import CategoryDrift, Cohort, Leaning, Range, StepBeliefs, TimeDrift

SOURCES = {"purchases": "histories", "recommendations": "recommendations"}
PERIODS = ("year", "quarter", "month")
SHOWN_CATEGORIES = 12
SHOWN_PERIODS = 16
LEAST_SHARE = 0.01
"""Of all that is counted: what a period needs to be shown."""
DRIFT_NOTE = (
    "Each row is a category: circle, its share of what they had bought; diamond, its share of the first ten "
    "recommendations. The further apart, the more the model shifts it. JS and PSI at the right say how much the row "
    "adds to the divergence. Click a circle for the users who bought it, a diamond for those it is offered to."
)


CohortOf = Callable[[str], Cohort]
"""The users behind the mark of a category."""


def drift_table(drift: CategoryDrift, *, before: CohortOf | None = None, after: CohortOf | None = None) -> pd.DataFrame:
    """The categories that drift most, strongest first; without `before` and `after` no users stand behind them."""
    rows = [c for c in np.argsort(-drift.psi, kind="stable").tolist() if drift.reference[c] + drift.current[c] > 0]
    return pd.DataFrame(
        [
            {
                "category": short_category(drift.names[c]),
                "before": float(drift.reference[c]),
                "after": float(drift.current[c]),
                "adds": f"JS {drift.js[c]:.4f} · PSI {drift.psi[c]:+.3f}",
                "before_cohort": before(drift.names[c]).to_text() if before else "",
                "after_cohort": after(drift.names[c]).to_text() if after else "",
            }
            for c in rows[:SHOWN_CATEGORIES]
        ],
        columns=["category", "before", "after", "adds", "before_cohort", "after_cohort"],
    )


def drift_sentence(drift: CategoryDrift, before: str = "purchases", after: str = "recommendations") -> str:
    """How far two mixes of categories lie apart, in words that say what the number means."""
    psi, js = float(drift.psi.sum()), float(drift.js.sum())
    word = "little" if psi < 0.1 else "some" if psi < 0.25 else "strong"
    return (
        f"From {drift.counted[0]:,} {before} to {drift.counted[1]:,} {after}: {word} drift. PSI {psi:.3f} (below 0.1 "
        f"counts as little, from 0.25 as strong), Jensen-Shannon divergence {js:.4f} nats (at most 0.693)."
    )


@dataclass(frozen=True)
class HeatTable:
    """Cells of a heat map, one a row (column, row, value, text, said, cohort), and what stands around them."""

    cells: pd.DataFrame
    columns: tuple[str, ...]
    above: tuple[str, ...]
    """What stands over each column."""
    rows: tuple[str, ...]


STEPS_NOTE = (
    "Each column is a step on the way to the first recommendation, each row a category; a cell is the mean belief in "
    "it. Strong cells say where the model is heading; a row that fades or fills shows a change of mind. Above: the "
    "mean divergence (js, nats) by which the step moves the belief. Click a cell for the users for whom its category "
    "is the likeliest after that step."
)


def steps_table(beliefs: StepBeliefs, cohort: Cohort) -> HeatTable:
    """Mean belief by step: the categories that hold most of it at any step."""
    order = np.argsort(-beliefs.mass.max(axis=0, initial=0), kind="stable")[:SHOWN_CATEGORIES].tolist()
    cells = [
        _cell(
            column,
            row,
            float(beliefs.mass[column, c]),
            f"{short_category(beliefs.names[c])}, {_step_name(step)}: {beliefs.mass[column, c]:.1%} of the belief; "
            f"the likeliest for {beliefs.leaning[column, c]:,} of {beliefs.users[column]:,} users",
            cohort.narrowed(leans=Leaning(step, beliefs.names[c])) if beliefs.leaning[column, c] else None,
        )
        for column, step in enumerate(beliefs.steps.tolist())
        for row, c in enumerate(order)
    ]
    js = tuple("" if np.isnan(value) else f"js {value:.3f}" for value in beliefs.js_mean.tolist())
    names = tuple(_step_name(step) for step in beliefs.steps.tolist())
    return HeatTable(
        pd.DataFrame(cells, columns=CELL), names, js, tuple(short_category(beliefs.names[c]) for c in order)
    )


CELL = ["column", "row", "value", "text", "said", "cohort"]


def _step_name(step: int) -> str:
    return f"step {step}" if step else "start"


def _cell(column: int, row: int, value: float, said: str, cohort: Cohort | None) -> dict[str, Any]:
    text = "" if value < 0.005 else f"{value:.0%}"
    return {"column": column, "row": row, "value": value, "text": text, "said": said,
            "cohort": "" if cohort is None else cohort.to_text()}  # fmt: skip


def time_note(source: str, period: str) -> str:
    """How to read the chart of periods, and whom a click lists."""
    what = "purchases made" if source == "purchases" else f"recommendations to users who bought last in that {period}"
    whom = "bought the category at any time" if source == "purchases" else "are offered the category"
    return (
        f"Each column is a {period}, each row a category; a cell is its share of the {what}. Above: the divergence "
        f"from the {period} before (js, nats); where it is high, the mix changed. {period.capitalize()}s with "
        f"less than {LEAST_SHARE:.0%} of all are left out. Click a cell for the users whose last purchase lies in that "
        f"{period} and who {whom}."
    )


def time_table(drift: TimeDrift, cohort: Cohort, source: str, period: str) -> HeatTable:
    """Shares by period, the latest of those that hold enough: the categories with most of what is counted."""
    enough = drift.counts.sum(axis=1) >= LEAST_SHARE * drift.counts.sum()
    shown = np.flatnonzero(enough)[-SHOWN_PERIODS:]
    counts, starts = drift.counts[shown], drift.starts[shown].tolist()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    order = np.argsort(-counts.sum(axis=0), kind="stable")[:SHOWN_CATEGORIES].tolist()
    order = [c for c in order if counts[:, c].any()]
    names = tuple(_period_name(start, period) for start in starts)
    cells = []
    for column, start in enumerate(starts):
        span = Range(start, _period_end(start, period))
        for row, c in enumerate(order):
            said = f"{short_category(drift.names[c])}, {names[column]}: {counts[column, c]:,} {source}, "
            said += f"{shares[column, c]:.1%} of the {period}'s"
            condition = {"bought" if source == "purchases" else "recommended": drift.names[c]}
            cells.append(_cell(column, row, float(shares[column, c]), said, _within(cohort, span, condition)))
    js = _js_between(drift, shown.tolist())
    return HeatTable(pd.DataFrame(cells, columns=CELL), names, js, tuple(short_category(drift.names[c]) for c in order))


def _js_between(drift: TimeDrift, shown: list[int]) -> tuple[str, ...]:
    """The divergence of each period from the one before it, "" where that one is not shown."""
    beside = [place > 0 and shown[place - 1] == row - 1 for place, row in enumerate(shown)]
    return tuple(f"js {drift.js[row]:.3f}" if known else "" for row, known in zip(shown, beside, strict=True))


def _within(cohort: Cohort, span: Range, condition: dict[str, str]) -> Cohort | None:
    """The users of a cohort whose last purchase lies in a span, None where the cohort rules all of them out."""
    low = max(value for value in (span.low, cohort.last.low) if value is not None)
    high = min(value for value in (span.high, cohort.last.high) if value is not None)
    return None if low > high else replace(cohort, last=Range(low, high)).narrowed(**condition)


def _period_name(start: int, period: str) -> str:
    month = np.datetime64(start, "s").astype("datetime64[M]")
    year = str(month.astype("datetime64[Y]"))
    if period == "year":
        return year
    return str(month) if period == "month" else f"{year} Q{int(month.astype(int)) % 12 // 3 + 1}"


def _period_end(start: int, period: str) -> int:
    """Last second of the period that begins then."""
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    month = np.datetime64(start, "s").astype("datetime64[M]") + months
    return int(month.astype("datetime64[s]").astype(np.int64)) - 1
