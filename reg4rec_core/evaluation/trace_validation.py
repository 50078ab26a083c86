"""Whether a trace store keeps to its schema; what is wrong is said in plain sentences, with the row.

Values reach DuckDB as parameters; only names of the schema and paths of files are written into queries.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from reg4rec_core.evaluation.trace_schema import DESCRIPTION, TABLES, Column, Table, table_named
from reg4rec_core.types import InputError

OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
"""DuckDB loads no extension by itself."""
ROUNDING = 1e-4
"""Log-probabilities and scores are stored as float32: they may rise by this much, relative to 1 nat and above."""


@dataclass(frozen=True)
class Problem:
    """Something that breaks a rule of the schema."""

    table: str
    sentence: str
    """Rule, value, row."""
    rows: int
    """How many rows break it; 0 where the table as a whole does."""


@dataclass(frozen=True)
class Validation:
    """What `validate` found."""

    problems: tuple[Problem, ...]
    missing: tuple[str, ...]
    """Optional tables and columns (`users`, `nodes.js`) that the store does without."""
    rows: dict[str, int]
    """Rows of each table that is there."""

    @property
    def valid(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The document of `reg4rec trace --validate --json`."""
        problems = [asdict(problem) for problem in self.problems]
        return {"valid": self.valid, "problems": problems, "missing": list(self.missing), "rows": self.rows}


@dataclass(frozen=True)
class Rule:
    """A condition that no row may meet. `of` is what is told of the first row that does."""

    table: str
    columns: tuple[str, ...]
    """table.column names without which the rule says nothing."""
    sentence: str
    wrong: str
    """FROM ... WHERE ..., in SQL; the table under test is called t."""
    of: str = "''"


def is_lower(earlier: str, later: str) -> str:
    """SQL: `later` exceeds `earlier` by more than rounding."""
    return f"{later} > {earlier} + {ROUNDING} * greatest(1, abs({earlier}))"


def or_null(column: str) -> str:
    """SQL: the value as text, null included."""
    return f"coalesce({column}::VARCHAR, 'null')"


