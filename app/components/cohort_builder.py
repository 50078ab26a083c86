"""Choosing whom to look at: cohorts one click away, and a form with every condition there is."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from app.view_models.cohorts import OUTCOMES, QUICK, QUICK_HELP
from app.view_models.reasoning import short_category
from reg4rec_core import Cohort, Range

RANGES = {
    "history": ("Purchases in the history", "from", "to"),
    "active": ("Days from first to last purchase", "from", "to"),
    "seen": ("Times training saw the target (cold: 0 to 4)", "from", "to"),
}
CATEGORIES = {
    "main": "Category bought most often",
    "bought": "Bought from category",
    "target": "Category of the target",
    "recommended": "Offered a category",
}
DAY = timedelta(days=1)
BUILDER, ANSWERED = "builder", "builder answered"


def quick_cohorts(cohort: Cohort, *, on_choose: Callable[[str], None]) -> None:
    """Cohorts that need no form; the one that is looked at stands out."""
    st.session_state["quick"] = next((name for name, known in QUICK.items() if known == cohort), None)

    def choose() -> None:
        on_choose(QUICK[st.session_state["quick"] or "everyone"].to_text())

    st.pills("Whom to look at", list(QUICK), key="quick", on_change=choose, help=QUICK_HELP)


@st.fragment
def cohort_form(
    cohort: Cohort,
    *,
    categories: Sequence[str],
    brands: Callable[[], Sequence[str]],
    on_choose: Callable[[str], None],
) -> None:
    """Every condition that a form can ask; what else the cohort says (chosen users, leanings) is kept.

    Drawn when it is opened: its lists are long, and every look at the page would pay for them.
    """
    builder = st.popover("Build a cohort", icon=":material/tune:", key=BUILDER, on_change="rerun", width="stretch")
    if not builder.open:
        if st.session_state.pop(ANSWERED, False):
            st.rerun()  # the whole page is about other users now
        return

    def choose() -> None:
        on_choose(_answers(cohort).to_text())
        st.session_state[BUILDER], st.session_state[ANSWERED] = False, True

    with builder, st.form("cohort_form", border=False):
        for name, (label, low, high) in RANGES.items():
            span = getattr(cohort, name)
            _pair(label, [(f"{name}_low", low, span.low), (f"{name}_high", high, span.high)])
        _days(cohort.last)
        left, right = st.columns(2, gap="medium")
        for place, (name, label) in enumerate(CATEGORIES.items()):
            with (left, right)[place % 2]:
                _name(name, label, getattr(cohort, name), categories)
        common = brands()
        with left:
            _name("brand", "Bought the brand", cohort.brand, common)
            _name("maker", "Brand of the target", cohort.maker, common)
        with right:
            _set("outcome", cohort.outcome)
            st.selectbox("What became of the target", list(OUTCOMES), format_func=OUTCOMES.get, key=_key("outcome"))
        st.form_submit_button("Look at these users", type="primary", on_click=choose)


def _key(name: str) -> str:
    return f"cohort {name}"


def _set(name: str, value: Any) -> None:
    st.session_state[_key(name)] = value


def _pair(label: str, fields: list[tuple[str, str, int | None]]) -> None:
    """Two ends of a range; an empty one is open."""
    for place, (name, end, value) in zip(st.columns(2, gap="medium"), fields, strict=True):
        _set(name, value)
        place.number_input(f"{label}, {end}", min_value=0, max_value=10**6, step=1, key=_key(name), placeholder="any")


def _days(span: Range) -> None:
    for place, name, end, second in zip(
        st.columns(2, gap="medium"), ("last_low", "last_high"), ("from", "until"), (span.low, span.high), strict=True
    ):
        _set(name, None if second is None else datetime.fromtimestamp(second, UTC).date())
        place.date_input(
            f"Last purchase, {end}", key=_key(name), min_value=date(1970, 1, 1), max_value=date(2100, 1, 1)
        )


def _name(name: str, label: str, value: str, names: Sequence[str]) -> None:
    _set(name, value)
    options = list(dict.fromkeys(("", value, *names)))
    st.selectbox(label, options, format_func=lambda text: short_category(text) or "any", key=_key(name))


def _answers(cohort: Cohort) -> Cohort:
    """The cohort as the form says it; ends in the wrong order change places."""
    said = {name: st.session_state[_key(name)] for name in (*CATEGORIES, "brand", "maker", "outcome")}
    ranges = {name: _range(*(st.session_state[_key(f"{name}_{end}")] for end in ("low", "high"))) for name in RANGES}
    first, last = (st.session_state[_key(f"last_{end}")] for end in ("low", "high"))
    days = _range(_second(first), None if last is None else _second(last + DAY) - 1)
    return Cohort(**said, **ranges, last=days, codes=cohort.codes, leans=cohort.leans, users=cohort.users)


def _range(low: int | None, high: int | None) -> Range:
    return Range(high, low) if low is not None and high is not None and low > high else Range(low, high)


def _second(day: date | None) -> int | None:
    return None if day is None else int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
