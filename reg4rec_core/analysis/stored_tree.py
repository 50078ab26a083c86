"""One user's search read back from a trace store, whichever recommender wrote it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.analysis.trace_queries import TraceStore
from reg4rec_core.types import Fate, InputError, ReasoningTrace

NODES = "node, parent, step, codebook, code, log_prob, attempt, score, confidence, js, fate, items_left"


@dataclass(frozen=True)
class StoredSearch:
    """A search as a store holds it."""

    user: str
    """The user's key, or the row where the store has no keys."""
    trace: ReasoningTrace
    """What the store lacks: no regeneration, every node kept, js NaN, 0 items left, the path's score; no beliefs."""
    items: tuple[str, ...]
    """Title, else key, else row of every recommended item."""
    target: int
    """Row of the item to be found, 0 where the store does not say."""


def stored_search(store: TraceStore, user: str) -> StoredSearch:
    """The search of the user of that key; InputError when the store has no such user, or no tree of theirs."""
    found = store.rows("SELECT user, target FROM users WHERE coalesce(key, user::VARCHAR) = ? ORDER BY user", user)
    if not found:
        raise InputError(f"the store {store.path} has no user {user!r}; choose one from the list")
    row, target = found[0]
    nodes = store.columns(f"SELECT {NODES} FROM nodes WHERE user = ? ORDER BY node", row)
    if not len(nodes["node"]) or nodes["step"][0] != 0:
        raise InputError(f"the store {store.path} has no tree of user {user}, which must begin with a node of step 0")
    listed = (
        "SELECT r.item, r.score, r.leaf, r.first_state, r.evidence, coalesce(i.title, i.key, 'item ' || r.item) "
        "AS name FROM recommendations r LEFT JOIN items i ON i.item = r.item WHERE r.user = ? ORDER BY r.rank"
    )
    items = store.columns(listed, row)
    decode = store.description.get("settings", {}).get("decode", {})
    try:
        trace = _trace(nodes, items, decode)
    except ValueError as error:
        raise InputError(
            f"the tree of user {user} breaks a rule of trace stores ({error}); reg4rec trace --validate {store.path} "
            "says where"
        ) from error
    return StoredSearch(user, trace, tuple(str(name) for name in items["name"]), int(target or 0))


def _trace(nodes: dict[str, Any], items: dict[str, Any], decode: dict[str, Any]) -> ReasoningTrace:
    """The columns of a store as a tree; numbers of nodes become rows."""
    numbers, parents = _whole(nodes["node"], -1), _whole(nodes["parent"], -1)
    log_prob = _real(nodes["log_prob"])
    parent = np.where(parents < 0, -1, np.searchsorted(numbers, parents))
    before = np.where(parent < 0, 0.0, log_prob[parent])
    steps, leaf = _whole(nodes["step"], 0), _whole(items["leaf"], -1)
    return ReasoningTrace(
        parent=parent, step=steps, attempt=_whole(nodes["attempt"], 0), codebook=_whole(nodes["codebook"], -1),
        code=_whole(nodes["code"], -1), log_prob=log_prob, score=_or(_real(nodes["score"]), log_prob),
        confidence=_or(_real(nodes["confidence"]), np.exp(log_prob - before)), js=_real(nodes["js"]),
        fate=_whole(nodes["fate"], int(Fate.KEPT)), items_left=_whole(nodes["items_left"], 0),
        beliefs=np.full((len(steps), 1), np.nan), items=_whole(items["item"], 0), item_scores=_real(items["score"]),
        item_nodes=np.where(leaf < 0, -1, np.searchsorted(numbers, leaf)),
        item_first_state=_real(items["first_state"]), item_evidence=_real(items["evidence"]),
        theta=float("inf") if decode.get("theta") is None else float(decode["theta"]),
        check_from=int(decode.get("check_from", 0)), beam_width=int(decode.get("beam_width", 0)),
    )  # fmt: skip


def _whole(column: Any, missing: int) -> Int[np.ndarray, "n"]:
    return np.ma.filled(np.ma.asarray(column).astype(np.int64), missing)


def _real(column: Any) -> Float[np.ndarray, "n"]:
    return np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)


def _or(values: Float[np.ndarray, "n"], others: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """The values, those that are unknown from elsewhere."""
    return np.where(np.isnan(values), others, values)
