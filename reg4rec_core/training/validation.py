"""How training stages judge themselves: the exact first-state ranking for every validation user."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from reg4rec_core.config import HISTORY_LENGTH, CodeProbabilities
from reg4rec_core.data import Dataset
from reg4rec_core.data.batching import held_out_histories, held_out_users, pad_histories
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.decoding.code_probabilities import RootView, completions, read_root
from reg4rec_core.decoding.constraints import Candidates
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
        raise InputError("training needs validation targets, this data set has none; prepare it with a split that has")
    sequences, targets = held_out_histories(dataset.interactions, users, "valid")
    return Validation(torch.as_tensor(pad_histories(sequences, HISTORY_LENGTH)), torch.as_tensor(targets))


def first_state_places(
    network: EncoderDecoder,
    validation: Validation,
    workers: Workers,
    *,
    index: ItemIndex | None = None,
    kind: CodeProbabilities = "item_marginal",
) -> Int[np.ndarray, "U"]:
    """Place (1 = best) of every target in the exact ranking by the first state, items of the history left out.

    Ranked as decoding with code probabilities `kind` would; all but item_marginal need the `index`. Each worker ranks
    every `count`-th block of users, all get all places.
    """
    reasoner, n_users = Reasoner(network), len(validation.targets)
    places = torch.zeros(n_users, dtype=torch.long)
    for start in range(0, n_users, VALIDATION_ROWS)[workers.shard(math.ceil(n_users / VALIDATION_ROWS))]:
        rows = slice(start, start + VALIDATION_ROWS)
        histories, targets = validation.histories[rows], validation.targets[rows]
        with torch.inference_mode():
            scores = first_state_scores(reasoner, histories, index, kind)
            placed = places_in_scores(scores.scatter_(1, histories, -torch.inf), targets)
        places[rows] = torch.as_tensor(placed)
    network.train()
    return workers.sum(places).numpy()


def places_by_evidence(
    network: EncoderDecoder, validation: Validation, scales: Sequence[float]
) -> dict[float, Int[np.ndarray, "U"]]:
    """Places of all targets by the first state's item logits, the evidence of transitions multiplied by each scale."""
    reasoner = Reasoner(network)
    places: dict[float, list[np.ndarray]] = {scale: [] for scale in scales}
    for start in range(0, len(validation.targets), VALIDATION_ROWS):
        rows = slice(start, start + VALIDATION_ROWS)
        histories, targets = validation.histories[rows], validation.targets[rows]
        with torch.inference_mode():
            state = reasoner.encode(histories)
            logits, evidence = reasoner.catalog_logits(state)[:, 0], reasoner.item_evidence(state)
            for scale, found in places.items():
                scores = logits + (scale - 1) * evidence
                found.append(places_in_scores(scores.scatter_(1, histories, -torch.inf), targets))
    return {scale: np.concatenate(found) for scale, found in places.items()}


def first_state_scores(
    reasoner: Reasoner, histories: Int[Tensor, "B L"], index: ItemIndex | None, kind: CodeProbabilities
) -> Float[Tensor, "B N"]:
    """What the first state ranks all items by; the items' own logits order them as item_marginal does."""
    state = reasoner.encode(histories)
    logits = reasoner.catalog_logits(state)
    if kind == "item_marginal" or index is None:
        return logits[:, 0]
    items = torch.arange(index.n_items, device=histories.device).expand(len(histories), 1, -1)
    used = torch.zeros(len(histories), 1, index.n_codebooks, dtype=torch.bool, device=histories.device)
    view = RootView(index, Candidates(items, items > 0), read_root(reasoner, state, logits, kind), used)
    return completions(view, kind)[:, 0]
