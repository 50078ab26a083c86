"""Interactions -> the integer arrays that the network reads: left-padded, newest item last."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from reg4rec_core.types import Interactions


def pad_histories(sequences: Sequence[Int[np.ndarray, "_"]], length: int) -> Int[np.ndarray, "B L"]:
    """The newest `length` items of each sequence, padded on the left with item 0."""
    batch = np.zeros((len(sequences), length), np.int64)
    for row, sequence in zip(batch, sequences, strict=True):
        newest = sequence[-length:]
        row[length - len(newest) :] = newest
    return batch


def training_windows(interactions: Interactions, length: int) -> Int[np.ndarray, "windows size"]:
    """The training part of every user cut into windows of `length` + 1 items, left-padded.

    Every transition occurs once. Windows are laid from the newest item backwards and share one item, the last of one
    being the first input of the next; users with fewer than two training items give none.
    """
    windows = []
    for user in range(interactions.n_users):
        sequence = interactions.sequence(user)[: interactions.train_lengths[user]]
        for end in range(len(sequence), 1, -length):
            windows.append(sequence[max(0, end - length - 1) : end])
    return pad_histories(windows, length + 1)


def held_out_users(interactions: Interactions, split: str) -> Int[np.ndarray, "users"]:
    """Users who have a held-out target in `split` (valid or test)."""
    positions = interactions.valid_positions if split == "valid" else interactions.test_positions
    return np.flatnonzero(positions >= 0)


def held_out_histories(
    interactions: Interactions, users: Int[np.ndarray, "B"], split: str
) -> tuple[list[Int[np.ndarray, "_"]], Int[np.ndarray, "B"]]:
    """Everything before each user's held-out target, oldest first, and the target."""
    positions = interactions.valid_positions if split == "valid" else interactions.test_positions
    histories = [interactions.sequence(user)[: positions[user]] for user in users.tolist()]
    targets = interactions.items[interactions.offsets[users] + positions[users]]
    return histories, targets
