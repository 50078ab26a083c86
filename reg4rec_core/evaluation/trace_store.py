"""Every user searched once and kept: traces in, Parquet tables out (`trace_schema` says which).

A store is written in parts of a few hundred users. Each part is several files, and its file of `users` comes last: a
part counts when that file is there. Called again, the parts that are there are kept when they come from the same
settings and the same weights.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Int

from reg4rec_core.checkpoint import Run, file_checksum, provenance, write_json
from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories, training_sequences
from reg4rec_core.decoding import search
from reg4rec_core.evaluation.beam_search import LEAST_TOP, Evaluated
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import HeldOut, held_out
from reg4rec_core.evaluation.trace_schema import (
    BELIEFS,
    CATEGORIES,
    DESCRIPTION,
    FORMAT,
    HISTORIES,
    ITEMS,
    LEAST_PROBABILITY,
    NODES,
    RECOMMENDATIONS,
    USERS,
    Table,
)
from reg4rec_core.machine import Meter
from reg4rec_core.types import Catalog, Fate, Interactions, ReasoningTrace, SemanticIds

PART_USERS = 256
TRACES = "traces"
"""Folder of a run that its stores lie in; no part of the manifest, they can be made again."""
DAY = 86_400
NONE = -1
"""Stands for null in integer columns until they are written; -1 is no user, node, item or category."""

TraceMoment = Literal["valid", "test", "now"]


@dataclass(frozen=True)
class StoreSettings:
    """What decides the contents of a store."""

    split: TraceMoment
    weights: str
    weights_checksum: str
    data_checksum: str
    decode: DecodeConfig
    users: int | None
    """Size of the seeded sample, None for all."""
    seed: int
    all_nodes: bool
    """Whether out-scored nodes (beam_cut) are kept, too."""

    @property
    def name(self) -> str:
        """Split, weights, and a hash of everything that is asked for: the weights' own contents leave it alone."""
        asked = {"decode": asdict(self.decode), "all_nodes": self.all_nodes}
        if self.users is not None:
            asked |= {"users": self.users, "seed": self.seed}
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return f"{self.split}-{self.weights}-{digest[:8]}"

    def to_json(self) -> dict[str, Any]:
        """JSON knows no infinity: a theta that prunes nothing reads null."""
        theta, *thetas = (one if math.isfinite(one) else None for one in (self.decode.theta, *self.decode.thetas))
        return asdict(self) | {"decode": asdict(self.decode) | {"theta": theta, "thetas": thetas}}


@dataclass(frozen=True)
class StoreReport:
    """A finished store."""

    path: Path
    settings: StoreSettings
    users: int
    parts: int
    parts_kept: int
    """Parts that an earlier call had left."""
    discarded: bool
    """Whether parts of other weights or data lay there and were thrown away."""
    bytes: dict[str, int]
    """By table."""
    cost: dict[str, float]
    """seconds, cpu_seconds and peak_memory_mb of the call that searched last, and how many users it searched."""

    def to_json(self) -> dict[str, Any]:
        """The document of `reg4rec trace --json`."""
        total = sum(self.bytes.values())
        return {
            "store": str(self.path),
            **self.settings.to_json(),
            "users": self.users,
            "parts": self.parts,
            "parts_kept": self.parts_kept,
            "discarded": self.discarded,
            "bytes": total,
            "bytes_of": self.bytes,
            "bytes_per_user": total / max(self.users, 1),
            **self.cost,
        }


