"""The Cohorts page in plain tables and sentences: for whom the model works, and where the categories drift.

A row of a table that stands for users has them as the text of their cohort, `cohort`; "" where there is none.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from app.view_models.links import page_link
from app.view_models.reasoning import date_text, short_category, weights_name
from reg4rec_core import (
    CategoryDrift,
    Cohort,
    CohortCounts,
    Leaning,
    PathCodes,
    Range,
    SliceMetrics,
    StepBeliefs,
    StoreComparison,
    TimeDrift,
    UserRow,
    facet_letter,
)

INTRODUCTION = (
    "Every user of a stored search: choose whom to look at, see how well the model serves them, and where the "
    "categories it recommends drift away from what they bought."
)
NO_STORE = (
    "This page needs the searches of many users, made once and kept beside the run; this run has none yet. "
    "Search a sample here, or all users with the command below, and reload the page. Searches of any other recommender "
    "can be looked at, too: two tables in a folder under checkpoints/ are enough (the README says which)."
)
SAMPLES = (500, 2000)
"""Users that the page itself searches."""
SAMPLE_NOTE = (
    "500 users take about a quarter of a minute on an idle machine. They are drawn at random and stored in the run."
)
NOBODY = "Nobody is in this cohort. Choose everyone above, or widen a condition."
MOMENTS = {"test": "the last purchase", "valid": "the last but one", "now": "what comes next"}
STORE_HELP = (
    "Searches of all users, made with `reg4rec trace`: split, weights, and a short code of the settings. Searches of "
    "another recommender are listed too when their tables lie in a folder under checkpoints/."
)
GLANCE = "At a glance"
QUICK = {
    "everyone": Cohort(),
    "short histories": Cohort(history=Range(None, 4)),
    "long histories": Cohort(history=Range(20, None)),
    "cold targets": Cohort(seen=Range(0, 4)),
    "found": Cohort(outcome="hit"),
    "missed": Cohort(outcome="miss"),
    "target pruned": Cohort(outcome="pruned"),
}
"""Cohorts one click away."""
QUICK_HELP = (
    "Short: at most 4 purchases; long: 20 and more. Cold: training saw the target at most 4 times. Found: the target "
    "is among the first ten. Target pruned: missed, after a candidate that led to it had been pruned."
)
SLICES = {
    "history length": "history",
    "days active": "active",
    "last purchase": "last",
    "how often training saw the target": "seen",
    "category of the target": "target",
    "brand of the target": "maker",
    "main category": "main",
}
"""What the page calls the slices of the core."""
METRICS = ("recall@10", "ndcg@10", "recall@5", "ndcg@5")
METRIC_WORDS = {
    "recall": "share of users whose next purchase is among the first {k} recommendations",
    "ndcg": "the same share, a place further down the first {k} counting less",
}
SOURCES = {"purchases": "histories", "recommendations": "recommendations"}
PERIODS = ("year", "quarter", "month")
NAME_WORDS = {
    "main": "bought mostly {}",
    "bought": "bought {}",
    "brand": "bought the brand {}",
    "maker": "target of the brand {}",
    "target": "target in {}",
    "recommended": "offered {}",
}
BRANDS = ("brand", "maker")
"""Of these names, which are brands."""
OUTCOMES = {"any": "any", "hit": "found among ten", "miss": "missed", "pruned": "missed, target pruned"}
SHOWN_CATEGORIES = 12
SHOWN_PERIODS = 16
SHOWN_USERS = 60
LEAST_SHARE = 0.01
"""Of all that is counted: what a period needs to be shown."""


def make_command(run: str, weights: str = "") -> str:
    """The command that makes a store for this page."""
    return f"reg4rec trace --run {run}" + (f" --weights {weights}" if weights else "")


def other_weights(weights: str | None) -> str:
    """The stage whose weights a store is to be compared with."""
    return "pretrained" if weights != "pretrained" else "post_trained"


def store_words(description: dict[str, Any]) -> str:
    """Whose searches a store holds: weights, users, theta and when it was asked."""
    settings = description.get("settings", {})
    decode = settings.get("decode", {})
    parts = [f"{weights_name(settings['weights'])} weights"] if "weights" in settings else []
    if "users" in description:
        sampled = "a sample of " if settings.get("users") else ""
        parts.append(f"{sampled}{description['users']:,} users")
    if "theta" in decode:
        theta = decode["theta"]
        parts.append("no pruning" if theta is None else f"θ {theta:g} from step {decode['check_from']}")
    if settings.get("split") in MOMENTS:
        parts.append(f"asked for {MOMENTS[settings['split']]}")
    return ", ".join(parts) or "a stored search that says nothing of how it was made"


def foreign_footer(name: str, description: dict[str, Any]) -> str:
    """Where the numbers of a store come from whose recommender is not at hand, as far as its store.json says."""
    known = {
        "made by": description.get("model"),
        "revision": description.get("git_revision"),
        "data": str(description.get("data_checksum", ""))[:12],
    }
    said = [f"{word} {value}" for word, value in known.items() if value]
    drawn = sample(description)
    origin = said or ["its store.json does not say what made it, with which revision, of which data"]
    return " · ".join([f"Stored search {name} of another recommender", *origin, *([drawn] if drawn else [])])


def store_weights(description: dict[str, Any]) -> str:
    """The training stage whose weights searched, "" where the store does not say."""
    return str(description.get("settings", {}).get("weights", ""))


def sample(description: dict[str, Any]) -> str:
    """How the users of a store were drawn."""
    settings, users = description.get("settings", {}), description.get("users")
    if users is None:
        return ""
    drawn = f"{users:,} users drawn at random, seed {settings.get('seed', 0)}"
    return drawn if settings.get("users") else f"all {users:,} users, no sample"


def cohort_words(cohort: Cohort) -> list[str]:
    """Every condition of a cohort in words; none for everyone."""
    words = [
        _range_words(cohort.history, "{} purchases"),
        _range_words(cohort.active, "active for {} days"),
        _range_words(cohort.seen, "target seen {} times in training"),
        _time_words(cohort.last),
    ]
    for name, said in NAME_WORDS.items():
        value = getattr(cohort, name)
        words.append(said.format(value if name in BRANDS else short_category(value)) if value else "")
    if cohort.codes is not None:
        words.append(_codes_words(cohort.codes))
    if cohort.leans is not None:
        when = f"after step {cohort.leans.step}" if cohort.leans.step else "before any step"
        words.append(f"belief leans to {short_category(cohort.leans.category)} {when}")
    words.append("" if cohort.outcome == "any" else OUTCOMES[cohort.outcome])
    words.append("" if cohort.users is None else f"{len(cohort.users):,} chosen users")
    return [word for word in words if word]


def _codes_words(used: PathCodes) -> str:
    letter, many = facet_letter(used.codebook), len(used.codes)
    which = ", ".join(f"{letter}{code}" for code in used.codes[:4]) + (", …" if many > 4 else "")
    codes = f"code {which}" if many == 1 else f"one of {many} codes of facet {letter} ({which})"
    return f"a path to one of their ten items uses {codes}"


def _range_words(span: Range, said: str) -> str:
    if span.is_open:
        return ""
    if span.low == span.high:
        return said.format(span.low)
    if span.high is None:
        return said.format(f"{span.low} or more")
    return said.format(f"at most {span.high}" if not span.low else f"{span.low} to {span.high}")


def _time_words(span: Range) -> str:
    parts = [] if span.low is None else [f"from {date_text(span.low)}"]
    parts += [] if span.high is None else [f"until {date_text(span.high)}"]
    return f"last purchase {' '.join(parts)}" if parts else ""


def cohort_sentence(cohort: Cohort) -> str:
    words = cohort_words(cohort)
    return "Everyone" if not words else "Users: " + " · ".join(words)


def cards(counts: CohortCounts, whole: SliceMetrics, everyone: SliceMetrics) -> list[tuple[str, str, str]]:
    """The cohort at a glance: name, value, and what to compare it with."""
    rows = [("users", f"{counts.users:,}", f"of {everyone.users:,} in this stored search")]
    for name in METRICS[:2]:
        interval, usual = whole.metrics[name], everyone.metrics[name].mean
        beside = "" if whole.users == everyone.users else f"; everyone {usual:.3f}"
        rows.append((_metric_name(name), f"{interval.mean:.3f}", f"95 %: {_span(interval.low, interval.high)}{beside}"))
    misses = f"of {counts.misses:,} missed targets"
    return [*rows, ("target pruned on the way", f"{counts.pruned_targets:,}", misses)]


def _metric_name(name: str) -> str:
    return name.replace("recall", "Recall").replace("ndcg", "NDCG")


def _span(low: float, high: float) -> str:
    return f"{low:.3f} to {high:.3f}"


def slices_note(metric: str) -> str:
    """How to read the chart of slices."""
    kind, k = metric.split("@")
    return (
        f"{_metric_name(metric)}: {METRIC_WORDS[kind].format(k=k)}. Dot: the slice; bar: its 95 % interval, wide where "
        "users are few (n); dashed: the whole cohort. A slice whose bar misses the dashed line differs from it. "
        "Click a dot to list its users."
    )


def slices_table(slices: Sequence[SliceMetrics], metric: str) -> pd.DataFrame:
    """One row a slice: its name with the number of users, the metric and its interval."""
    return pd.DataFrame(
        [
            {
                "name": f"{short_category(part.name)}  (n {part.users:,})",
                "mean": part.metrics[metric].mean,
                "low": part.metrics[metric].low,
                "high": part.metrics[metric].high,
                "said": f"{short_category(part.name)}: {metric} {part.metrics[metric].mean:.3f}, 95 % "
                f"{_span(part.metrics[metric].low, part.metrics[metric].high)}, {part.users:,} users",
                "cohort": part.cohort.to_text(),
            }
            for part in slices
        ],
        columns=["name", "mean", "low", "high", "said", "cohort"],
    )


DRIFT_NOTE = (
    "Each row is a category: circle, its share of what they had bought; diamond, its share of the first ten "
    "recommendations. The further apart, the more the model shifts it. JS and PSI at the right say how much the row "
    "adds to the divergence. Click a circle for the users who bought it, a diamond for those it is offered to."
)


def drift_table(drift: CategoryDrift, *, before: Sequence[str], after: Sequence[str]) -> pd.DataFrame:
    """The categories that drift most, strongest first; `before` and `after` are cohorts by category."""
    rows = [c for c in np.argsort(-drift.psi, kind="stable").tolist() if drift.reference[c] + drift.current[c] > 0]
    return pd.DataFrame(
        [
            {
                "category": short_category(drift.names[c]),
                "before": float(drift.reference[c]),
                "after": float(drift.current[c]),
                "adds": f"JS {drift.js[c]:.4f} · PSI {drift.psi[c]:+.3f}",
                "before_cohort": before[c],
                "after_cohort": after[c],
            }
            for c in rows[:SHOWN_CATEGORIES]
        ],
        columns=["category", "before", "after", "adds", "before_cohort", "after_cohort"],
    )


def bought_and_offered(cohort: Cohort, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """By category, the users of a cohort who bought it, and those it is recommended to."""
    return (
        [cohort.narrowed(bought=name).to_text() for name in names],
        [cohort.narrowed(recommended=name).to_text() for name in names],
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


COMPARE_NOTE = (
    "Dot: how much higher a metric is with the second search than with the first, for the same users; bar: its 95 % "
    "interval. Right of the dashed zero the second is better; a bar that touches zero could be chance."
)
NO_OTHER = (
    "There is no second stored search to compare with. This makes one of the other weights, for the same users if the "
    "first was made with the same settings:"
)


def differences_table(comparison: StoreComparison) -> pd.DataFrame:
    """One row a metric: second minus first, with its interval."""
    rows = []
    for name in METRICS:
        change = comparison.differences[name]
        said = f"{_metric_name(name)}: {change.mean:+.4f}, 95 % {change.low:+.4f} to {change.high:+.4f}"
        rows.append({"name": _metric_name(name), "mean": change.mean, "low": change.low, "high": change.high,
                     "said": said, "cohort": ""})  # fmt: skip
    return pd.DataFrame(rows)


def comparison_sentence(comparison: StoreComparison, first: str, second: str) -> str:
    return (
        f"First: {first}. Second: {second}. {comparison.users:,} users of this cohort are in both. Only the second "
        f"finds the target of {comparison.gained:,}, only the first that of {comparison.lost:,}."
    )


def users_title(count: int, *, marked: bool) -> str:
    return f"{count:,} {'user' if count == 1 else 'users'} {'behind the mark' if marked else 'of this cohort'}"


def users_note(shown: Cohort, count: int, *, marked: bool) -> str:
    """Who is listed, how many of them, and what a click does."""
    who = f"{cohort_sentence(shown)}. " if marked else "Click a mark in a chart to list the users behind it. "
    if not count:
        return f"{who}Nobody meets all of this."
    cut = f"The first {SHOWN_USERS} are listed. " if count > SHOWN_USERS else ""
    return f"{who}{cut}A name opens the tree of that user's search."


def user_name(row: UserRow) -> str:
    """The user's key, or the row where the store has no keys."""
    return row.key if row.key is not None else str(row.user)


