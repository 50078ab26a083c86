"""The search of a block of histories -> one ReasoningTrace per history.

Rows: the root; then step by step, best candidate first, every candidate that was tried (kept, fallback, pruned) and the
next W that were out-scored (beam_cut).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import BlockResult
from reg4rec_core.decoding.pruning import UNSEEN
from reg4rec_core.types import Fate, ReasoningTrace


@dataclass(frozen=True)
class ItemList:
    """What one history is recommended, best first."""

    items: Int[np.ndarray, "R"]
    scores: Float[np.ndarray, "R"]
    leaf_entries: Int[np.ndarray, "R"]
    """The leaf's entry in the last pool, -1 for a neighbour."""
    first_state: Float[np.ndarray, "R"]
    evidence: Float[np.ndarray, "R"]


@dataclass(frozen=True)
class _Level:
    """One step of a block as arrays. A trace shows the beginning of the pool: what was tried, then what was cut."""

    shown: Int[np.ndarray, "B"]
    parent_row: Int[np.ndarray, "B n"]
    integers: Int[np.ndarray, "B n 5"]
    """attempt, codebook, code, fate, items left."""
    floats: Float[np.ndarray, "B n 4"]
    """log_prob, score, confidence, js."""
    column: Int[np.ndarray, "B n"]
    beliefs: Float[np.ndarray, "B evaluated C"]


@dataclass(frozen=True)
class BlockTraces:
    """The searches of a block, ready to be written down one by one."""

    levels: list[_Level]
    root_beliefs: Float[np.ndarray, "B C"]
    lists: list[ItemList]
    n_items: int
    config: DecodeConfig

    @classmethod
    def of(cls, block: BlockResult, lists: list[ItemList], n_items: int, config: DecodeConfig) -> "BlockTraces":
        """The first `len(lists)` histories of a block; `n_items` counts the padding row."""
        return cls(_levels(block), block.root_beliefs.numpy(), lists, n_items, config)

    def trace(self, user: int) -> ReasoningTrace:
        """The trace of one history."""
        return _trace(self.levels, self.root_beliefs[user], user, self.lists[user], self.n_items, self.config)


def build_traces(block: BlockResult, lists: list[ItemList], n_items: int, config: DecodeConfig) -> list[ReasoningTrace]:
    """The traces of the first `len(lists)` histories of a block; `n_items` counts the padding row."""
    traces = BlockTraces.of(block, lists, n_items, config)
    return [traces.trace(user) for user in range(len(lists))]


def _levels(block: BlockResult) -> list[_Level]:
    levels = []
    first_row = np.zeros((len(block.root_beliefs), 1), np.int64)
    shown = np.ones(len(block.root_beliefs), np.int64)  # the root
    for record in block.steps:
        pool = record.pool
        parent_row = first_row + record.parent_entry.numpy()
        first_row = first_row + shown[:, None]
        shown = (record.fate != UNSEEN).sum(1).numpy()
        integers = torch.stack([record.attempt, pool.codebook, pool.code, record.fate, pool.items_left], -1)
        floats = torch.stack([pool.log_prob, pool.score, pool.confidence, record.js], -1)
        levels.append(
            _Level(shown, parent_row, integers.numpy(), floats.numpy(), record.column.numpy(), record.beliefs.numpy())
        )
    return levels


def _trace(
    levels: list[_Level],
    root_beliefs: Float[np.ndarray, "C"],
    user: int,
    ranked: ItemList,
    n_items: int,
    config: DecodeConfig,
) -> ReasoningTrace:
    counts = np.array([1] + [level.shown[user] for level in levels])

    def stacked(root: np.ndarray, name: str) -> np.ndarray:
        return np.concatenate([root, *(getattr(level, name)[user, : level.shown[user]] for level in levels)])

    root_integers, root_floats = [[0, -1, -1, int(Fate.KEPT), n_items - 1]], [[0.0, 0.0, 1.0, np.nan]]
    attempt, codebook, code, fate, items_left = stacked(np.array(root_integers), "integers").T.copy()
    log_prob, score, confidence, js = stacked(np.array(root_floats), "floats").T.copy()
    first_leaf = counts[:-1].sum()
    from_path = ranked.leaf_entries >= 0
    return ReasoningTrace(
        parent=stacked(np.array([-1]), "parent_row"),
        step=np.repeat(np.arange(len(counts)), counts),
        attempt=attempt,
        codebook=codebook,
        code=code,
        log_prob=log_prob,
        score=score,
        confidence=confidence,
        js=js,
        fate=fate,
        items_left=items_left,
        beliefs=_beliefs(levels, root_beliefs, user, counts),
        items=ranked.items,
        item_scores=ranked.scores,
        item_nodes=np.where(from_path, first_leaf + ranked.leaf_entries, -1),
        item_first_state=ranked.first_state,
        item_evidence=ranked.evidence,
        theta=config.theta,
        check_from=config.check_from,
        beam_width=config.beam_width,
        thetas=config.thetas,
    )


def _beliefs(
    levels: list[_Level], root_beliefs: Float[np.ndarray, "C"], user: int, counts: Int[np.ndarray, "levels"]
) -> Float[np.ndarray, "P C"]:
    beliefs = np.full((counts.sum(), len(root_beliefs)), np.nan)
    beliefs[0] = root_beliefs
    for level, first_row in zip(levels, counts.cumsum(), strict=False):
        column = level.column[user, : level.shown[user]]
        rows = np.flatnonzero(column >= 0)
        beliefs[first_row + rows] = level.beliefs[user, column[rows]]
    return beliefs
