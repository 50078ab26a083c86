"""Rankings of the whole catalogue: a score for every item, the target's place among all of them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.metrics import places_in_scores

BLOCK = 256
"""Users whose dense scores are in memory at once."""

Places = dict[str, Int[np.ndarray, "B"]]
"""The targets' places by rule: "excluded" leaves the items of the history out of the ranking, "included" ranks them."""

Progress = Callable[..., Iterable]
"""Wraps an iterable and shows how far it is, as tqdm does: progress(blocks, desc=..., total=...)."""


def full_ranking(
    scores: Callable[[HeldOut], Float[np.ndarray, "B N"]], questions: HeldOut, *, name: str, progress: Progress
) -> Places:
    """The place of every target, history items left out and left in. `scores` gives a fresh array for each block."""
    rows = np.arange(len(questions))
    blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    parts = [places_in_block(scores(block), block) for block in map(questions.take, progress(blocks, desc=name))]
    return {rule: np.concatenate([part[rule] for part in parts]) for rule in ("excluded", "included")}


@dataclass(frozen=True)
class Ranking:
    """Where a model puts the targets, and what that took."""

    places: Places
    users_per_second: float
    """Scoring and ranking, both rules where both were run."""
    training_seconds: float


def timed_ranking(
    scores: Callable[[HeldOut], Float[np.ndarray, "B N"]],
    questions: HeldOut,
    *,
    name: str,
    training_seconds: float,
    progress: Progress,
) -> Ranking:
    """A full ranking with the time it took."""
    started = time.perf_counter()
    places = full_ranking(scores, questions, name=name, progress=progress)
    return Ranking(places, len(questions) / (time.perf_counter() - started), training_seconds)


def places_in_block(scores: Float[np.ndarray, "B N"], block: HeldOut) -> Places:
    """One block's places; `scores` is used up."""
    targets = torch.from_numpy(block.targets.astype(np.int64))
    scores[:, 0] = -np.inf
    included = places_in_scores(torch.from_numpy(scores), targets)
    rows = np.repeat(np.arange(len(block)), [len(history) for history in block.histories])
    scores[rows, np.concatenate(block.histories)] = -np.inf
    return {"excluded": places_in_scores(torch.from_numpy(scores), targets), "included": included}
