"""Interactions -> the integer arrays that the network reads: left-padded, newest item last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


def training_sequences(interactions: Interactions) -> Iterator[Int[np.ndarray, "_"]]:
    """Every user's items that may be learnt from, oldest first."""
    for user, length in enumerate(interactions.train_lengths):
        yield interactions.sequence(user)[:length]


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


@dataclass(frozen=True)
class SequenceBatch:
    """Histories inside the training part, and what followed each of them there."""

    history: Int[np.ndarray, "B L"]
    seen: tuple[Int[np.ndarray, "_"], ...]
    """The whole history, uncut."""
    future: Int[np.ndarray, "B S"]
    """The next items, the very next first; 0 behind the last training item."""


def training_positions(interactions: Interactions) -> Int[np.ndarray, "positions pair"]:
    """(user, position) of every training item that has a history: what post-training may ask for."""
    counts = np.maximum(interactions.train_lengths - 1, 0)
    users = np.repeat(np.arange(interactions.n_users), counts)
    starts = np.cumsum(counts) - counts
    return np.stack([users, np.arange(len(users)) - np.repeat(starts, counts) + 1], 1)


def sequence_batch(
    interactions: Interactions, positions: Int[np.ndarray, "B pair"], *, length: int, window: int
) -> SequenceBatch:
    """The histories before the given positions and the `window` items from there on, never beyond the training part."""
    future = np.zeros((len(positions), window), np.int64)
    seen = []
    for row, (user, position) in zip(future, positions.tolist(), strict=True):
        training = interactions.sequence(user)[: interactions.train_lengths[user]]
        seen.append(training[:position])
        following = training[position : position + window]
        row[: len(following)] = following
    return SequenceBatch(pad_histories(seen, length), tuple(seen), future)


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