def write_store(
    run: Evaluated,
    opened: Run,
    split: TraceMoment,
    decode: DecodeConfig,
    *,
    weights: str,
    users: int | None = None,
    seed: int = 0,
    all_nodes: bool = False,
    part_users: int = PART_USERS,
    progress: Progress,
) -> StoreReport:
    """Search the users of a split (or after all they did: now) and keep every trace under RUN/traces/.

    Lists have ten places at least, as in an evaluation. `weights` is the stage that `run` has loaded.
    """
    meter = Meter()
    settings = StoreSettings(
        split=split,
        weights=weights,
        weights_checksum=file_checksum(opened.path / "weights" / f"{weights}.safetensors"),
        data_checksum=str(opened.settings.get("data_checksum", "unknown")),
        decode=replace(decode, top_k=max(decode.top_k, LEAST_TOP)),
        users=users,
        seed=seed,
        all_nodes=all_nodes,
    )
    questions = questions_at(run.interactions, split)
    questions = questions if users is None else questions.sample(users, seed=seed)
    path = opened.path / TRACES / settings.name
    description = describe(run, settings, len(questions), part_users)
    before = cost_of(path)
    discarded = prepare_directory(path, description)
    write_item_tables(path, run.catalog, run.interactions)
    starts = range(0, len(questions), part_users)
    kept = [start for number, start in enumerate(starts) if part_file(path, USERS, number).exists()]
    for number, start in enumerate(progress(starts, desc=f"traces, {settings.name}")):
        if start not in kept:
            block = questions.take(np.arange(start, min(start + part_users, len(questions))))
            write_part(path, number, run, block, settings)
    searched = sum(min(part_users, len(questions) - start) for start in starts if start not in kept)
    cost = {**meter.read(), "users_searched": searched} if searched or not before else before
    write_json(path / DESCRIPTION, description | {"complete": True, **cost})
    sizes = {
        folder.stem: sum(file.stat().st_size for file in ([folder] if folder.is_file() else folder.glob("*.parquet")))
        for folder in sorted(path.iterdir())
        if folder.name != DESCRIPTION
    }
    return StoreReport(path, settings, len(questions), len(starts), len(kept), discarded, sizes, cost)


def questions_at(interactions: Interactions, moment: TraceMoment) -> HeldOut:
    """What is asked of every user. `now` has no targets (-1): the history is all that the user did."""
    if moment != "now":
        return held_out(interactions, moment)
    users = np.flatnonzero(np.diff(interactions.offsets) > 0)
    histories = tuple(interactions.sequence(user) for user in users.tolist())
    return HeldOut(users, histories, np.full(len(users), NONE))


def describe(run: Evaluated, settings: StoreSettings, users: int, part_users: int) -> dict[str, Any]:
    """Contents of store.json."""
    return {
        "format": FORMAT,
        "settings": settings.to_json(),
        "users": users,
        "part_users": part_users,
        "n_items": run.catalog.n_items,
        "n_codebooks": run.semantic_ids.n_codebooks,
        "codebook_size": run.semantic_ids.codebook_size,
        "n_categories": run.catalog.n_categories,
        "least_probability": LEAST_PROBABILITY,
        "complete": False,
        **provenance(),
    }


def prepare_directory(path: Path, description: dict[str, Any]) -> bool:
    """Make room for a store: parts of the same origin stay, others go. Whether something was thrown away."""
    decisive = ("format", "settings", "part_users", "users", "n_items")
    known, wanted = read_description(path), json.loads(json.dumps(description))  # as a file gives it: lists for tuples
    same = all(known.get(name) == wanted[name] for name in decisive)
    discarded = path.exists() and not same
    if discarded:
        shutil.rmtree(path)
    write_json(path / DESCRIPTION, description)
    return discarded


COST = ("seconds", "cpu_seconds", "peak_memory_mb", "users_searched")


def cost_of(path: Path) -> dict[str, float]:
    """What a finished store says that its searches took; {} where there is none."""
    known = read_description(path)
    return {name: known[name] for name in COST} if known.get("complete") and set(COST) <= set(known) else {}


def read_description(path: Path) -> dict[str, Any]:
    """Contents of store.json, {} where it is missing or damaged."""
    try:
        known = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def part_file(path: Path, table: Table, number: int) -> Path:
    return path / table.name / f"part-{number:05d}.parquet"


