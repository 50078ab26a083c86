"""For whom a model works, and how categories drift: questions to a trace store, answered by DuckDB.

What users give (names, numbers, lists of users) reaches DuckDB as parameters only.
"""

import itertools
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.analysis.cohort import Cohort, Range
from reg4rec_core.evaluation.trace_schema import DESCRIPTION, TABLES
from reg4rec_core.evaluation.trace_validation import OFFLINE, table_files
from reg4rec_core.metrics import MISSED, Interval, gains_at, hits_at
from reg4rec_core.types import InputError

TOP = 10
"""Recommendations that count, and the places that a metric can tell apart."""
METRICS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")
SMOOTHING = 0.5
"""Added to the count of every category before PSI takes logarithms; JS needs none and gets none."""
LARGEST = 30
"""Slices given at most, those with the most users."""
MEMORY = ("users", "recommendations", "histories", "items", "categories")
BINS = {
    "history": (1, 5, 10, 20, 50),
    "active": (0, 1, 30, 180, 365, 730),
    "seen": (0, 1, 5, 10, 20),
}
"""Least value of each slice; the last has no upper end."""

SliceBy = Literal["history", "active", "seen", "last", "target", "main"]
Period = Literal["month", "quarter", "year"]
Source = Literal["histories", "recommendations"]

COLUMN_OF = {
    "history": "history_length",
    "active": "active_days",
    "last": "last_time",
    "seen": "target_seen",
    "main": "main_category",
    "target": "target_category",
}
"""The column of the loaded users behind a condition."""
NEEDS = {
    "history": ("users.history_length",),
    "active": ("users.active_days",),
    "last": ("users.last_time",),
    "main": ("users.main_category", "categories.name"),
    "bought": ("histories.item", "items.category", "categories.name"),
    "brand": ("histories.item", "items.brand"),
    "target": ("users.target", "items.category", "categories.name"),
    "seen": ("users.target", "items.training_count"),
    "recommended": ("items.category", "categories.name"),
    "outcome": ("users.target", "users.place"),
    "users": (),
}
"""Columns of a store without which a condition cannot be asked."""
CATEGORY = "(SELECT category FROM categories WHERE name = ?)"
CONDITIONS = {
    "main": f"main_category = {CATEGORY}",
    "bought": f"user IN (SELECT user FROM histories WHERE category = {CATEGORY})",
    "brand": "user IN (SELECT h.user FROM histories h JOIN items i ON i.item = h.item WHERE i.brand = ?)",
    "target": f"target_category = {CATEGORY}",
    "recommended": f"user IN (SELECT user FROM recommendations WHERE rank <= {TOP} AND category = {CATEGORY})",
}
OUTCOMES = {
    "hit": f"place <= {TOP}",
    "miss": f"target IS NOT NULL AND coalesce(place, {TOP + 1}) > {TOP}",
    "pruned": f"target IS NOT NULL AND coalesce(place, {TOP + 1}) > {TOP} AND pruned_target IS NOT NULL",
}


@dataclass(frozen=True)
class TraceStore:
    """An opened store: small tables in memory, with columns that it lacks filled with null and named in `missing`."""

    path: Path
    connection: duckdb.DuckDBPyConnection
    missing: frozenset[str]
    """Tables' columns that the store does without, as table.column."""
    description: dict[str, Any]
    """store.json, {} where there is none."""

    @cached_property
    def category_names(self) -> tuple[str, ...]:
        """By category; those without a name are called by their number."""
        named = dict(self.rows("SELECT category, name FROM categories"))
        (greatest,) = self.rows("SELECT coalesce(max(category), -1) FROM items")[0]
        return tuple(named.get(c, f"category {c}") for c in range(max([greatest, *named]) + 1))

    def rows(self, query: str, *parameters: Any) -> list[tuple]:
        """The answer to a query; safe from several threads."""
        return self.connection.cursor().execute(query, list(parameters)).fetchall()

    def columns(self, query: str, *parameters: Any) -> dict[str, Any]:
        """The answer as NumPy arrays, masked where there are nulls."""
        return self.connection.cursor().execute(query, list(parameters)).fetchnumpy()

    def need(self, *names: str) -> None:
        """InputError when the store lacks one of these table.column."""
        lacking = sorted(set(names) & self.missing)
        if lacking:
            raise InputError(f"this question needs {', '.join(lacking)}, which the store {self.path} does without")


def open_store(path: Path) -> TraceStore:
    """Open a store of any model that keeps to the schema. InputError names what is missing."""
    files = {table.name: table_files(path, table.name) for table in TABLES}
    if not files["recommendations"]:
        raise InputError(f"there is no trace store at {path}; make one with: reg4rec trace --run RUN")
    description: Any = {}
    if (path / DESCRIPTION).exists():
        description = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    if description.get("complete") is False:
        raise InputError(f"the store {path} is not finished; call the same reg4rec trace again, it goes on")
    connection = duckdb.connect(config=OFFLINE)
    missing: set[str] = set()
    for table in TABLES:
        missing |= _load(connection, table.name, [str(file) for file in files[table.name]])
    if not files["users"]:
        connection.execute("INSERT INTO users (user) SELECT DISTINCT user FROM recommendations")
    for statement in DERIVED:
        connection.execute(statement)
    return TraceStore(path, connection, frozenset(missing), description)


