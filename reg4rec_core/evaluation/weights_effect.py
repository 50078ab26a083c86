"""What other weights of the same run change for the same users, by the exact ranking of the first state."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from reg4rec_core.config import DecodeConfig
from reg4rec_core.evaluation.beam_search import Evaluated
from reg4rec_core.evaluation.comparison import paired_differences
from reg4rec_core.evaluation.first_state import first_state_places
from reg4rec_core.evaluation.held_out import HeldOut, held_out
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.metrics import Interval, ranking_metrics


@dataclass(frozen=True)
class WeightsEffect:
    """Two sets of weights asked the same questions: the last purchase but one of sampled users."""

    users: int
    before: dict[str, float]
    """Recall and NDCG at 5 and 10."""
    after: dict[str, float]
    difference: dict[str, Interval]
    """After minus before, mean over users and 95 % paired bootstrap interval."""
    gained: int
    """Users whose next purchase only "after" lists among ten."""
    lost: int


def validation_sample(run: Evaluated, users: int, *, seed: int) -> HeldOut:
    """`users` validation questions drawn with `seed`, all of them where there are no more."""
    return held_out(run.interactions, "valid").sample(users, seed=seed)


def places_of(run: Evaluated, questions: HeldOut, decode: DecodeConfig) -> Int[np.ndarray, "B"]:
    """Places of the targets in the first state's ranking, items of the history left out."""
    kind = decode.code_probabilities
    return first_state_places(run.model, run.index, questions, kind=kind, progress=unseen_progress)["excluded"]


def weights_effect(
    before: Evaluated, after: Evaluated, decode: DecodeConfig, *, users: int = 2000, seed: int = 0
) -> WeightsEffect:
    """How `after` ranks the validation targets of a seeded sample of users against `before`, user by user."""
    questions = validation_sample(before, users, seed=seed)
    first, second = places_of(before, questions, decode), places_of(after, questions, decode)
    return WeightsEffect(
        users=len(questions),
        before=ranking_metrics(first),
        after=ranking_metrics(second),
        difference=paired_differences(second, first, seed=seed),
        gained=int(((second <= 10) & (first > 10)).sum()),
        lost=int(((first <= 10) & (second > 10)).sum()),
    )
