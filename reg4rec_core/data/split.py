"""Which interactions may be learnt from and which are held out as targets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from reg4rec_core.types import InputError


@dataclass(frozen=True)
class Split:
    """Positions inside each user's sequence, as `Interactions` stores them."""

    train_lengths: Int[np.ndarray, "U"]
    valid_positions: Int[np.ndarray, "U"]
    test_positions: Int[np.ndarray, "U"]


LEAVE_ONE_OUT_MINIMUM = 3
"""Interactions a user needs: one to learn from, one for validation, one for the test."""


def leave_one_out(lengths: Int[np.ndarray, "U"]) -> Split:
    """The last interaction is the test target, the one before it the validation target, the rest is for training."""
    return Split(lengths - 2, lengths - 2, lengths - 1)


def cut_points(timestamps: Int[np.ndarray, "total"], *, train_share: float, valid_share: float) -> tuple[int, int]:
    """The two unix times that end training and validation, so that these shares of interactions lie before them.

    Interactions at a cut belong to the later period. Raises InputError where a period would be empty.
    """
    ordered = np.sort(timestamps)
    first = int(ordered[min(int(len(ordered) * train_share), len(ordered) - 1)])
    second = int(ordered[min(int(len(ordered) * (train_share + valid_share)), len(ordered) - 1)])
    if not ordered[0] < first < second:
        raise InputError(
            f"the cuts {train_share:g} and {train_share + valid_share:g} must leave three periods, but fall on the "
            f"times {first} and {second} (earliest {ordered[0]}); choose other shares or --split leave-one-out"
        )
    return first, second


def global_time(
    timestamps: Int[np.ndarray, "total"], offsets: Int[np.ndarray, "bounds"], cuts: tuple[int, int]
) -> Split:
    """Training ends for everyone at the first cut; a user's first interaction in each later period is a target.

    A target without any history before it is none.
    """
    owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    users = len(offsets) - 1
    before_first = np.bincount(owners[timestamps < cuts[0]], minlength=users)
    before_second = np.bincount(owners[timestamps < cuts[1]], minlength=users)
    has_valid = (before_second > before_first) & (before_first > 0)
    has_test = (np.diff(offsets) > before_second) & (before_second > 0)
    return Split(before_first, np.where(has_valid, before_first, -1), np.where(has_test, before_second, -1))


def is_useful(split: Split) -> Bool[np.ndarray, "U"]:
    """Users who give a training transition or a target."""
    return (split.train_lengths >= 2) | (split.valid_positions >= 0) | (split.test_positions >= 0)
