"""How the mix of categories moves: from histories to lists, over the years, and along the steps of the reasoning."""

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.analysis.cohort import Cohort
from reg4rec_core.analysis.trace_queries import TOP, TraceStore, condition

SMOOTHING = 0.5
"""Added to the count of every category before PSI takes logarithms; JS needs none and gets none."""

Period = Literal["month", "quarter", "year"]
Source = Literal["histories", "recommendations"]


@dataclass(frozen=True)
class CategoryDrift:
    """Two distributions over categories, side by side."""

    names: tuple[str, ...]
    reference: Float[np.ndarray, "C"]
    """Shares, summing to 1 (to 0 without anything counted)."""
    current: Float[np.ndarray, "C"]
    js: Float[np.ndarray, "C"]
    """What each category adds to the Jensen-Shannon divergence of the shares, nats; no smoothing."""
    psi: Float[np.ndarray, "C"]
    """What each adds to the population stability index, with `SMOOTHING` added to every count."""
    counted: tuple[int, int]
    """Items behind the two."""

    def to_json(self) -> dict[str, Any]:
        """Totals, then categories, those that add most to PSI first."""
        order = np.argsort(-self.psi, kind="stable")
        rows = [
            {"category": self.names[c], "reference": self.reference[c], "current": self.current[c],
             "js": self.js[c], "psi": self.psi[c]}
            for c in order[self.psi[order] > 0].tolist()
        ]  # fmt: skip
        totals = {"js": float(self.js.sum()), "psi": float(self.psi.sum()), "smoothing": SMOOTHING}
        return {**totals, "counted": list(self.counted), "categories": rows}


def drift(
    names: tuple[str, ...], reference: Int[np.ndarray, "C"], current: Int[np.ndarray, "C"]
) -> CategoryDrift:  # fmt: skip
    """How far two counts of categories lie apart."""
    p, q = _shares(reference), _shares(current)
    smooth_p, smooth_q = _shares(reference + SMOOTHING), _shares(current + SMOOTHING)
    psi = (smooth_q - smooth_p) * np.log(smooth_q / smooth_p)
    counted = (int(reference.sum()), int(current.sum()))
    return CategoryDrift(names, p, q, js_terms(p, q), psi, counted)


def js_terms(p: Float[np.ndarray, "C"], q: Float[np.ndarray, "C"]) -> Float[np.ndarray, "C"]:
    """The terms of the Jensen-Shannon divergence, nats, each at least 0."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p / middle), 0.0) + np.where(q > 0, q * np.log(q / middle), 0.0)
    return np.maximum(terms / 2, 0.0)


def _shares(counts: Int[np.ndarray, "C"] | Float[np.ndarray, "C"]) -> Float[np.ndarray, "C"]:
    return counts / max(float(counts.sum()), 1.0)


def history_drift(store: TraceStore, cohort: Cohort) -> CategoryDrift:
    """What users had bought (reference) against what the first ten recommendations offer them (current)."""
    counts = [category_counts(store, cohort, source) for source in ("histories", "recommendations")]
    return drift(store.category_names, *counts)


def category_counts(store: TraceStore, cohort: Cohort, source: Source) -> Int[np.ndarray, "C"]:
    """How many items of each category stand in the histories or the lists of a cohort."""
    store.need("items.category", f"{source}.item")
    where, parameters = condition(store, cohort)
    limit = f"AND rank <= {TOP}" if source == "recommendations" else ""
    query = (
        f"SELECT category, count(*) FROM {source} WHERE user IN (SELECT user FROM users WHERE {where}) {limit} "
        "AND category IS NOT NULL GROUP BY category"
    )
    counts = np.zeros(len(store.category_names), np.int64)
    for category, count in store.rows(query, *parameters):
        counts[category] = count
    return counts


@dataclass(frozen=True)
class TimeDrift:
    """The mix of categories period by period."""

    names: tuple[str, ...]
    starts: Int[np.ndarray, "periods"]
    """First second of each period, Unix time, rising; periods without anything are left out."""
    counts: Int[np.ndarray, "periods C"]
    js: Float[np.ndarray, "periods"]
    """Divergence from the period before, nats; NaN for the first."""
    psi: Float[np.ndarray, "periods"]


def drift_over_time(store: TraceStore, cohort: Cohort, source: Source, period: Period) -> TimeDrift:
    """Purchases by when they were made, or recommendations by the time of the user's last purchase."""
    timed = "histories.time" if source == "histories" else "users.last_time"
    store.need("items.category", f"{source}.item", timed)
    where, parameters = condition(store, cohort)
    rows = f"histories h SEMI JOIN (SELECT user FROM users WHERE {where}) u ON u.user = h.user"
    column, extra = "time", ""
    if source == "recommendations":
        rows = f"recommendations r JOIN (SELECT user, last_time FROM users WHERE {where}) u ON u.user = r.user"
        column, extra = "last_time", f"AND rank <= {TOP}"
    start = f"CAST(epoch(date_trunc(?, make_timestamp({column} * 1000000))) AS BIGINT) AS start"
    query = (
        f"SELECT {start}, category, count(*) AS n FROM {rows} "
        f"WHERE {column} IS NOT NULL AND category IS NOT NULL {extra} GROUP BY ALL"
    )
    found = {name: np.asarray(values, np.int64) for name, values in store.columns(query, period, *parameters).items()}
    starts, row = np.unique(found["start"], return_inverse=True)
    counts = np.zeros((len(starts), len(store.category_names)), np.int64)
    counts[row, found["category"]] = found["n"]
    steps = [drift(store.category_names, before, after) for before, after in itertools.pairwise(counts)]
    js = np.array([np.nan, *(step.js.sum() for step in steps)])[: len(starts)]
    psi = np.array([np.nan, *(step.psi.sum() for step in steps)])[: len(starts)]
    return TimeDrift(store.category_names, starts, counts, js, psi)