def write_part(path: Path, number: int, run: Evaluated, block: HeldOut, settings: StoreSettings) -> None:
    """Search some users and write their rows; the users themselves last."""
    histories = pad_histories(block.histories, HISTORY_LENGTH)
    traces = search(
        run.model, run.index, histories, settings.decode, seen=block.histories, neighbours=run.neighbours
    )  # fmt: skip
    for table, make in TABLES_OF_TRACES.items():
        rows = [make(user, trace, settings) for user, trace in zip(block.users.tolist(), traces, strict=True)]
        write_table(part_file(path, table, number), table, _joined(rows))
    write_table(part_file(path, HISTORIES, number), HISTORIES, history_rows(run.interactions, block))
    write_table(part_file(path, USERS, number), USERS, user_rows(run, block, traces))


Columns = dict[str, Any]
"""The columns of a table by name: arrays, or lists of text."""


def recommendation_rows(user: int, trace: ReasoningTrace, settings: StoreSettings) -> Columns:
    """The list of one user."""
    return {
        "user": np.full(len(trace.items), user),
        "rank": np.arange(1, len(trace.items) + 1),
        "item": trace.items,
        "score": trace.item_scores,
        "leaf": trace.item_nodes,
        "first_state": np.minimum(trace.item_first_state, 0.0),
        "evidence": trace.item_evidence,
    }


def node_rows(user: int, trace: ReasoningTrace, settings: StoreSettings) -> Columns:
    """The tree of one user under its own row numbers, which have gaps where out-scored nodes are left out."""
    rows = np.flatnonzero(settings.all_nodes | (trace.fate != Fate.BEAM_CUT))
    columns = {name: getattr(trace, name)[rows] for name in NODES.arrow_schema().names if name not in ("user", "node")}
    return {"user": np.full(len(rows), user), "node": rows, **columns}


def belief_rows(user: int, trace: ReasoningTrace, settings: StoreSettings) -> Columns:
    """The beliefs along the paths to recommended items, where the search has one."""
    best_rank: dict[int, int] = {}
    for rank, leaf in enumerate(trace.item_nodes.tolist(), start=1):
        for node in trace.path(leaf) if leaf >= 0 else ():
            best_rank.setdefault(node, rank)
    nodes = np.array(sorted(best_rank), dtype=np.int64)
    beliefs = trace.beliefs[nodes]
    place, category = np.nonzero(beliefs >= LEAST_PROBABILITY)  # false for NaN
    return {
        "user": np.full(len(place), user),
        "node": nodes[place],
        "step": trace.step[nodes][place],
        "rank": np.array([best_rank[node] for node in nodes.tolist()], dtype=np.int64)[place],
        "category": category,
        "probability": beliefs[place, category],
    }


TABLES_OF_TRACES: dict[Table, Callable[[int, ReasoningTrace, StoreSettings], Columns]] = {
    RECOMMENDATIONS: recommendation_rows,
    NODES: node_rows,
    BELIEFS: belief_rows,
}


def history_rows(interactions: Interactions, block: HeldOut) -> Columns:
    """What the users of a part had bought, and when."""
    lengths = np.array([len(history) for history in block.histories])
    times = [interactions.times(user)[:n] for user, n in zip(block.users.tolist(), lengths.tolist(), strict=True)]
    return {
        "user": np.repeat(block.users, lengths),
        "position": np.concatenate([np.arange(length) for length in lengths.tolist()]),
        "item": np.concatenate(block.histories),
        "time": np.concatenate(times),
    }


def user_rows(run: Evaluated, block: HeldOut, traces: Sequence[ReasoningTrace]) -> Columns:
    """One row a user of a part."""
    rows = [
        user_row(run, user, history, target, trace)
        for user, history, target, trace in zip(
            block.users.tolist(), block.histories, block.targets.tolist(), traces, strict=True
        )
    ]
    return {name: [row[name] for row in rows] for name in rows[0]}


