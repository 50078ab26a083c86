import numpy as np
import pytest

from reg4rec_core.tokenizer.assignment import (
    collision_rate,
    normalised_mutual_information,
    pairwise_information,
    perplexity,
    usage,
)
from reg4rec_core.types import SemanticIds

IDS = SemanticIds(np.array([[0, 0], [0, 1], [1, 1], [0, 2], [0, 2]]), 3)


def test_usage_counts_real_items_only():
    assert usage(IDS).tolist() == [[3, 1, 0], [0, 2, 2]]


def test_perplexity_is_the_number_of_equally_used_codes():
    assert perplexity(IDS)[1] == pytest.approx(2.0)
    assert perplexity(IDS)[0] == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))


def test_collision_rate_counts_every_item_that_shares_all_its_codes():
    assert collision_rate(IDS) == pytest.approx(2 / 4)


def test_information_is_one_for_a_relabelled_partition_and_zero_for_independent_ones():
    left = np.array([0, 0, 1, 1])
    assert normalised_mutual_information(left, np.array([2, 2, 0, 0])) == pytest.approx(1.0)
    assert normalised_mutual_information(left, np.array([0, 1, 0, 1])) == pytest.approx(0.0, abs=1e-12)


def test_pairwise_information_is_symmetric_with_ones_on_the_diagonal():
    matrix = pairwise_information(IDS)
    assert (matrix == matrix.T).all()
    assert np.diag(matrix).tolist() == [1.0, 1.0]
