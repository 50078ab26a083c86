"""For whom a model works: metrics of a cohort and of its slices, with intervals."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.analysis.cohort import Cohort, Range
from reg4rec_core.analysis.trace_queries import COLUMN_OF, NEEDS, TOP, TraceStore, condition
from reg4rec_core.metrics import MISSED, Interval, gains_at, hits_at

METRICS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")
LARGEST = 30
"""Slices given at most, those with the most users."""
BINS = {
    "history": (1, 5, 10, 20, 50),
    "active": (0, 1, 30, 180, 365, 730),
    "seen": (0, 1, 5, 10, 20),
}
"""Least value of each slice; the last has no upper end."""

SliceBy = Literal["history", "active", "seen", "last", "target", "main", "maker"]


@dataclass(frozen=True)
class SliceMetrics:
    """How well the users of one slice are served."""

    name: str
    cohort: Cohort
    """Whom the slice counts; `users_of` lists them."""
    users: int
    metrics: dict[str, Interval]
    """Recall and NDCG at 5 and 10 with 95 % bootstrap intervals over users."""

    def to_json(self) -> dict[str, Any]:
        metrics = {name: asdict(interval) for name, interval in self.metrics.items()}
        return {"slice": self.name, "cohort": self.cohort.to_text(), "users": self.users, **metrics}


def cohort_metrics(store: TraceStore, cohort: Cohort, *, seed: int = 0) -> SliceMetrics:
    """The whole cohort as one slice."""
    places = _places(store, cohort, "0")["place"]
    counts = np.bincount(places, minlength=TOP + 1)
    return SliceMetrics("all", cohort, len(places), metrics_of_places(counts, np.random.default_rng(seed)))


def metrics_by(store: TraceStore, cohort: Cohort, by: SliceBy, *, seed: int = 0) -> tuple[SliceMetrics, ...]:
    """The cohort cut into slices; users without a target or without the value stand in none.

    Numbers are cut at `BINS`, times into quarters; of categories and brands the `LARGEST` are given, most users first.
    """
    store.need(*NEEDS[by])
    column = COLUMN_OF[by]
    quarter = "CAST(epoch(date_trunc('quarter', make_timestamp(last_time * 1000000))) AS BIGINT)"
    found = _places(store, cohort, quarter if by == "last" else column)
    values, places = found["value"], found["place"]
    if by in BINS:
        bounds = np.array(BINS[by])  # type: ignore[index]
        values = bounds[np.maximum(np.searchsorted(bounds, values, side="right") - 1, 0)]
    slices = []
    generator = np.random.default_rng(seed)
    kinds, group = np.unique(values, return_inverse=True)
    table = np.bincount(group * (TOP + 1) + places, minlength=len(kinds) * (TOP + 1)).reshape(-1, TOP + 1)
    largest = np.sort(np.argsort(-table.sum(1), kind="stable")[:LARGEST])
    for row in largest.tolist():
        name, conditions = _slice(store, by, int(kinds[row]))
        metrics = metrics_of_places(table[row], generator)
        slices.append(SliceMetrics(name, cohort.narrowed(**conditions), int(table[row].sum()), metrics))
    if by in ("target", "main", "maker"):
        slices.sort(key=lambda part: -part.users)
    return tuple(slices)


def _slice(store: TraceStore, by: SliceBy, value: int) -> tuple[str, dict[str, Any]]:
    """What a slice is called, and the condition that it adds."""
    if by == "maker":
        return store.maker_names[value], {by: store.maker_names[value]}
    if by in ("target", "main"):
        return store.category_names[value], {by: store.category_names[value]}
    if by == "last":
        start = np.datetime64(value, "s").astype("datetime64[M]")
        quarter = f"{start.astype('datetime64[Y]')} Q{int(start.astype(int)) % 12 // 3 + 1}"
        end = int((start + 3).astype("datetime64[s]").astype(np.int64)) - 1
        return quarter, {"last": Range(value, end)}
    bounds = BINS[by]
    after = [bound for bound in bounds if bound > value]
    if not after:
        return f"{value} or more", {by: Range(value, None)}
    return f"{value} to {after[0] - 1}", {by: Range(value, after[0] - 1)}


def _places(store: TraceStore, cohort: Cohort, value: str) -> dict[str, Int[np.ndarray, "n"]]:
    """A value and the place (from 0; TOP for a miss) of every user of the cohort that has both a target and a value."""
    store.need("users.target", "users.place")
    where, parameters = condition(store, cohort)
    query = (
        f"SELECT {value} AS value, least(coalesce(place, {TOP + 1}), {TOP + 1}) - 1 AS place FROM users "
        f"WHERE target IS NOT NULL AND {value} IS NOT NULL AND {where} ORDER BY user"
    )
    return {name: np.asarray(column, dtype=np.int64) for name, column in store.columns(query, *parameters).items()}


def values_of_places() -> Float[np.ndarray, "places metrics"]:
    """What a place, or a miss (the last row), adds to each of `METRICS`."""
    places = np.array([*range(1, TOP + 1), MISSED])
    return np.stack([measure(places, k) for k in (5, 10) for measure in (hits_at, gains_at)], 1)


def metrics_of_places(counts: Int[np.ndarray, "places"], generator: np.random.Generator) -> dict[str, Interval]:
    """Metrics and bootstrap intervals from how many users have each place.

    Users with the same place are alike, so drawing users with replacement is drawing the counts of the places from one
    multinomial: the same distribution as `metrics.bootstrap_interval`, at a thousandth of the cost.
    """
    return dict(zip(METRICS, bootstrap_counts(counts, values_of_places(), generator), strict=True))


def bootstrap_counts(
    counts: Int[np.ndarray, "kinds"],
    values: Float[np.ndarray, "kinds metrics"],
    generator: np.random.Generator,
    *,
    draws: int = 1000,
) -> list[Interval]:
    """Means over users that come in a few kinds, and their 95 % percentile bootstrap intervals; 0 without users."""
    n = int(counts.sum())
    if n == 0:
        return [Interval(0.0, 0.0, 0.0)] * values.shape[1]
    there = counts > 0
    drawn = generator.multinomial(n, counts[there] / n, size=draws) @ values[there] / n
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    means = counts @ values / n
    return [Interval(*row) for row in zip(means.tolist(), low.tolist(), high.tolist(), strict=True)]
