"""An opened trace store and whom a cohort means in it: questions that DuckDB answers.

What users give (names, numbers, lists of users) reaches DuckDB as parameters only.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from reg4rec_core.analysis.cohort import Cohort, Leaning, PathCodes, Range
from reg4rec_core.evaluation.trace_schema import DESCRIPTION, TABLES
from reg4rec_core.evaluation.trace_validation import OFFLINE, table_files
from reg4rec_core.types import InputError

TOP = 10
"""Recommendations that count, and the places that a metric can tell apart."""
MOST_BRANDS = 200
Connection = Any
"""DuckDB's connection. Its own class in a checked annotation would keep its whole binding alive when Python ends."""
MEMORY = ("users", "recommendations", "histories", "items", "categories")

COLUMN_OF = {
    "history": "history_length",
    "active": "active_days",
    "last": "last_time",
    "seen": "target_seen",
    "main": "main_category",
    "target": "target_category",
    "maker": "target_maker",
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
    "maker": ("users.target", "items.brand"),
    "seen": ("users.target", "items.training_count"),
    "recommended": ("items.category", "categories.name"),
    "outcome": ("users.target", "users.place"),
    "codes": ("beliefs.probability", "nodes.code", "recommendations.leaf"),
    "leans": ("beliefs.probability", "categories.name"),
    "users": (),
}
"""Columns of a store without which a condition cannot be asked."""
CATEGORY = "(SELECT category FROM categories WHERE name = ?)"
MAKER = "(SELECT number FROM makers WHERE brand = ?)"
LISTED_NODES = (
    f"(SELECT user, node FROM beliefs WHERE rank <= {TOP} "
    f"UNION ALL SELECT user, leaf AS node FROM recommendations WHERE rank <= {TOP})"
)
"""Nodes on the way to the first items; the last of a path needs no belief."""
PATH_CODES = (
    "CREATE TABLE path_codes AS SELECT n.user, n.codebook, n.code "
    f"FROM nodes n SEMI JOIN {LISTED_NODES} b ON b.user = n.user AND b.node = n.node"
)
"""Read off the large tables for the first cohort by codes, in the place of once a question."""
CONDITIONS = {
    "main": f"main_category = {CATEGORY}",
    "bought": f"user IN (SELECT user FROM histories WHERE category = {CATEGORY})",
    "brand": "user IN (SELECT h.user FROM histories h JOIN items i ON i.item = h.item WHERE i.brand = ?)",
    "target": f"target_category = {CATEGORY}",
    "maker": f"target_maker = {MAKER}",
    "codes": "user IN (SELECT user FROM path_codes WHERE codebook = ? AND code IN (SELECT unnest(?::INTEGER[])))",
    "recommended": f"user IN (SELECT user FROM recommendations WHERE rank <= {TOP} AND category = {CATEGORY})",
    "leans": f"user IN (SELECT user FROM path_leanings WHERE step = ? AND category = {CATEGORY})",
}
OUTCOMES = {
    "hit": f"place <= {TOP}",
    "miss": f"target IS NOT NULL AND coalesce(place, {TOP + 1}) > {TOP}",
    "pruned": f"target IS NOT NULL AND coalesce(place, {TOP + 1}) > {TOP} AND pruned_target IS NOT NULL",
}


_MAKING = Lock()


@dataclass(frozen=True)
class TraceStore:
    """An opened store: small tables in memory, with columns that it lacks filled with null and named in `missing`."""

    path: Path
    connection: Connection
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

    @cached_property
    def maker_names(self) -> tuple[str, ...]:
        """Brands, as `users.target_maker` numbers them."""
        return tuple(brand for (brand,) in self.rows("SELECT brand FROM makers ORDER BY number"))

    def find_path_codes(self) -> None:
        """Make the table `path_codes` where it is not there yet; one thread at a time."""
        with _MAKING:
            if not self.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'path_codes'"):
                self.connection.cursor().execute(PATH_CODES)

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
    "CREATE TABLE path_leanings AS SELECT user, step, category FROM path_beliefs "
    "QUALIFY row_number() OVER (PARTITION BY user, step ORDER BY probability DESC, category) = 1",
    "CREATE TABLE path_nodes AS SELECT DISTINCT user, node, step FROM path_beliefs",
    "CREATE TABLE path_js AS SELECT n.user, n.step, n.js FROM nodes n SEMI JOIN path_nodes b "
    "ON b.user = n.user AND b.node = n.node WHERE n.js IS NOT NULL",
    "CREATE TABLE makers AS SELECT brand, row_number() OVER (ORDER BY brand) - 1 AS number "
    "FROM (SELECT DISTINCT brand FROM items WHERE brand IS NOT NULL)",
    "CREATE OR REPLACE TABLE users AS SELECT u.*, i.category AS target_category, i.training_count AS target_seen, "
    "m.number AS target_maker FROM users u LEFT JOIN items i ON i.item = u.target "
    "LEFT JOIN makers m ON m.brand = i.brand ORDER BY u.user",
    "CREATE OR REPLACE TABLE histories AS SELECT h.*, i.category FROM histories h LEFT JOIN items i ON i.item = h.item",
    "CREATE OR REPLACE TABLE recommendations AS SELECT r.*, i.category "
    "FROM recommendations r LEFT JOIN items i ON i.item = r.item",
)
"""What the questions below look up instead of joining it anew each time."""


def _load(connection: Connection, name: str, files: list[str]) -> set[str]:
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
            if name == "codes":
                store.find_path_codes()
            clauses.append(CONDITIONS[name])
            parameters += _parameters(value)
    return " AND ".join(f"({clause})" for clause in clauses), parameters


def _parameters(value: str | Leaning | PathCodes) -> list[Any]:
    """What a condition gives the query."""
    if isinstance(value, Leaning):
        return [value.step, value.category]
    return [value.codebook, list(value.codes)] if isinstance(value, PathCodes) else [value]


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


def common_brands(store: TraceStore, cohort: Cohort) -> tuple[str, ...]:
    """The brands bought most often by a cohort, `MOST_BRANDS` at most; none where the store does not know brands."""
    where, parameters = condition(store, cohort)
    query = (
        "SELECT i.brand FROM histories h JOIN items i ON i.item = h.item WHERE i.brand IS NOT NULL "
        f"AND h.user IN (SELECT user FROM users WHERE {where}) GROUP BY i.brand ORDER BY count(*) DESC, i.brand LIMIT ?"
    )
    return tuple(brand for (brand,) in store.rows(query, *parameters, MOST_BRANDS))


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
