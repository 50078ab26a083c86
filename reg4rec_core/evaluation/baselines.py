"""Floors that learn nothing: popularity, and a counter of which item followed which. Counts see training items only."""

import time

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from reg4rec_core.data.batching import training_sequences
from reg4rec_core.evaluation.full_ranking import Progress, Ranking, timed_ranking
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.types import Interactions

SECOND_NEXT = 0.5
"""Weight of the item after the next one in a count of transitions (0, .5 and 1 tried on Beauty validation)."""
SECOND_LAST = 0.5
"""Weight of the last item but one of a history (.3, .5 and 1 tried on Beauty validation)."""


def popularity(interactions: Interactions, *, n_items: int) -> Float[np.ndarray, "N"]:
    """How often each item was bought in training, as a share of the most popular item's count."""
    counts = np.bincount(np.concatenate(list(training_sequences(interactions))), minlength=n_items)
    return counts / max(counts.max(), 1)


def count_transitions(interactions: Interactions, *, n_items: int) -> scipy.sparse.csr_array:
    """N x N: how often the column's item came right after the row's in training, half a count for one place later."""
    sequences = list(training_sequences(interactions))
    total = scipy.sparse.csr_array((n_items, n_items))
    for distance, weight in ((1, 1.0), (2, SECOND_NEXT)):
        before = np.concatenate([sequence[:-distance] for sequence in sequences])
        after = np.concatenate([sequence[distance:] for sequence in sequences])
        total += scipy.sparse.csr_array((np.full(len(before), weight), (before, after)), shape=(n_items, n_items))
    return total.tocsr()


def transition_scores(
    counts: scipy.sparse.csr_array, shares: Float[np.ndarray, "N"], histories: tuple[Int[np.ndarray, "_"], ...]
) -> Float[np.ndarray, "B N"]:
    """Transitions from the last item plus half of those from the one before; popularity orders the ties."""
    last = np.array([history[-1] for history in histories])
    before = np.array([history[-2] if len(history) > 1 else 0 for history in histories])
    scores = counts[last] + SECOND_LAST * counts[before]
    smallest = SECOND_LAST * SECOND_NEXT
    return scores.toarray() + 0.5 * smallest * shares


def baseline_rankings(
    interactions: Interactions, questions: HeldOut, *, n_items: int, progress: Progress
) -> dict[str, Ranking]:
    """Places of the targets under each floor."""
    started = time.perf_counter()
    shares = popularity(interactions, n_items=n_items)
    counted = time.perf_counter()
    counts = count_transitions(interactions, n_items=n_items)
    seconds = {"popularity": counted - started, "transitions": time.perf_counter() - started}

    def popular(block: HeldOut) -> Float[np.ndarray, "B N"]:
        return np.repeat(shares[None, :], len(block), axis=0)

    def followed(block: HeldOut) -> Float[np.ndarray, "B N"]:
        return transition_scores(counts, shares, block.histories)

    return {
        name: timed_ranking(scores, questions, name=name, training_seconds=seconds[name], progress=progress)
        for name, scores in (("popularity", popular), ("transitions", followed))
    }
