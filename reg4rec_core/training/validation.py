"""How training stages judge themselves: the exact first-state ranking for every validation user."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from reg4rec_core.config import HISTORY_LENGTH
from reg4rec_core.data import Dataset
from reg4rec_core.data.batching import held_out_histories, held_out_users, pad_histories
from reg4rec_core.metrics import places_in_scores
from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.training.parallel import Workers
from reg4rec_core.types import InputError

VALIDATION_ROWS = 256
"""Users whose scores over the catalogue are in memory at once."""


@dataclass(frozen=True)
class Validation:
    """Held-out histories, ready for the network."""

    histories: Int[Tensor, "U L"]
    targets: Int[Tensor, "U"]

    def to(self, device: torch.device) -> "Validation":
        return Validation(self.histories.to(device), self.targets.to(device))


def validation_set(dataset: Dataset) -> Validation:
    """Every user with a validation target."""
    users = held_out_users(dataset.interactions, "valid")
    if not len(users):
        raise InputError(
            "training needs validation targets, this data set has none; prepare it with a split that has"
        )
    sequences, targets = held_out_histories(dataset.interactions, users, "valid")
    return Validation(torch.as_tensor(pad_histories(sequences, HISTORY_LENGTH)), torch.as_tensor(targets))


def first_state_places(network: EncoderDecoder, validation: Validation, workers: Workers) -> Int[np.ndarray, "U"]:
    """Place (1 = best) of every target in the exact ranking by the first state, items of the history left out.

    Each worker ranks every `count`-th block of users, all get all places.
    """
    reasoner, n_users = Reasoner(network), len(validation.targets)
    places = torch.zeros(n_users, dtype=torch.long)
    for start in range(0, n_users, VALIDATION_ROWS)[workers.shard(math.ceil(n_users / VALIDATION_ROWS))]:
        rows = slice(start, start + VALIDATION_ROWS)
        histories, targets = validation.histories[rows], validation.targets[rows]
        with torch.inference_mode():
            logits = reasoner.catalog_logits(reasoner.encode(histories))[:, 0]
            placed = places_in_scores(logits.scatter_(1, histories, -torch.inf), targets)
        places[rows] = torch.as_tensor(placed)
    network.train()
    return workers.sum(places).numpy()
