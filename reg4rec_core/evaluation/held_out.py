"""What a split holds out: for every user the history that the model may see and the item it must find."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

from reg4rec_core.data.batching import held_out_histories, held_out_users
from reg4rec_core.types import InputError, Interactions

Split = Literal["valid", "test"]


@dataclass(frozen=True)
class HeldOut:
    """Row b asks: after this history, which item came next?"""

    users: Int[np.ndarray, "B"]
    """Row of the user in `Interactions`."""
    histories: tuple[Int[np.ndarray, "_"], ...]
    """Everything before the target, oldest first, uncut."""
    targets: Int[np.ndarray, "B"]

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: Int[np.ndarray, "n"]) -> "HeldOut":
        return HeldOut(self.users[rows], tuple(self.histories[row] for row in rows), self.targets[rows])

    def sample(self, size: int, *, seed: int) -> "HeldOut":
        """`size` users drawn without replacement, in their old order; all of them when there are no more."""
        if size >= len(self):
            return self
        return self.take(np.sort(np.random.default_rng(seed).choice(len(self), size=size, replace=False)))


def held_out(interactions: Interactions, split: Split) -> HeldOut:
    """The users that have a target in `split` and at least one item before it; InputError when there are none."""
    users = held_out_users(interactions, split)
    histories, targets = held_out_histories(interactions, users, split)
    kept = np.array([len(history) > 0 for history in histories], dtype=bool)
    if not kept.any():
        raise InputError(f"the {split} split of this data set holds out nothing; prepare the data with another split")
    return HeldOut(users[kept], tuple(h for h in histories if len(h)), targets[kept])
