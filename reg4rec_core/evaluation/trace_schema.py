"""What a trace store holds: the columns of its tables. Any generative recommender may write one.

A store is a directory. Each table is a file `NAME.parquet` or a folder `NAME/` of Parquet parts; `store.json` says what
wrote it. Two tables are enough, `recommendations` and `nodes`, and of them only the columns marked as needed; whatever
else is there is used, and whatever is not is named when something asks for it.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

FORMAT = 1
"""Version of this layout, `format` in store.json."""
DESCRIPTION = "store.json"
LEAST_PROBABILITY = 0.001
"""Our own stores leave out categories that are less probable; what is left out is 1 minus the sum of a node's rows."""

Kind = Literal["integer", "number", "text"]


@dataclass(frozen=True)
class Column:
    """One column: what it means and which values it may have."""

    name: str
    type: pa.DataType
    """What our own stores write; any width of the same kind is read."""
    doc: str
    needed: bool = False
    nullable: bool = False
    low: float | int | None = None
    high: float | int | None = None

    @property
    def kind(self) -> Kind:
        if pa.types.is_integer(self.type):
            return "integer"
        return "number" if pa.types.is_floating(self.type) else "text"


@dataclass(frozen=True)
class Table:
    """One table: its columns, and which of them tell its rows apart."""

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    needed: bool = False

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def arrow_schema(self) -> pa.Schema:
        """The types that our own stores write."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])


I8, I16, I32, I64, F32, TEXT = pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.string()
USER = Column("user", I32, "row of the user, from 0", needed=True, low=0)
ITEM = Column("item", I32, "row of the item, from 1 (0 is no item)", needed=True, low=1)

RECOMMENDATIONS = Table(
    "recommendations",
    "One row for every item of a list.",
    ("user", "rank"),
    (
        USER,
        Column("rank", I16, "place in the list, 1 is first, without gaps", needed=True, low=1),
        ITEM,
        Column("score", F32, "what the list is ordered by, never rising with the rank", needed=True),
        Column("leaf", I32, "node that the path to the item ends at; null where no path gave it", nullable=True, low=0),
        Column("first_state", F32, "the item's log-probability before any step, nats", nullable=True, high=0),
        Column("evidence", F32, "part of the item's logit that transitions of other users give, nats", nullable=True),
    ),
    needed=True,
)
NODES = Table(
    "nodes",
    "One row for every node of a user's search tree; the root has step 0 and no parent.",
    ("user", "node"),
    (
        USER,
        Column("node", I32, "number of the node within the user's tree; a parent's is smaller", needed=True, low=0),
        Column("parent", I32, "node that it continues; null for the root", needed=True, nullable=True, low=0),
        Column("step", I8, "codes chosen so far; one more than the parent's", needed=True, low=0),
        Column(
            "codebook", I16, "whose code the node adds, from 0; null for the root", needed=True, nullable=True, low=0
        ),
        Column("code", I32, "the code, from 0; null for the root", needed=True, nullable=True, low=0),
        Column("log_prob", F32, "log-probability of the path, nats, never rising along it", needed=True, high=0),
        Column("attempt", I8, "regeneration round that tried the node, 0 for a first choice", low=0),
        Column("score", F32, "what the beam was ordered by, nats"),
        Column("confidence", F32, "probability of the code among those allowed", low=0, high=1),
        Column(
            "js", F32, "divergence from the parent's belief, nats; null where unknown", nullable=True, low=0, high=0.7
        ),
        Column("fate", I8, "0 kept, 1 beam_cut, 2 pruned, 3 fallback; all are kept without this column", low=0, high=3),
        Column("items_left", I32, "items that agree with the path", low=0),
    ),
    needed=True,
)
USERS = Table(
    "users",
    "One row a user: what was known, what was to be found, and how the search went.",
    ("user",),
    (
        USER,
        Column("key", TEXT, "the user's key in the source"),
        Column("history_length", I32, "items before the moment of the question", low=0),
        Column("active_days", I32, "days from the first to the last item of the history", nullable=True, low=0),
        Column("last_time", I64, "time of the last item of the history, Unix seconds", nullable=True, low=0),
        Column("main_category", I16, "category bought most often, of several the last", nullable=True, low=0),
        Column("target", I32, "the item to be found; null where nothing is held out", nullable=True, low=1),
        Column("place", I32, "rank of the target in the list; null where the list lacks it", nullable=True, low=1),
        Column("first_category", I16, "category of the first recommendation", nullable=True, low=0),
        Column("pruned", I16, "candidates pruned in the whole search", low=0),
        Column("regenerated", I16, "candidates tried in the place of pruned ones", low=0),
        Column("fallback", I16, "inconsistent candidates that were kept", low=0),
        Column("pruned_target", I8, "first step that pruned a candidate leading to the target", nullable=True, low=1),
        Column("kept_target", I8, "last step up to which a kept path led to the target", nullable=True, low=0),
    ),
)  # fmt: skip
BELIEFS = Table(
    "beliefs",
    "The belief over categories after the nodes of recommended paths, one row a category.",
    ("user", "node", "category"),
    (
        USER,
        Column("node", I32, "node after whose code the belief holds", needed=True, low=0),
        Column("step", I8, "step of the node", needed=True, low=0),
        Column("rank", I16, "best rank of the items whose path goes through the node", needed=True, low=1),
        Column("category", I16, "category, from 0", needed=True, low=0),
        Column("probability", F32, "its probability; small ones may be left out", needed=True, low=0, high=1.001),
    ),
)
ITEMS = Table(
    "items",
    "One row an item.",
    ("item",),
    (
        ITEM,
        Column("key", TEXT, "the item's key in the source"),
        Column("title", TEXT, "title", nullable=True),
        Column("brand", TEXT, "brand", nullable=True),
        Column("category", I16, "category, from 0", low=0),
        Column("training_count", I32, "interactions with it that the model learnt from", low=0),
    ),
)
CATEGORIES = Table(
    "categories",
    "One row a category.",
    ("category",),
    (
        Column("category", I16, "category, from 0", needed=True, low=0),
        Column("name", TEXT, "name", needed=True),
    ),
)
HISTORIES = Table(
    "histories",
    "One row for every item of a user's history.",
    ("user", "position"),
    (
        USER,
        Column("position", I32, "place in the history, 0 is the oldest", needed=True, low=0),
        ITEM,
        Column("time", I64, "Unix seconds; null where unknown", nullable=True, low=0),
    ),
)
TABLES = (RECOMMENDATIONS, NODES, USERS, BELIEFS, ITEMS, CATEGORIES, HISTORIES)


def table_named(name: str) -> Table | None:
    """The table of that name, None when a store has none such."""
    return next((table for table in TABLES if table.name == name), None)


def schema_text() -> str:
    """The schema as Markdown tables, as the README prints it."""
    blocks = []
    for table in TABLES:
        rows = [
            f"| `{c.name}` | {c.type}{' or null' if c.nullable else ''} | {'needed' if c.needed else ''} | {c.doc} |"
            for c in table.columns
        ]
        title = f"**{table.name}** ({'needed' if table.needed else 'optional'}). {table.doc}"
        blocks.append("\n".join([title, "", "| column | type | | meaning |", "|---|---|---|---|", *rows]))
    return "\n\n".join(blocks)
