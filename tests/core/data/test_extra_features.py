"""One more modality from a Parquet file."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reg4rec_core.data.features import read_features
from reg4rec_core.types import InputError

KEYS = ("", "a", "b", "c")


def write(folder, **columns):
    pq.write_table(pa.table(columns), folder / "vectors.parquet")
    return folder / "vectors.parquet"


def test_vectors_find_their_items_and_padding_stays_zero(tmp_path):
    path = write(tmp_path, sku=["c", "x", "a", "b"], image=[[5.0, 6.0], [0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    extra = read_features(path, KEYS)
    assert extra.vectors.tolist() == [[0, 0], [1, 2], [3, 4], [5, 6]]
    assert (extra.missing_items, extra.unused_rows) == (0, 1)


def test_an_item_without_a_vector_gets_the_mean_of_the_others(tmp_path):
    extra = read_features(write(tmp_path, sku=["c", "a"], image=[[5.0], [1.0]]), KEYS)
    assert extra.vectors[:, 0].tolist() == [0, 1, 3, 5]
    assert (extra.missing_items, extra.unused_rows) == (1, 0)


def test_numeric_keys_and_fixed_size_vectors_are_read(tmp_path):
    vectors = pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2))
    extra = read_features(write(tmp_path, image=vectors, id=[2, 1]), ("", "1", "2"))
    assert extra.vectors.tolist() == [[0, 0], [3, 4], [1, 2]]
    assert extra.vectors.dtype == np.float32


@pytest.mark.parametrize(
    ("columns", "pattern"),
    [
        ({"sku": ["a", "b"], "image": [[1.0], [1.0, 2.0]]}, r"row [12], column image: does not have"),
        ({"sku": ["a", "b"], "image": [[1.0], [np.nan]]}, r"row 2, column image: holds a number that is not finite"),
        ({"sku": ["a", "b"], "image": [[1.0], [-np.inf]]}, r"row 2, column image: holds a number that is not finite"),
        ({"sku": ["a", "b"], "image": [[1.0], [1e300]]}, r"row 2, column image: holds a number too large"),
        ({"sku": ["a", "b"], "image": [[1.0], None]}, r"row 2, column image: has no vector"),
        ({"sku": ["a", "b"], "image": [[1.0], [None]]}, r"row 2, column image: holds a number that is not finite"),
        ({"sku": ["a", "a"], "image": [[1.0], [2.0]]}, r"row 2, column sku: 'a' occurs twice"),
        ({"sku": ["x", "y"], "image": [[1.0], [2.0]]}, r"describes none of the 3 items"),
        ({"sku": ["a"], "image": [["red"]]}, r"column image: vectors must hold numbers, got string"),
        ({"sku": ["a"], "image": pa.array([[]], pa.list_(pa.float32()))}, r"must hold at least one number"),
        ({"sku": ["a"], "image": [1.0]}, r"must have one column of item keys and one of vectors .*sku: string"),
        ({"sku": [], "image": pa.array([], pa.list_(pa.float32()))}, r"vectors\.parquet holds no rows"),
    ],
)
def test_a_bad_file_is_refused(columns, pattern, tmp_path):
    with pytest.raises(InputError, match=pattern):
        read_features(write(tmp_path, **columns), KEYS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.parquet does not exist"):
        read_features(tmp_path / "nowhere.parquet", KEYS)