PARENTS = "FROM nodes t JOIN nodes p ON p.user = t.user AND p.node = t.parent"
RULES = (
    Rule("nodes", ("nodes.parent", "nodes.step"), "a node has no parent exactly when its step is 0",
         "FROM nodes t WHERE (t.parent IS NULL) <> (t.step = 0)",
         f"'parent ' || {or_null('t.parent')} || ' at step ' || t.step"),
    Rule("nodes", ("nodes.parent",), "a parent must stand before its children (have a smaller number)",
         "FROM nodes t WHERE t.parent >= t.node", "'node ' || t.node || ' with parent ' || t.parent"),
    Rule("nodes", ("nodes.parent",), "the parent of a node must be a node of the same user",
         "FROM nodes t WHERE t.parent IS NOT NULL AND NOT EXISTS "
         "(FROM nodes p WHERE p.user = t.user AND p.node = t.parent)",
         "'user ' || t.user || ', parent ' || t.parent"),
    Rule("nodes", ("nodes.step",), "a node's step must be one more than its parent's",
         f"{PARENTS} WHERE t.step <> p.step + 1", "'step ' || t.step || ' under step ' || p.step"),
    Rule("nodes", ("nodes.log_prob",), "the log-probability must never rise along a path",
         f"{PARENTS} WHERE {is_lower('p.log_prob', 't.log_prob')}", "t.log_prob || ' under ' || p.log_prob"),
    Rule("nodes", ("nodes.fate",), "a node that was cut or pruned must have no children",
         f"{PARENTS} WHERE p.fate IN (1, 2)", "'parent ' || p.node || ' of fate ' || p.fate"),
    Rule("nodes", ("nodes.codebook",), "every node but the root needs a codebook and a code, and the root has neither",
         "FROM nodes t WHERE (t.codebook IS NULL) <> (t.step = 0) OR (t.code IS NULL) <> (t.step = 0)",
         "'step ' || t.step"),
    Rule("nodes", ("nodes.node",), "a user's tree must have exactly one root",
         "FROM nodes t WHERE t.step = 0 AND EXISTS "
         "(FROM nodes r WHERE r.user = t.user AND r.step = 0 AND r.node < t.node)",
         "'a second root for user ' || t.user"),
    Rule("recommendations", ("nodes.user",), "every user with a list needs a tree",
         "FROM recommendations t WHERE NOT EXISTS (FROM nodes n WHERE n.user = t.user)", "'user ' || t.user"),
    Rule("recommendations", ("recommendations.rank",), "the ranks of a list must go 1, 2, 3, ... without gaps",
         "FROM recommendations t WHERE t.rank > 1 AND NOT EXISTS "
         "(FROM recommendations b WHERE b.user = t.user AND b.rank = t.rank - 1)", "'rank ' || t.rank"),
    Rule("recommendations", ("recommendations.score",), "the score must never rise with the rank",
         "FROM recommendations t JOIN recommendations b ON b.user = t.user AND b.rank = t.rank - 1 "
         f"WHERE {is_lower('b.score', 't.score')}", "t.score || ' behind ' || b.score"),
    Rule("recommendations", ("recommendations.item",), "a list must not hold an item twice",
         "FROM recommendations t JOIN recommendations b ON b.user = t.user AND b.item = t.item AND b.rank < t.rank",
         "'item ' || t.item"),
    Rule("recommendations", ("recommendations.leaf",), "the leaf of an item must be a node of the same user",
         "FROM recommendations t WHERE t.leaf IS NOT NULL AND NOT EXISTS "
         "(FROM nodes n WHERE n.user = t.user AND n.node = t.leaf)", "'leaf ' || t.leaf"),
    Rule("recommendations", ("recommendations.leaf", "nodes.fate"), "the leaf of an item must have been kept",
         "FROM recommendations t JOIN nodes n ON n.user = t.user AND n.node = t.leaf WHERE n.fate IN (1, 2)",
         "'leaf ' || t.leaf || ' of fate ' || n.fate"),
    Rule("recommendations", ("items.item",), "every recommended item must be known to the table items",
         "FROM recommendations t WHERE t.item NOT IN (SELECT item FROM items)", "'item ' || t.item"),
    Rule("recommendations", ("users.user",), "every user with a list must be known to the table users",
         "FROM recommendations t WHERE t.user NOT IN (SELECT user FROM users)", "'user ' || t.user"),
    Rule("users", ("users.target", "users.place"), "the place must be the rank of the target in the user's list",
         "FROM users t LEFT JOIN recommendations r ON r.user = t.user AND r.item = t.target "
         "WHERE t.place IS DISTINCT FROM r.rank",
         f"'place ' || {or_null('t.place')} || ', rank ' || {or_null('r.rank')}"),
    Rule("users", ("users.target", "items.item"), "every target must be known to the table items",
         "FROM users t WHERE t.target IS NOT NULL AND t.target NOT IN (SELECT item FROM items)",
         "'target ' || t.target"),
    Rule("beliefs", ("beliefs.node",), "a belief must belong to a node of the same user",
         "FROM beliefs t WHERE NOT EXISTS (FROM nodes n WHERE n.user = t.user AND n.node = t.node)",
         "'node ' || t.node"),
    Rule("beliefs", ("beliefs.node",), "the step of a belief must be its node's",
         "FROM beliefs t JOIN nodes n ON n.user = t.user AND n.node = t.node WHERE n.step <> t.step",
         "'step ' || t.step || ', of the node ' || n.step"),
    Rule("beliefs", ("beliefs.probability",), "the probabilities of a belief must sum to at most 1",
         "FROM (SELECT *, sum(probability) OVER (PARTITION BY user, node) AS total FROM beliefs) t "
         "WHERE t.total > 1.001",
         "'sum ' || round(t.total, 4)"),
    Rule("beliefs", ("categories.category",), "every category of a belief must be known to the table categories",
         "FROM beliefs t WHERE t.category NOT IN (SELECT category FROM categories)", "'category ' || t.category"),
    Rule("items", ("items.category", "categories.category"),
         "every item's category must be known to the table categories",
         "FROM items t WHERE t.category NOT IN (SELECT category FROM categories)", "'category ' || t.category"),
    Rule("histories", ("items.item",), "every item of a history must be known to the table items",
         "FROM histories t WHERE t.item NOT IN (SELECT item FROM items)", "'item ' || t.item"),
)  # fmt: skip
"""What holds between rows and tables; ranges and nulls are checked column by column."""

