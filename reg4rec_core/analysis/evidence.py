"""What an item's score is made of: what the network has learnt, what was counted, and what reasoning changed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from reg4rec_core.model import Transitions
from reg4rec_core.model.transitions import FADING, MEMORY, SHRINK
from reg4rec_core.types import ReasoningTrace


@dataclass(frozen=True)
class ScoreParts:
    """The parts of one recommended item's score, nats; they add up to it."""

    learnt: float
    """What the network made of the history before any code, the normalisation over all items included."""
    transitions: float
    """What counted transitions of other shoppers added."""
    reasoning: float
    """How much the codes of the path and the beliefs revised after them changed the item's log-probability."""


@dataclass(frozen=True)
class TransitionSource:
    """A history item after which other shoppers bought the recommended one."""

    item: int
    count: float
    """Times the recommended item followed in training, one d purchases later counting 1 / d."""
    share: float
    """Of the whole evidence for the recommended item, in (0, 1]."""


def score_parts(trace: ReasoningTrace, rank: int) -> ScoreParts:
    """How the score of the item at `rank` came about; for a neighbour, which no path gave, the rule's penalty counts
    as reasoning."""
    first_state, counted = float(trace.item_first_state[rank]), float(trace.item_evidence[rank])
    return ScoreParts(first_state - counted, counted, float(trace.item_scores[rank]) - first_state)


def transition_sources(
    transitions: Transitions, history: Int[np.ndarray, "length"], item: int
) -> tuple[TransitionSource, ...]:
    """The items of a history that the evidence for `item` comes from, the most telling first."""
    newest = history[::-1][:MEMORY].tolist()
    counts = [float(transitions.counts[origin, item]) for origin in newest]
    told = [
        FADING**age * count / (transitions.totals[origin] + SHRINK)
        for age, (origin, count) in enumerate(zip(newest, counts, strict=True))
    ]
    found = [
        TransitionSource(origin, count, float(part / sum(told)))
        for origin, count, part in zip(newest, counts, told, strict=True)
        if count > 0
    ]
    return tuple(sorted(found, key=lambda source: -source.share))
