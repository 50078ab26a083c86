"""Nearest neighbours of summed codewords."""

import numpy as np
import pytest

from reg4rec_core.retrieval import ItemNeighbours, summed_codewords
from reg4rec_core.types import SemanticIds


def random_catalogue(seed: int = 0, codebook_size: int = 4) -> tuple[np.ndarray, SemanticIds]:
    random = np.random.default_rng(seed)
    return random.normal(size=(3, codebook_size, 5)).astype(np.float32), SemanticIds(
        random.integers(0, codebook_size, (30, 3)), codebook_size
    )


def test_an_item_vector_is_the_normalised_sum_of_its_codewords() -> None:
    codewords = np.array([[[3.0, 0.0], [0.0, 1.0]], [[0.0, 4.0], [0.0, -1.0]]])
    ids = SemanticIds(np.array([[0, 0], [0, 0], [1, 0], [1, 1]]), 2)
    expected = [[0, 0], [0.6, 0.8], [0, 1], [0, 0]]  # the last sum is the zero vector
    np.testing.assert_allclose(summed_codewords(codewords, ids), expected, rtol=1e-6)


def test_neighbours_are_those_of_a_full_sort_by_cosine() -> None:
    vectors = summed_codewords(*random_catalogue(codebook_size=50))
    neighbours = ItemNeighbours(vectors)
    for item in range(1, 30):
        similarity = vectors @ vectors[item]
        expected = [other for other in np.argsort(-similarity) if other not in (0, item)]
        assert neighbours(item, 28).tolist() == expected
        assert neighbours(item, 5).tolist() == expected[:5]


def test_items_with_the_same_codes_are_nearest_and_go_by_item() -> None:
    codewords, ids = random_catalogue()
    ids.codes[[4, 11, 20]] = ids.codes[7]
    others = [item for item in range(1, 30) if (ids.codes[item] == ids.codes[7]).all() and item != 7]
    assert ItemNeighbours(summed_codewords(codewords, ids))(7, len(others)).tolist() == others


@pytest.mark.parametrize(
    ("item", "count", "message"), [(0, 1, "item must lie"), (30, 1, "item must"), (1, 29, "count must")]
)
def test_what_is_not_there_cannot_be_asked_for(item: int, count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ItemNeighbours(summed_codewords(*random_catalogue()))(item, count)


def test_codewords_must_fit_the_codes() -> None:
    codewords, ids = random_catalogue()
    with pytest.raises(ValueError, match="3 x 4 x d"):
        summed_codewords(codewords[:2], ids)