@dataclass(frozen=True)
class StepBeliefs:
    """Where the belief moved along the paths to the first recommendations, over the users of a cohort."""

    names: tuple[str, ...]
    steps: Int[np.ndarray, "T"]
    """Steps that have beliefs, rising from 0."""
    users: Int[np.ndarray, "T"]
    mass: Float[np.ndarray, "T C"]
    """Mean probability of each category after each step."""
    leaning: Int[np.ndarray, "T C"]
    """Users for whom the category is the likeliest after the step."""
    left_out: Float[np.ndarray, "T"]
    """Mean mass of categories too small to be stored."""
    js_mean: Float[np.ndarray, "T"]
    """Mean divergence from the step before, nats; NaN where there is none."""
    js_median: Float[np.ndarray, "T"]
    js_p90: Float[np.ndarray, "T"]


def mass_along_steps(store: TraceStore, cohort: Cohort) -> StepBeliefs:
    """Mean belief after every step of the first recommendation's path, and how far each step moves it."""
    store.need("beliefs.probability")
    where, parameters = condition(store, cohort)
    chosen = f"SEMI JOIN (SELECT user FROM users WHERE {where}) u ON u.user = p.user"
    query = f"SELECT step, category, sum(probability) AS mass FROM path_beliefs p {chosen} GROUP BY ALL"
    found = store.columns(query, *parameters)
    rows, category = (np.asarray(found[name], np.int64) for name in ("step", "category"))
    users = dict(store.rows(f"SELECT step, count(*) FROM path_nodes p {chosen} GROUP BY ALL", *parameters))
    steps = np.array(sorted(users), np.int64)
    n = np.array([users[step] for step in steps.tolist()], np.int64)
    mass = np.zeros((len(steps), len(store.category_names)))
    mass[np.searchsorted(steps, rows), category] = np.asarray(found["mass"], np.float64)
    mass /= np.maximum(n, 1)[:, None]
    leaning = np.zeros(mass.shape, np.int64)
    for step, likeliest, count in store.rows(
        f"SELECT step, category, count(*) FROM path_leanings p {chosen} GROUP BY ALL", *parameters
    ):
        leaning[np.searchsorted(steps, step), likeliest] = count
    js = np.full((len(steps), 3), np.nan)
    if "nodes.js" not in store.missing:
        quantiles = f"SELECT step, avg(js), quantile_cont(js, [0.5, 0.9]) FROM path_js p {chosen} GROUP BY ALL"
        for step, mean, (median, high) in store.rows(quantiles, *parameters):
            js[steps == step] = mean, median, high
    return StepBeliefs(store.category_names, steps, n, mass, leaning, np.maximum(1 - mass.sum(1), 0), *js.T)