def user_row(
    run: Evaluated, user: int, history: Int[np.ndarray, "_"], target: int, trace: ReasoningTrace
) -> dict[str, int | str]:
    """What was known of a user, what was to be found, and how the search went."""
    times = run.interactions.times(user)[: len(history)]
    timed = bool((times >= 0).all())
    found = np.flatnonzero(trace.items == target)
    pruned, kept = steps_towards(trace, run.semantic_ids, target) if target > 0 else (NONE, NONE)
    return {
        "user": user,
        "key": run.interactions.user_keys[user],
        "history_length": len(history),
        "active_days": int((times.max() - times.min()) // DAY) if timed else NONE,
        "last_time": int(times[-1]) if timed else NONE,
        "main_category": main_category(run.catalog.categories[history]),
        "target": target if target > 0 else NONE,
        "place": int(found[0]) + 1 if target > 0 and len(found) else NONE,
        "first_category": int(run.catalog.categories[trace.items[0]]) if len(trace.items) else NONE,
        "pruned": int((trace.fate == Fate.PRUNED).sum()),
        "regenerated": int((trace.attempt > 0).sum()),
        "fallback": int((trace.fate == Fate.FALLBACK).sum()),
        "pruned_target": pruned,
        "kept_target": kept,
    }


def main_category(categories: Int[np.ndarray, "length"]) -> int:
    """The category bought most often; of several the one bought last."""
    values, counts = np.unique(categories, return_counts=True)
    most = set(values[counts == counts.max()].tolist())
    return next(category for category in categories[::-1].tolist() if category in most)


def steps_towards(trace: ReasoningTrace, ids: SemanticIds, target: int) -> tuple[int, int]:
    """First step at which a candidate that led to the target was pruned (-1: none), and the last with one kept."""
    leads = agrees_with(trace, ids, target)
    pruned = trace.step[leads & (trace.fate == Fate.PRUNED)]
    kept = trace.step[leads & np.isin(trace.fate, (Fate.KEPT, Fate.FALLBACK))]
    return int(pruned.min()) if len(pruned) else NONE, int(kept.max())


def agrees_with(trace: ReasoningTrace, ids: SemanticIds, item: int) -> Bool[np.ndarray, "P"]:
    """Whether the item carries all codes of the path to each node."""
    agrees = (trace.step == 0) | (ids.codes[item][trace.codebook] == trace.code)  # the root's codebook is -1
    for step in range(2, int(trace.step.max()) + 1):
        rows = trace.step == step
        agrees[rows] &= agrees[trace.parent[rows]]
    return agrees


def write_item_tables(path: Path, catalog: Catalog, interactions: Interactions) -> None:
    """What items and categories are called, and how often training saw each item."""
    counts = np.bincount(np.concatenate(list(training_sequences(interactions))), minlength=catalog.n_items)
    items: Columns = {
        "item": np.arange(1, catalog.n_items),
        "key": list(catalog.item_keys[1:]),
        "title": list(catalog.titles[1:]),
        "brand": list(catalog.brands[1:]),
        "category": catalog.categories[1:],
        "training_count": counts[1:],
    }
    write_table(path / "items.parquet", ITEMS, items)
    names: Columns = {"category": np.arange(catalog.n_categories), "name": list(catalog.category_names)}
    write_table(path / "categories.parquet", CATEGORIES, names)


def write_table(path: Path, table: Table, columns: Columns) -> None:
    """Write one Parquet file so that a reader sees it whole or not at all; -1 and NaN become null where null may be."""
    schema = table.arrow_schema()
    arrays = []
    for spec in table.columns:
        values = np.asarray(columns[spec.name]) if spec.kind != "text" else columns[spec.name]
        void = None
        if spec.nullable and spec.kind != "text":
            void = values == NONE if spec.kind == "integer" else np.isnan(values)
        arrays.append(pa.array(values, mask=void, from_pandas=False).cast(spec.type))
    floats = [column.name for column in table.columns if column.kind == "number"]
    others = [column.name for column in table.columns if column.kind != "number"]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        partial,
        compression="zstd",
        use_dictionary=others,
        use_byte_stream_split=floats,
    )
    os.replace(partial, path)


def _joined(rows: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def stores_of(run: Run) -> Iterator[Path]:
    """The finished stores of a run, by name."""
    for path in sorted((run.path / TRACES).glob(f"*/{DESCRIPTION}")):
        if json.loads(path.read_text(encoding="utf-8")).get("complete"):
            yield path.parent
