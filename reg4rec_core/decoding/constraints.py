"""The catalogue constraint: which items still agree with a path. Only codes that lead to an item may be chosen."""

from copy import copy
from dataclasses import dataclass
from math import comb

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from reg4rec_core.types import SemanticIds

SUBSETS_COUNTED = 4096
"""Sets of codebooks whose item sets are counted exactly; larger sets of codebooks inherit the bound of smaller ones."""


@dataclass(frozen=True)
class Candidates:
    """The items that agree with each path, ascending, padded with 0 to a width that depends on the step alone."""

    items: Int[Tensor, "B V P"]
    allowed: Bool[Tensor, "B V P"]
    """Real and not excluded; an excluded item still counts among the items that agree with the path."""


def largest_item_sets(codes: Int[np.ndarray, "items M"], codebook_size: int) -> tuple[int, ...]:
    """For t = 0..M the largest number of items that agree in any t codes.

    Exact while there are few enough sets of codebooks (M <= 12), an upper bound beyond.
    """
    n_items, n_codebooks = codes.shape
    largest = [n_items] + [1] * n_codebooks
    subsets = np.cumsum([comb(n_codebooks, size) for size in range(n_codebooks + 1)])
    deepest = max(1, int((subsets <= SUBSETS_COUNTED).sum()) - 1)

    def visit(rows: Int[np.ndarray, "rows"], groups: Int[np.ndarray, "rows"], first: int, size: int) -> None:
        for codebook in range(first, n_codebooks):
            keys = groups * codebook_size + codes[rows, codebook]
            _, labels, counts = np.unique(keys, return_inverse=True, return_counts=True)
            largest[size] = max(largest[size], int(counts.max()))
            shared = counts[labels] > 1  # a group of one stays a group of one
            if size < deepest and shared.any():
                visit(rows[shared], labels[shared], codebook + 1, size + 1)

    visit(np.arange(n_items), np.zeros(n_items, np.int64), 0, 1)
    for size in range(deepest + 1, n_codebooks + 1):
        largest[size] = largest[size - 1]
    return tuple(largest)


def take(table: Shaped[Tensor, "rows *tail"], rows: Int[Tensor, "*shape"]) -> Shaped[Tensor, "..."]:
    """table[rows], several times faster than indexing."""
    return table.index_select(0, rows.flatten()).view(*rows.shape, *table.shape[1:])


def rows_of(values: Shaped[Tensor, "B W *tail"], places: Int[Tensor, "B V"]) -> Shaped[Tensor, "B V *tail"]:
    """values[b, places[b, v]]."""
    rows = places + torch.arange(len(places), device=places.device)[:, None] * values.shape[1]
    return take(values.flatten(0, 1), rows)


class ItemIndex:
    """The codes of a catalogue, arranged for search: who carries a code, and how many items any path can leave.

    `set_sizes` gives every step a candidate width known beforehand, so that the shapes of a search, and with them the
    last bits of its sums, depend on the catalogue and the settings alone.
    """

    def __init__(self, ids: SemanticIds) -> None:
        if ids.n_items < 2:
            raise ValueError(f"an item index needs at least one item besides padding, got {ids.n_items} rows")
        self.n_items, self.n_codebooks, self.codebook_size = ids.n_items, ids.n_codebooks, ids.codebook_size
        self.codes: Int[Tensor, "N M"] = torch.from_numpy(np.ascontiguousarray(ids.codes, dtype=np.int64))
        self.flat_codes: Int[Tensor, "N M"] = self.codes + torch.arange(ids.n_codebooks) * ids.codebook_size
        """Row of every item's codes in a joint table of M x K codes."""
        self.codes_by_codebook: Int[Tensor, "M N"] = self.codes.T.contiguous()
        by_codebook = self.flat_codes[1:].T.reshape(-1)
        self.posting_items: Int[Tensor, " postings"] = by_codebook.sort(stable=True).indices % (ids.n_items - 1) + 1
        """Items by (codebook, code), ascending within a code."""
        self.posting_sizes: Int[Tensor, " MK"] = by_codebook.bincount(minlength=ids.n_codebooks * ids.codebook_size)
        self.posting_starts: Int[Tensor, " MK"] = self.posting_sizes.cumsum(0) - self.posting_sizes
        self.set_sizes = largest_item_sets(np.asarray(ids.codes, dtype=np.int64)[1:], ids.codebook_size)
        """P_t: the most items that a path of t codes can leave, t = 0..M."""

    def to(self, device: torch.device) -> "ItemIndex":
        """The same index with its tensors on `device`: post-training samples where the network is."""
        moved = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(moved, name, value.to(device))
        return moved

    def postings(self, codebook: Int[Tensor, "B V"], code: Int[Tensor, "B V"]) -> Int[Tensor, "B V P"]:
        """The items that carry a code, padded to P_1."""
        place = torch.arange(self.set_sizes[1], device=code.device)
        row = codebook * self.codebook_size + code
        position = take(self.posting_starts, row)[..., None] + place
        items = take(self.posting_items, position.clamp_max(len(self.posting_items) - 1))
        return items * (place < take(self.posting_sizes, row)[..., None])

    def codes_in(self, items: Int[Tensor, "B V P"], codebook: Int[Tensor, "B V"]) -> Int[Tensor, "B V P"]:
        """Each item's code in the codebook of its path."""
        return take(self.codes.view(-1), items * self.n_codebooks + codebook[..., None])

    def narrow(
        self, items: Int[Tensor, "B V P"], codebook: Int[Tensor, "B V"], code: Int[Tensor, "B V"], width: int
    ) -> Int[Tensor, "B V narrowed"]:
        """Those of `items` that carry the code, in the same order, packed into `width` places."""
        keep = (self.codes_in(items, codebook) == code[..., None]) & (items > 0)
        place = torch.where(keep, keep.cumsum(-1) - 1, width)  # the spare last place takes what is dropped
        packed = items.new_zeros(*items.shape[:2], width + 1).scatter_(2, place, items)
        return packed[..., :width]

    def sums_over_catalog(self, values: Float[Tensor, "B N"]) -> Float[Tensor, "B M K"]:
        """Sum of `values` over the items that carry each code."""
        sums = torch.nn.functional.embedding_bag(
            self.posting_items, values.T.contiguous(), self.posting_starts, mode="sum"
        )  # (M * K, B)
        return sums.T.reshape(len(values), self.n_codebooks, self.codebook_size)


def mark_allowed(items: Int[Tensor, "B V P"], excluded: Bool[Tensor, "B N"]) -> Candidates:
    """Candidates of which the excluded ones may not be recommended."""
    barred = excluded.gather(1, items.flatten(1)).view_as(items)
    return Candidates(items, (items > 0) & ~barred)
