"""Which theta a run starts with, and from which step it is compared: what validation users gain most from."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import ItemIndex, ReasoningModel
from reg4rec_core.decoding.shared_search import search_items_under
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.metrics import gains_at, ndcg_at, places_in_lists, recall_at

THETAS = (0.06, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Candidates beside infinity, the paper's 0.06 among them; ln 2 = 0.69 is the largest divergence there is."""
CHECKS_FROM = (2, 3, 4)
"""First compared step: the first codes say what kind of thing it is, so their jumps are no inconsistency yet."""
CHUNK = 104
"""Users searched under all settings before the clock is looked at."""


@dataclass(frozen=True)
class ThetaResult:
    """What one setting gives on the validation sample."""

    theta: float
    check_from: int
    recall_at_10: float
    ndcg_at_10: float
    pruned_per_user: float
    fallback_per_user: float


@dataclass(frozen=True)
class ThetaChoice:
    """The chosen setting and the results it was chosen from."""

    theta: float
    check_from: int
    users: int
    results: tuple[ThetaResult, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values; an infinite theta reads null."""
        rows = [asdict(result) | {"theta": finite(result.theta)} for result in self.results]
        chosen = {"theta": finite(self.theta), "check_from": self.check_from}
        rule = "highest validation NDCG@10, off unless that gains more than one standard error over off"
        return {**chosen, "rule": rule, "users": self.users, "results": rows}


def finite(theta: float) -> float | None:
    """Theta as JSON has it: null for infinity."""
    return theta if math.isfinite(theta) else None


def settings_to_try(decode: DecodeConfig) -> list[DecodeConfig]:
    """No pruning first, then every theta at every first step of comparison."""
    pairs = [(theta, check_from) for check_from in CHECKS_FROM for theta in THETAS]
    return [replace(decode, theta=math.inf), *(replace(decode, theta=t, check_from=c) for t, c in pairs)]


def choose_theta(
    model: ReasoningModel,
    index: ItemIndex,
    questions: HeldOut,
    decode: DecodeConfig,
    *,
    seconds: float = math.inf,
    progress: Callable[[str], None] = lambda text: None,
) -> ThetaChoice:
    """Search the questions under all settings at once; with a time limit, as many chunks of users as fit, at least one.

    Users are taken in a seeded random order, because a source's order of users often says how easy they are. The
    highest NDCG@10 wins, if it lies more than one standard error (paired over users) above that without pruning: with
    so many settings the best of them is ahead by chance alone.
    """
    settings = settings_to_try(decode)
    questions = questions.take(np.random.default_rng(0).permutation(len(questions)))
    started, places, counts = time.perf_counter(), [], []
    for start in range(0, len(questions), CHUNK):
        chunk = questions.take(np.arange(start, min(start + CHUNK, len(questions))))
        histories = pad_histories(chunk.histories, HISTORY_LENGTH)
        found = search_items_under(model, index, histories, settings, seen=chunk.histories)
        places.append([places_in_lists(result.items, chunk.targets) for result in found])
        counts.append([(result.pruned.sum(1), result.fallback.sum(1)) for result in found])
        progress(f"choosing theta: {start + len(chunk):,} of {len(questions):,} validation users")
        spent = time.perf_counter() - started
        if spent + spent / len(places) > seconds:
            break
    results, gains = [], []
    for position, setting in enumerate(settings):
        place = np.concatenate([chunk[position] for chunk in places])
        pruned, fallback = (float(np.concatenate([c[position][kind] for c in counts]).mean()) for kind in (0, 1))
        gains.append(gains_at(place, 10))
        quality = recall_at(place, 10), ndcg_at(place, 10)
        results.append(ThetaResult(setting.theta, setting.check_from, *quality, pruned, fallback))
    winner = max(range(len(results)), key=lambda position: results[position].ndcg_at_10)
    best = results[winner if is_a_gain(gains[winner] - gains[0]) else 0]
    return ThetaChoice(best.theta, best.check_from, sum(len(c[0]) for c in places), tuple(results))


def is_a_gain(differences: Float[np.ndarray, "U"]) -> bool:
    """Whether paired differences lie more than one standard error above 0 on average."""
    return bool(differences.mean() > differences.std() / math.sqrt(len(differences)))