DERIVED = (
    "CREATE TABLE path_beliefs AS SELECT user, node, step, category, probability FROM beliefs WHERE rank = 1",
    "CREATE TABLE path_nodes AS SELECT DISTINCT user, node, step FROM path_beliefs",
    "CREATE TABLE path_js AS SELECT n.user, n.step, n.js FROM nodes n SEMI JOIN path_nodes b "
    "ON b.user = n.user AND b.node = n.node WHERE n.js IS NOT NULL",
    "CREATE OR REPLACE TABLE users AS SELECT u.*, i.category AS target_category, i.training_count AS target_seen "
    "FROM users u LEFT JOIN items i ON i.item = u.target ORDER BY u.user",
    "CREATE OR REPLACE TABLE histories AS SELECT h.*, i.category FROM histories h LEFT JOIN items i ON i.item = h.item",
    "CREATE OR REPLACE TABLE recommendations AS SELECT r.*, i.category "
    "FROM recommendations r LEFT JOIN items i ON i.item = r.item",
)
"""What the questions below look up instead of joining it anew each time."""


def _load(connection: duckdb.DuckDBPyConnection, name: str, files: list[str]) -> set[str]:
    """Read a table: into memory, or as a view of its files where it is large. The columns that are not there."""
    table = next(table for table in TABLES if table.name == name)
    source, found = "(SELECT 1 WHERE false)", set()
    if files:
        connection.read_parquet(files, union_by_name=True).create_view(f"{name}_files")
        source = f"{name}_files"
        found = {row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()}
    types = {"integer": "BIGINT", "number": "FLOAT", "text": "VARCHAR"}
    columns = ", ".join(
        (c.name if c.name in found else "NULL") + f"::{types[c.kind]} AS {c.name}" for c in table.columns
    )
    kind = "TABLE" if name in MEMORY else "VIEW"
    connection.execute(f"CREATE {kind} {name} AS SELECT {columns} FROM {source}")
    return {f"{name}.{column.name}" for column in table.columns if column.name not in found}


def condition(store: TraceStore, cohort: Cohort) -> tuple[str, list[Any]]:
    """SQL that holds for the rows of `users` in the cohort, and its parameters."""
    clauses, parameters = ["true"], []
    for name, needed in NEEDS.items():
        value = getattr(cohort, name)
        if value == getattr(Cohort(), name):
            continue
        store.need(*needed)
        if isinstance(value, Range):
            ends = [(sign, end) for sign, end in ((">=", value.low), ("<=", value.high)) if end is not None]
            clauses += [f"{COLUMN_OF[name]} {sign} ?" for sign, _ in ends]
            parameters += [end for _, end in ends]
        elif name == "users":
            clauses.append("user IN (SELECT unnest(?::INTEGER[]))")
            parameters.append(list(value))
        elif name == "outcome":
            store.need(*(("users.pruned_target",) if value == "pruned" else ()))
            clauses.append(OUTCOMES[value])
        else:
            clauses.append(CONDITIONS[name])
            parameters.append(value)
    return " AND ".join(f"({clause})" for clause in clauses), parameters


@dataclass(frozen=True)
class CohortCounts:
    """How many users there are and what became of their targets."""

    users: int
    asked: int
    """Users with a target."""
    hits: int
    misses: int
    pruned_targets: int
    """Misses with a candidate on the way that led to the target and was pruned; 0 where the store does not know."""


def count_users(store: TraceStore, cohort: Cohort) -> CohortCounts:
    """The size of a cohort."""
    where, parameters = condition(store, cohort)
    counts = ", ".join(f"count(*) FILTER ({rule})" for rule in ("target IS NOT NULL", *OUTCOMES.values()))
    return CohortCounts(*store.rows(f"SELECT count(*), {counts} FROM users WHERE {where}", *parameters)[0])


@dataclass(frozen=True)
class UserRow:
    """One user of a cohort."""

    user: int
    key: str | None
    history_length: int | None
    target: int | None
    place: int | None
    pruned: int | None
    fallback: int | None
    pruned_target: int | None


def users_of(store: TraceStore, cohort: Cohort, *, limit: int) -> tuple[UserRow, ...]:
    """The first users of a cohort (or of a slice's), in the order of their rows."""
    where, parameters = condition(store, cohort)
    names = "user, key, history_length, target, place, pruned, fallback, pruned_target"
    query = f"SELECT {names} FROM users WHERE {where} ORDER BY user LIMIT ?"
    return tuple(UserRow(*row) for row in store.rows(query, *parameters, limit))


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

    Numbers are cut at `BINS`, times into quarters; of categories the `LARGEST` are given, most users first.
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
    if by in ("target", "main"):
        slices.sort(key=lambda part: -part.users)
    return tuple(slices)


