"""The catalogue constraint: posting lists, item sets and their sizes."""

from itertools import combinations

import numpy as np
import pytest
import torch
from lookup_model import random_ids

from reg4rec_core.decoding import ItemIndex, constraints
from reg4rec_core.decoding.constraints import largest_item_sets, mark_allowed
from reg4rec_core.types import SemanticIds


def largest_by_hand(codes: np.ndarray, size: int) -> int:
    """The largest group of rows that agree in any `size` columns."""
    best = 0
    for columns in combinations(range(codes.shape[1]), size):
        best = max(best, np.unique(codes[:, columns], axis=0, return_counts=True)[1].max())
    return int(best)


@pytest.mark.parametrize("seed", range(3))
def test_set_sizes_are_the_largest_sets_that_any_path_can_leave(seed: int) -> None:
    ids = random_ids(seed, n_items=40, n_codebooks=5, codebook_size=3)
    assert ItemIndex(ids).set_sizes == (39, *(largest_by_hand(ids.codes[1:], size) for size in range(1, 6)))


def test_beyond_the_counted_subsets_set_sizes_are_an_upper_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = random_ids(0, n_items=40, n_codebooks=5, codebook_size=3).codes[1:]
    exact = largest_item_sets(codes, 3)
    monkeypatch.setattr(constraints, "SUBSETS_COUNTED", 16)  # 1 + 5 + 10
    assert largest_item_sets(codes, 3) == (*exact[:3], exact[2], exact[2], exact[2])


def test_postings_are_the_items_that_carry_a_code() -> None:
    ids = random_ids(1, n_items=30, n_codebooks=3, codebook_size=4)
    index = ItemIndex(ids)
    codebook, code = torch.meshgrid(torch.arange(3), torch.arange(4), indexing="ij")
    lists = index.postings(codebook, code)
    assert lists.shape == (3, 4, index.set_sizes[1])
    for m in range(3):
        for k in range(4):
            expected = [item for item in range(1, 30) if ids.codes[item, m] == k]
            assert lists[m, k].tolist() == expected + [0] * (index.set_sizes[1] - len(expected))


def test_a_code_that_no_item_carries_has_an_empty_list() -> None:
    index = ItemIndex(SemanticIds(np.array([[0, 0], [1, 1], [1, 3]]), 4))
    assert index.postings(torch.tensor([[0, 1, 1]]), torch.tensor([[0, 2, 3]])).tolist() == [[[0, 0], [0, 0], [2, 0]]]


def test_narrowing_keeps_the_items_with_the_code_in_their_order() -> None:
    ids = SemanticIds(np.array([[0, 0], [0, 1], [1, 1], [0, 2], [0, 1], [0, 1]]), 3)
    items = torch.tensor([[[1, 2, 3, 4, 5], [5, 2, 1, 0, 0]]])
    narrowed = ItemIndex(ids).narrow(items, torch.tensor([[1, 0]]), torch.tensor([[1, 0]]), 4)
    assert narrowed.tolist() == [[[1, 2, 4, 5], [5, 1, 0, 0]]]


def test_sums_over_the_catalogue_add_what_carries_a_code() -> None:
    ids = random_ids(2, n_items=30, n_codebooks=3, codebook_size=4)
    values = torch.rand(2, 30, generator=torch.Generator().manual_seed(0))
    sums = ItemIndex(ids).sums_over_catalog(values)
    for m in range(3):
        for k in range(4):
            carriers = [item for item in range(1, 30) if ids.codes[item, m] == k]
            torch.testing.assert_close(sums[:, m, k], values[:, carriers].sum(1))


def test_excluded_items_and_padding_are_not_allowed() -> None:
    excluded = torch.zeros(2, 5, dtype=torch.bool)
    excluded[0, 3] = True
    candidates = mark_allowed(torch.tensor([[[1, 3, 0]], [[1, 3, 0]]]), excluded)
    assert candidates.allowed.tolist() == [[[True, False, False]], [[True, True, False]]]


def test_an_index_needs_an_item() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        ItemIndex(SemanticIds(np.zeros((1, 2), np.int64), 2))