def users_table(rows: Sequence[UserRow], links: Sequence[str]) -> list[dict[str, str]]:
    """Users to look at, each with the link to the tree of their search; numbers that a store lacks stay empty."""
    return [
        {
            "user": user_name(row),
            "link": link,
            "purchases": _number(row.history_length),
            "target": _place(row),
            "pruned": _number(row.pruned),
        }
        for row, link in zip(rows, links, strict=True)
    ]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _place(row: UserRow) -> str:
    if row.target is None:
        return ""
    if row.place is not None:
        return f"found, place {row.place}"
    return "missed" if row.pruned_target is None else f"missed, pruned at step {row.pruned_target}"


def tree_link(address: str, run: str, key: str, settings: dict[str, Any]) -> str:
    """The Reasoning page on a user, with the weights and the settings of the stored search."""
    decode = settings.get("decode", {})
    theta = decode.get("theta")
    state = {
        "run": run,
        "user": key,
        "weights": settings.get("weights", ""),
        "at": settings.get("split", ""),
        "theta": "" if theta is None else f"{theta:g}",
        "corp": "false" if decode and theta is None else "",
        "beam": str(decode.get("beam_width", "")),
    }
    return page_link(address, "reasoning", state)


CHOICES = ("by", "metric", "source", "period", "against")
"""Names of the page's controls in the address bar."""


def cohort_json(whole: SliceMetrics, slices: Sequence[SliceMetrics], drift: CategoryDrift) -> str:
    """The numbers of a cohort: its metrics, those of its slices, and the drift from histories to recommendations."""
    document = {"metrics": whole.to_json(), "slices": [part.to_json() for part in slices], "drift": drift.to_json()}
    return json.dumps(document, allow_nan=False, ensure_ascii=False, default=float)