def _slice(store: TraceStore, by: SliceBy, value: int) -> tuple[str, dict[str, Any]]:
    """What a slice is called, and the condition that it adds."""
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


def _values_of_places() -> Float[np.ndarray, "places metrics"]:
    """What a place, or a miss (the last row), adds to each of `METRICS`."""
    places = np.array([*range(1, TOP + 1), MISSED])
    return np.stack([measure(places, k) for k in (5, 10) for measure in (hits_at, gains_at)], 1)


def metrics_of_places(counts: Int[np.ndarray, "places"], generator: np.random.Generator) -> dict[str, Interval]:
    """Metrics and bootstrap intervals from how many users have each place.

    Users with the same place are alike, so drawing users with replacement is drawing the counts of the places from one
    multinomial: the same distribution as `metrics.bootstrap_interval`, at a thousandth of the cost.
    """
    return dict(zip(METRICS, bootstrap_counts(counts, _values_of_places(), generator), strict=True))


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
    js = np.full((len(steps), 3), np.nan)
    if "nodes.js" not in store.missing:
        quantiles = f"SELECT step, avg(js), quantile_cont(js, [0.5, 0.9]) FROM path_js p {chosen} GROUP BY ALL"
        for step, mean, (median, high) in store.rows(quantiles, *parameters):
            js[steps == step] = mean, median, high
    return StepBeliefs(store.category_names, steps, n, mass, np.maximum(1 - mass.sum(1), 0), *js.T)


def believers(store: TraceStore, cohort: Cohort, *, step: int, category: str, least: float = 0.5) -> Cohort:
    """The users of a cohort that give a category at least this probability after a step of their first path."""
    store.need("beliefs.probability", "categories.name")
    where, parameters = condition(store, cohort)
    query = (
        f"SELECT DISTINCT user FROM path_beliefs WHERE step = ? AND category = {CATEGORY} AND probability >= ? "
        f"AND user IN (SELECT user FROM users WHERE {where}) ORDER BY user"
    )
    found = store.rows(query, step, category, least, *parameters)
    return cohort.narrowed(users=tuple(user for (user,) in found))


@dataclass(frozen=True)
class StoreComparison:
    """The same users under two searches: of other weights, or with other settings."""

    users: int
    differences: dict[str, Interval]
    """Second minus first, paired over users with a target, 95 % bootstrap."""
    gained: int
    """Users whose target only the second finds among ten."""
    lost: int
    drift: CategoryDrift
    """Categories of the first ten recommendations: the first store is the reference."""


def compare_stores(first: TraceStore, second: TraceStore, cohort: Cohort, *, seed: int = 0) -> StoreComparison:
    """What the second store does otherwise for a cohort, which is chosen in the first; users of both are counted."""
    mine, theirs = (_asked(store, part) for store, part in ((first, cohort), (second, Cohort())))
    common, a, b = np.intersect1d(mine["user"], theirs["user"], return_indices=True)
    if not len(common):
        raise InputError(f"the stores {first.path} and {second.path} share no user of this cohort")
    before, after = mine["place"][a], theirs["place"][b]
    asked = (before >= 0) & (after >= 0)
    kinds = TOP + 1
    counts = np.bincount(before[asked] * kinds + after[asked], minlength=kinds * kinds)
    values = _values_of_places()
    changes = (values[None, :, :] - values[:, None, :]).reshape(kinds * kinds, -1)
    intervals = bootstrap_counts(counts, changes, np.random.default_rng(seed))
    both = counts.reshape(kinds, kinds)
    users = Cohort(users=tuple(common.tolist()))
    mixes = [category_counts(store, users, "recommendations") for store in (first, second)]
    width = max(map(len, mixes))
    names = max(first.category_names, second.category_names, key=len)
    mixes = [np.pad(mix, (0, width - len(mix))) for mix in mixes]
    return StoreComparison(
        users=len(common),
        differences=dict(zip(METRICS, intervals, strict=True)),
        gained=int(both[TOP, :TOP].sum()),
        lost=int(both[:TOP, TOP].sum()),
        drift=drift(names, *mixes),
    )


def _asked(store: TraceStore, cohort: Cohort) -> dict[str, Int[np.ndarray, "n"]]:
    """Users of a cohort with their place from 0, TOP for a miss, -1 without a target."""
    where, parameters = condition(store, cohort)
    place = f"CASE WHEN target IS NULL THEN -1 ELSE least(coalesce(place, {TOP + 1}), {TOP + 1}) - 1 END"
    found = store.columns(f"SELECT user, {place} AS place FROM users WHERE {where} ORDER BY user", *parameters)
    return {name: np.asarray(column, np.int64) for name, column in found.items()}