SIZES = (
    ("n_codebooks", "nodes", "codebook", 1),
    ("codebook_size", "nodes", "code", 1),
    ("n_codebooks", "nodes", "step", 0),
    ("n_items", "recommendations", "item", 1),
)
"""Entry of store.json, the column that it bounds, and what is taken off for the greatest value allowed."""


@dataclass(frozen=True)
class Limit:
    """A condition in SQL that no value of a column may meet, the table being t, and what is told of one that does."""

    sentence: str
    wrong: str
    of: str = "''"


def _limits(table: str, column: str) -> Iterator[Limit]:
    """What the schema asks of the values of one column."""
    spec = table_named(table).column(column)
    name, value, shown = f"{table}.{column}", f"t.{column}", f"t.{column}::VARCHAR"
    if not spec.nullable:
        yield Limit(f"{name} must not be null", f"{value} IS NULL")
    if spec.kind == "text":
        return
    if spec.kind == "number":
        yield Limit(f"{name} must be a finite number", f"NOT isfinite({value}::DOUBLE)", shown)
    for bound, sign, words in ((spec.low, "<", "at least"), (spec.high, ">", "at most")):
        if bound is not None:
            slack = ROUNDING * (1 if sign == ">" else -1) if spec.kind == "number" else 0
            wrong = f"isfinite({value}::DOUBLE) AND {value} {sign} {bound + slack}"
            yield Limit(f"{name} must be {words} {bound:g}", wrong, shown)


def table_files(store: Path, table: str) -> list[Path]:
    """The Parquet files of a table, [] where the store has none."""
    whole = store / f"{table}.parquet"
    return [whole] if whole.is_file() else sorted((store / table).glob("*.parquet"))


def validate(path: Path) -> Validation:
    """Check a store, or one table of it given as a file. InputError when there is neither."""
    if path.is_dir():
        files = {table.name: table_files(path, table.name) for table in TABLES}
        return _Checker(path, {name: found for name, found in files.items() if found}).check(alone=False)
    if not path.is_file():
        raise InputError(f"--validate needs a directory or a Parquet file, there is nothing at {path}")
    name = next((name for name in (path.stem, path.parent.name) if table_named(name)), None)
    if name is None:
        names = ", ".join(table.name for table in TABLES)
        raise InputError(f"a table's file must be called after it ({names}), got {path.name}")
    return _Checker(path.parent, {name: [path]}).check(alone=True)


