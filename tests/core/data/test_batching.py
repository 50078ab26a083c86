"""What post-training may ask for, and that it never sees what is held out."""

import numpy as np

from reg4rec_core.data.batching import sequence_batch, training_positions
from reg4rec_core.types import Interactions

ITEMS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9])
"""Three users: five items, three items, one item."""


def interactions() -> Interactions:
    return Interactions(
        user_keys=("a", "b", "c"),
        items=ITEMS,
        timestamps=np.full(9, -1),
        offsets=np.array([0, 6, 8, 9]),
        train_lengths=np.array([4, 1, 1]),
        valid_positions=np.array([4, 1, -1]),
        test_positions=np.array([5, -1, -1]),
    )


def test_positions_are_the_training_items_that_have_a_history():
    assert training_positions(interactions()).tolist() == [[0, 1], [0, 2], [0, 3]]


def test_the_window_is_cut_where_the_training_part_ends():
    data = interactions()
    batch = sequence_batch(data, training_positions(data), length=2, window=3)
    assert batch.future.tolist() == [[2, 3, 4], [3, 4, 0], [4, 0, 0]]
    assert batch.history.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert [seen.tolist() for seen in batch.seen] == [[1], [1, 2], [1, 2, 3]]
    held_out = {5, 6, 8}
    assert not held_out & set(batch.future.ravel().tolist())
