"""Counted transitions: counts, evidence, and that nobody is asked for what they have themselves put there."""

import math

import numpy as np
import pytest
import torch

from reg4rec_core.model import SparseRows, Transitions
from reg4rec_core.model.transitions import FADING, MEMORY, REACH, SHRINK, SMALLEST, sparse_rows

N = 15


def shoppers(seed: int, count: int = 8) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.permutation(np.arange(1, N))[: random.integers(1, 12)] for _ in range(count)]


def slow_counts(sequences: list[np.ndarray]) -> np.ndarray:
    counts = np.zeros((N, N))
    for sequence in sequences:
        for i, item in enumerate(sequence):
            for j in range(i + 1, min(i + REACH, len(sequence) - 1) + 1):
                counts[item, sequence[j]] += 1 / (j - i)
    return counts


def slow_evidence(counts: np.ndarray, history: list[int]) -> np.ndarray:
    summed = np.zeros(N)
    for age, item in enumerate(reversed(history[-MEMORY:])):
        summed += FADING**age * counts[item] / (counts[item].sum() + SHRINK)
    return np.log1p(summed / SMALLEST)


def test_one_purchase_apart_counts_one_and_two_apart_a_half():
    counts = Transitions.count([np.array([3, 4, 5]), np.array([3, 4])], n_items=6).counts.toarray()
    assert counts[3].tolist() == [0, 0, 0, 0, 2, 0.5]
    assert counts[4].tolist() == [0, 0, 0, 0, 0, 1]


def test_evidence_by_hand():
    transitions = Transitions.count([np.array([1, 2]), np.array([1, 2]), np.array([1, 3])], n_items=4)
    rows = transitions.evidence(np.array([[0, 1]]), np.array([1])).toarray()
    share = 2 / (3 + SHRINK)
    assert rows[0, 2] == pytest.approx(math.log(1 + share / SMALLEST))
    assert rows[0, 3] == pytest.approx(math.log(1 + share / 2 / SMALLEST))
    assert rows[0, :2].tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_counts_and_evidence_agree_with_plain_loops(seed):
    sequences = shoppers(seed)
    transitions = Transitions.count(sequences, n_items=N)
    expected = slow_counts(sequences)
    np.testing.assert_allclose(transitions.counts.toarray(), expected)
    histories = [list(sequence) for sequence in shoppers(seed + 100)]
    padded = np.zeros((len(histories), 13), np.int64)
    for row, history in zip(padded, histories, strict=True):
        row[13 - len(history) :] = history
    rows = transitions.evidence(padded, np.array([12])).toarray()
    for row, history in zip(rows, histories, strict=True):
        np.testing.assert_allclose(row, slow_evidence(expected, history), atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_training_position_sees_the_counts_without_the_shoppers_own_future(seed):
    sequences = shoppers(seed)
    transitions = Transitions.count(sequences, n_items=N)
    whole = slow_counts(sequences)
    width = max(map(len, sequences))
    for sequence in sequences:
        window = np.zeros((1, width), np.int64)
        window[0, width - len(sequence) :] = sequence
        rows = transitions.evidence(window, np.arange(width - 1)).toarray()
        for position in range(len(sequence) - 1):
            history, future = sequence[: position + 1], sequence[position + 1 :]
            own = slow_counts([sequence]) - slow_counts([history]) - slow_counts([future])
            row = rows[width - len(sequence) + position]
            np.testing.assert_allclose(row, slow_evidence(whole - own, list(history)), atol=1e-5)


def test_a_pair_that_only_this_shopper_made_is_no_evidence_for_them():
    transitions = Transitions.count([np.array([1, 2, 3])], n_items=5)
    rows = transitions.evidence(np.array([[1, 2, 3]]), np.array([0, 1]))
    assert rows.toarray()[:, 3].tolist() == [0, 0]
    assert rows.toarray()[0].sum() == 0
    assert transitions.evidence(np.array([[1, 2]]), np.array([1])).toarray()[0, 3] > 0


def test_a_history_gives_the_same_bits_alone_and_among_others():
    transitions = Transitions.count(shoppers(0, 40), n_items=N)
    histories = np.stack([np.random.default_rng(i).permutation(N)[:9] for i in range(6)])
    together = transitions.evidence(histories, np.array([8])).toarray()
    for row, history in zip(together, histories, strict=True):
        assert (transitions.evidence(history[None], np.array([8])).toarray()[0] == row).all()


def test_padding_in_front_changes_nothing():
    transitions = Transitions.count(shoppers(1, 40), n_items=N)
    short = transitions.evidence(np.array([[4, 5]]), np.array([1])).toarray()
    long = transitions.evidence(np.array([[0, 0, 0, 4, 5]]), np.array([4])).toarray()
    assert (short == long).all()


def test_sparse_rows_are_taken_placed_and_written_out():
    matrix = Transitions.count(shoppers(2, 30), n_items=N).evidence(
        np.array([[1, 2], [3, 4], [0, 5]]), np.array([0, 1])
    )
    rows = sparse_rows(matrix, weight=2.0, like=torch.zeros(1))
    dense = rows.dense(N)
    torch.testing.assert_close(dense, torch.as_tensor(2 * matrix.toarray(), dtype=torch.float32))
    chosen = torch.tensor([5, 0, 3, 3])
    torch.testing.assert_close(rows.take(chosen).dense(N), dense[chosen])
    places, values = rows.places(2, 5, N)
    part = torch.zeros(3 * N).index_add_(0, places, values).view(3, N)
    torch.testing.assert_close(part, dense[2:5])
    assert SparseRows.empty(4, dense).dense(N).tolist() == torch.zeros(4, N).tolist()
