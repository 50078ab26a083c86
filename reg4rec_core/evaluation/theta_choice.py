"""Which theta a run starts with: the strongest pruning that validation users do not pay for."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import ItemIndex, ReasoningModel, search_items
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.metrics import ndcg_at, places_in_lists, recall_at

THETAS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, math.inf)
"""Candidates, the paper's 0.06 among them; ln 2 = 0.69 is the largest divergence there is."""
TOLERANCE = 0.01
"""Share of the best validation NDCG@10 that pruning may cost."""
CHUNK = 104
"""Users searched under all thetas before the clock is looked at."""


@dataclass(frozen=True)
class ThetaResult:
    """What one theta gives on the validation sample."""

    theta: float
    recall_at_10: float
    ndcg_at_10: float
    pruned_per_user: float
    fallback_per_user: float


@dataclass(frozen=True)
class ThetaChoice:
    """The chosen theta and the results it was chosen from."""

    theta: float
    users: int
    results: tuple[ThetaResult, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values; an infinite theta reads null."""
        rows = [asdict(result) | {"theta": finite(result.theta)} for result in self.results]
        rule = f"smallest theta whose validation NDCG@10 is within {TOLERANCE:.0%} of the best"
        return {"theta": finite(self.theta), "rule": rule, "users": self.users, "results": rows}


def finite(theta: float) -> float | None:
    """Theta as JSON has it: null for infinity."""
    return theta if math.isfinite(theta) else None


def smallest_harmless_theta(results: tuple[ThetaResult, ...]) -> float:
    """The smallest theta whose NDCG@10 is within TOLERANCE of the best one's."""
    best = max(result.ndcg_at_10 for result in results)
    return min(result.theta for result in results if result.ndcg_at_10 >= (1 - TOLERANCE) * best)


def choose_theta(
    model: ReasoningModel,
    index: ItemIndex,
    questions: HeldOut,
    decode: DecodeConfig,
    *,
    seconds: float = math.inf,
    progress: Callable[[str], None] = lambda text: None,
) -> ThetaChoice:
    """Search the questions under every theta; with a time limit, as many chunks of users as fit (one at least)."""
    started, places, counts = time.perf_counter(), [], []
    for start in range(0, len(questions), CHUNK):
        chunk = questions.take(np.arange(start, min(start + CHUNK, len(questions))))
        histories = pad_histories(chunk.histories, HISTORY_LENGTH)
        found = [
            search_items(model, index, histories, replace(decode, theta=theta), seen=chunk.histories)
            for theta in THETAS
        ]
        places.append([places_in_lists(result.items, chunk.targets) for result in found])
        counts.append([(result.pruned.sum(1), result.fallback.sum(1)) for result in found])
        progress(f"choosing theta: {start + len(chunk):,} of {len(questions):,} validation users")
        spent = time.perf_counter() - started
        if spent + spent / len(places) > seconds:
            break
    results = []
    for position, theta in enumerate(THETAS):
        rank = np.concatenate([chunk[position] for chunk in places])
        pruned, fallback = (np.concatenate([chunk[position][kind] for chunk in counts]).mean() for kind in (0, 1))
        results.append(ThetaResult(theta, recall_at(rank, 10), ndcg_at(rank, 10), float(pruned), float(fallback)))
    return ThetaChoice(smallest_harmless_theta(tuple(results)), sum(len(c[0]) for c in places), tuple(results))
