"""What other shoppers bought next: counted transitions as evidence beside what the network has learnt.

A counter that learns nothing ranks nearly as well as published models (evaluation/baselines.py), and knows other things
than a network of the same data: so its counts join the network's item logits, before any code is chosen and at every
step after it. The paper has nothing of the kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import coo_array, csr_array
from torch import Tensor

REACH = 5
"""Purchases apart that still count as a transition; one of d apart counts 1 / d."""
MEMORY = 8
"""Newest items of a history that are asked what followed them."""
FADING = 0.6
"""Weight of each item of the history beside the one after it."""
SHRINK = 1.0
"""Added to how often an item was followed at all: a single follower proves little."""
SMALLEST = 1e-3
"""Transition share at which evidence begins: ln(1 + share / this)."""


@dataclass(frozen=True)
class SparseRows:
    """Rows over the catalogue, mostly 0: row r holds `values` at `items`, entries offsets[r] to offsets[r + 1]."""

    offsets: Int[Tensor, "bounds"]
    items: Int[Tensor, "n"]
    values: Float[Tensor, "n"]

    def take(self, rows: Int[Tensor, "R"]) -> "SparseRows":
        """The given rows, in their order."""
        counts = self.offsets[rows + 1] - self.offsets[rows]
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        within = torch.arange(int(offsets[-1]), device=counts.device) - offsets[:-1].repeat_interleave(counts)
        entries = self.offsets[rows].repeat_interleave(counts) + within
        return SparseRows(offsets, self.items[entries], self.values[entries])

    def places(self, first: int, last: int, width: int) -> tuple[Int[Tensor, "m"], Float[Tensor, "m"]]:
        """Rows `first` to `last` of a dense matrix with `width` columns: flat places and values of their entries."""
        start, end = int(self.offsets[first]), int(self.offsets[last])
        counts = self.offsets[first + 1 : last + 1] - self.offsets[first:last]
        row = torch.arange(last - first, device=counts.device).repeat_interleave(counts)
        return row * width + self.items[start:end], self.values[start:end]

    def dense(self, n_items: int) -> Float[Tensor, "R N"]:
        """The rows written out."""
        n_rows = len(self.offsets) - 1
        rows = self.values.new_zeros(n_rows * n_items)
        places, values = self.places(0, n_rows, n_items)
        return rows.index_add_(0, places, values).view(n_rows, n_items)

    @classmethod
    def empty(cls, n_rows: int, like: Float[Tensor, "..."]) -> "SparseRows":
        """Rows without entries, of the type and on the device of `like`."""
        offsets = torch.zeros(n_rows + 1, dtype=torch.int64, device=like.device)
        return cls(offsets, offsets[:0], like.new_zeros(0))


class Transitions:
    """N x N counts of which item followed which in training, and what they say of a history's next item."""

    def __init__(self, counts: csr_array) -> None:
        self.counts = counts
        self.totals = np.asarray(counts.sum(1)).ravel()
        """How often anything followed each item, N."""

    @classmethod
    def count(cls, sequences: Iterable[Int[np.ndarray, "_"]], *, n_items: int) -> "Transitions":
        """Count in training sequences, oldest item first; anything later would leak the answers."""
        together, owner = _joined(sequences)
        counts = csr_array((n_items, n_items))
        for distance in range(1, REACH + 1):
            same = owner[distance:] == owner[:-distance]
            pairs = together[:-distance][same], together[distance:][same]
            counts += csr_array((np.full(len(pairs[0]), 1 / distance), pairs), shape=counts.shape)
        return cls(counts)

    @property
    def n_items(self) -> int:
        return self.counts.shape[0]

    def evidence(self, sequences: Int[np.ndarray, "B T"], positions: Int[np.ndarray, "P"]) -> csr_array:
        """Evidence for every item to come next after column p of each sequence: row b x P + i is position i of b.

        ln(1 + s / SMALLEST), s the sum over the newest items of the history of FADING^age x the share of the item among
        what followed there. Sequences are left-padded with 0. Columns after p are this shopper's own future: the
        transitions from the history to them are taken out of the counts, so that a training example is not asked for
        what it has itself put there.
        """
        rows, width = np.arange(len(sequences))[:, None] * len(positions), sequences.shape[1]
        asked: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        own: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for age in range(min(MEMORY, width)):
            reached = np.flatnonzero(positions >= age)
            columns = positions[reached] - age
            row = np.broadcast_to(rows + reached, (len(sequences), len(reached)))
            origins = sequences[:, columns]
            followers = range(age + 1, REACH + 1)
            inside = np.array([[column + d < width for d in followers] for column in columns])
            known = inside.reshape(len(columns), len(followers)) / np.array(followers)
            followed = np.where(origins > 0, self.totals[origins] - known.sum(1) + SHRINK, np.inf)
            share = FADING**age / followed
            asked.append((share, row, origins))
            for place, distance in enumerate(followers):
                left = np.flatnonzero(known[:, place])
                follower = sequences[:, columns[left] + distance]
                own.append((-share[:, left] / distance, row[:, left], follower))
        shape = (len(sequences) * len(positions), self.n_items)
        summed = _matrix(asked, shape) @ self.counts
        if own:
            summed = summed + _matrix(own, shape)
        summed.data = np.log1p(np.maximum(summed.data, 0) / SMALLEST)
        summed.data[summed.data < 1e-6] = 0  # what was taken out leaves rounding errors
        summed.eliminate_zeros()
        return csr_array(summed)


def _joined(sequences: Iterable[Int[np.ndarray, "_"]]) -> tuple[Int[np.ndarray, "total"], Int[np.ndarray, "total"]]:
    parts = list(sequences)
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return np.concatenate([np.zeros(0, np.int64), *parts]), owner


def _matrix(entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]], shape: tuple[int, int]) -> csr_array:
    values, rows, columns = (np.concatenate([part.ravel() for part in column]) for column in zip(*entries, strict=True))
    wanted = values != 0
    return coo_array((values[wanted], (rows[wanted], columns[wanted])), shape=shape).tocsr()


def sparse_rows(matrix: csr_array, *, weight: float, like: Float[Tensor, "..."]) -> SparseRows:
    """A scipy matrix times `weight` as tensors of the type and on the device of `like`."""
    return SparseRows(
        torch.as_tensor(matrix.indptr, dtype=torch.int64, device=like.device),
        torch.as_tensor(matrix.indices, dtype=torch.int64, device=like.device),
        torch.as_tensor(weight * matrix.data, dtype=like.dtype, device=like.device),
    )