class _Checker:
    """One validation: which columns are there and fit, and a connection that sees them."""

    def __init__(self, root: Path, files: dict[str, list[Path]]) -> None:
        self.root, self.files = root, files
        self.columns: dict[str, set[str]] = {}
        self.missing: list[str] = []
        self.connection = duckdb.connect(config=OFFLINE)

    def check(self, *, alone: bool) -> Validation:
        problems = [p for table in TABLES for p in self._table(table, alone=alone)]
        for table in self.columns:
            self._open(table)
        for table in self.columns:
            limits = [limit for column in sorted(self.columns[table]) for limit in _limits(table, column)]
            problems += self._values(table, limits)
            problems += self._keys(table_named(table))
        if not problems:  # rules between rows rest on keys and values being sound
            problems = [p for rule in RULES for p in self._rule(rule)] + list(self._sizes())
        count = {name: self.connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in self.columns}
        return Validation(tuple(problems), tuple(self.missing), count)

    def _table(self, table: Table, *, alone: bool) -> Iterator[Problem]:
        """Columns and types of one table; remembers those that can be checked further."""
        if table.name not in self.files:
            if table.needed and not alone:
                where = f"{table.name}.parquet or {table.name}/*.parquet"
                yield Problem(table.name, f"a store needs the table {table.name}, there is no {where}", 0)
            elif not alone:
                self.missing.append(table.name)
            return
        sound = None
        for file in self.files[table.name]:
            try:
                found = pq.read_schema(file)
            except (pa.ArrowInvalid, OSError) as error:
                yield Problem(table.name, f"{self._name(file)} is no readable Parquet file ({_line(error)})", 0)
                self.columns.pop(table.name, None)
                return
            names = {column.name for column in table.columns if column.name in found.names}
            wrong = {c.name for c in table.columns if c.name in names and not _fits(found.field(c.name).type, c)}
            for name in sorted(wrong):
                kind, given = table.column(name).kind, found.field(name).type
                yield Problem(table.name, f"{table.name}.{name} must be {kind}, in {self._name(file)} it is {given}", 0)
            sound = (names - wrong) if sound is None else sound & (names - wrong)
            for column in table.columns:
                if column.needed and column.name not in names:
                    sentence = (
                        f"{table.name} needs the column {column.name} ({column.doc}), {self._name(file)} has none"
                    )
                    yield Problem(table.name, sentence, 0)
        self.columns[table.name] = sound or set()
        self.missing += [f"{table.name}.{c.name}" for c in table.columns if c.name not in self.columns[table.name]
                         and not c.needed]  # fmt: skip

    def _open(self, table: str) -> None:
        files = [str(file) for file in self.files[table]]
        relation = self.connection.read_parquet(files, union_by_name=True, filename=True, file_row_number=True)
        relation.create_view(table)

    def _values(self, table: str, limits: Sequence[Limit]) -> Iterator[Problem]:
        """What the columns of a table may hold: one look at the table, and another for each limit that is broken."""
        counts = ", ".join(f"count(*) FILTER (WHERE {limit.wrong})" for limit in limits) or "0"
        broken = self.connection.execute(f"SELECT {counts} FROM {table} t").fetchone()
        for limit, rows in zip(limits, broken, strict=False):
            if rows:
                yield from self._found(table, limit.sentence, f"FROM {table} t WHERE {limit.wrong}", limit.of)

    def _keys(self, table: Table) -> Iterator[Problem]:
        if set(table.key) <= self.columns[table.name]:
            key = ", ".join(table.key)
            again = f"FROM (SELECT *, row_number() OVER (PARTITION BY {key}) AS n FROM {table.name}) t WHERE t.n > 1"
            shown = " || ', ' || ".join(f"'{name} ' || t.{name}" for name in table.key)
            yield from self._found(table.name, f"{table.name} must hold each ({key}) once", again, shown)

    def _rule(self, rule: Rule) -> Iterator[Problem]:
        asked = {name.split(".")[0] for name in rule.columns} | {rule.table}
        if all(name in self.columns for name in asked) and all(
            name.split(".")[1] in self.columns[name.split(".")[0]] for name in rule.columns
        ):
            yield from self._found(rule.table, rule.sentence, rule.wrong, rule.of)

    def _sizes(self) -> Iterator[Problem]:
        """The bounds that store.json names."""
        path = self.root / DESCRIPTION
        sizes: Any = {}
        if path.is_file():
            try:
                sizes = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                yield Problem("store.json", f"store.json must be JSON ({_line(error)})", 0)
        for entry, table, column, less in SIZES:
            if isinstance(sizes, dict) and isinstance(sizes.get(entry), int) and column in self.columns.get(table, ()):
                greatest = sizes[entry] - less
                sentence = f"{table}.{column} must be at most {greatest} ({entry} in store.json is {sizes[entry]})"
                wrong = f"FROM {table} t WHERE t.{column} > {greatest}"
                yield from self._found(table, sentence, wrong, f"t.{column}::VARCHAR")

    def _found(self, table: str, sentence: str, wrong: str, of: str = "''") -> Iterator[Problem]:
        """The rule as a problem when a row breaks it: the first such row and how many there are."""
        place = "row(t.filename, t.file_row_number)"
        query = f"SELECT count(*), min({place}), arg_min({of}, {place}) {wrong}"
        rows, first, shown = self.connection.execute(query).fetchone()
        if rows:
            file, row = tuple(first.values()) if isinstance(first, dict) else first
            value = f", got {shown}" if shown else ""
            more = f" (and {rows - 1:,} rows more)" if rows > 1 else ""
            yield Problem(table, f"{sentence}{value} in row {row} of {self._name(Path(file))}{more}", rows)

    def _name(self, file: Path) -> str:
        return str(file.relative_to(self.root)) if file.is_relative_to(self.root) else file.name


def _fits(found: pa.DataType, column: Column) -> bool:
    if pa.types.is_dictionary(found):
        found = found.value_type
    if column.kind == "integer":
        return pa.types.is_integer(found)
    if column.kind == "number":
        return pa.types.is_floating(found) or pa.types.is_integer(found)
    return pa.types.is_string(found) or pa.types.is_large_string(found)


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
