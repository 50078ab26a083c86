"""How good a list is: places of targets in, plain floats out; and how far two distributions lie apart.

A place is the 1-based position of the target in a ranking. One rule for ties everywhere: of two items with the same
score, the one with the lower item index stands first.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

MISSED = np.iinfo(np.int64).max
"""The place of a target that a list does not hold."""


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds between which it lies with the stated confidence."""

    mean: float
    low: float
    high: float


def places_in_lists(items: Int[np.ndarray, "B R"], targets: Int[np.ndarray, "B"]) -> Int[np.ndarray, "B"]:
    """Where each user's target stands in the user's list (1 is first), `MISSED` where the list lacks it.

    Lists shorter than R are filled up with 0, which is no item.
    """
    found = items == targets[:, None]
    return np.where(found.any(axis=1), found.argmax(axis=1) + 1, MISSED).astype(np.int64)


def places_in_scores(scores: Float[torch.Tensor, "B N"], targets: Int[torch.Tensor, "B"]) -> Int[np.ndarray, "B"]:
    """Where each target stands in the full ranking of all N items; -inf leaves an item out (row 0, the padding, say).

    A target that is left out is `MISSED`, so a model that gives nothing but -inf or NaN scores no hit.
    """
    own = scores.gather(1, targets[:, None])
    indices = torch.arange(scores.shape[1], device=scores.device)
    earlier = (scores == own) & (indices[None, :] < targets[:, None])
    places = 1 + (scores > own).sum(1) + earlier.sum(1)
    ranked = torch.isfinite(own[:, 0]) & ~torch.isnan(scores).any(1)
    return np.where(ranked.cpu().numpy(), places.cpu().numpy(), MISSED).astype(np.int64)


def hits_at(places: Int[np.ndarray, "B"], k: int) -> Float[np.ndarray, "B"]:
    """1 for every user whose target stands among the first k, else 0."""
    return (places <= k).astype(np.float64)


def gains_at(places: Int[np.ndarray, "B"], k: int) -> Float[np.ndarray, "B"]:
    """1 / log2(place + 1) for every user whose target stands among the first k, else 0."""
    return np.where(places <= k, 1.0 / np.log2(places.astype(np.float64) + 1.0), 0.0)


def recall_at(places: Int[np.ndarray, "B"], k: int) -> float:
    """Share of users whose one target stands among the first k; 0 without users."""
    return float(hits_at(places, k).mean()) if len(places) else 0.0


def ndcg_at(places: Int[np.ndarray, "B"], k: int) -> float:
    """Mean discounted gain of the one target among the first k; 0 without users."""
    return float(gains_at(places, k).mean()) if len(places) else 0.0


def ranking_metrics(places: Int[np.ndarray, "B"]) -> dict[str, float]:
    """Recall and NDCG at 5 and 10 under the names that reports use."""
    return {
        name: value
        for k in (5, 10)
        for name, value in ((f"recall@{k}", recall_at(places, k)), (f"ndcg@{k}", ndcg_at(places, k)))
    }


def coverage(items: Int[np.ndarray, "B R"], *, n_items: int) -> float:
    """Share of the n_items - 1 real items that stand in at least one list; zeros are empty places."""
    return float(len(np.setdiff1d(items, [0])) / (n_items - 1))


def distinctness(items: Int[np.ndarray, "B R"]) -> float:
    """1 - the mean share of a list that another user's list holds too, over all pairs of users; 0 for equal lists.

    Zeros are empty places. Fewer than two users have nothing in common: 1.
    """
    users, places = items.shape
    counts = np.bincount(items[items > 0]).astype(np.float64)
    shared = float((counts * (counts - 1)).sum())  # ordered pairs of users, by item
    return 1.0 - shared / max(users * (users - 1) * places, 1)


def categories_per_list(items: Int[np.ndarray, "B R"], categories: Int[np.ndarray, "N"]) -> float:
    """Mean number of different categories in a list; zeros are empty places."""
    lists = [np.unique(categories[row[row > 0]]).size for row in items]
    return float(np.mean(lists)) if lists else 0.0


def accuracy(predicted: Int[np.ndarray, "B"], truth: Int[np.ndarray, "B"]) -> float:
    """Share of equal entries; 0 without entries."""
    return float((predicted == truth).mean()) if len(truth) else 0.0


def quantiles(values: Float[np.ndarray, "n"], at: tuple[float, ...]) -> dict[str, float]:
    """Quantiles of the numbers among `values`, as {"p50": ...}; NaN is no number; {} without any."""
    known = values[~np.isnan(values)]
    if not len(known):
        return {}
    return {f"p{round(100 * q)}": float(x) for q, x in zip(at, np.quantile(known, at), strict=True)}


def js_divergence(
    p: Float[torch.Tensor, "*shape C"], q: Float[torch.Tensor, "*shape C"]
) -> Float[torch.Tensor, "*shape"]:
    """Jensen-Shannon divergence of two distributions over the last axis, nats, in [0, ln 2] (REG4Rec Eq. 12)."""
    smallest = torch.finfo(p.dtype).tiny  # what has no probability adds 0 times a number
    log_middle = ((p + q) / 2).clamp_min(smallest).log()
    terms = p * (p.clamp_min(smallest).log() - log_middle) + q * (q.clamp_min(smallest).log() - log_middle)
    return (terms.sum(-1) / 2).clamp_min(0)


def bootstrap_interval(
    values: Float[np.ndarray, "B"], *, generator: np.random.Generator, draws: int = 1000, confidence: float = 0.95
) -> Interval:
    """The mean over users and its percentile bootstrap interval: users are drawn anew with replacement."""
    return bootstrap_intervals(values[:, None], generator=generator, draws=draws, confidence=confidence)[0]


def bootstrap_intervals(
    values: Float[np.ndarray, "B Q"], *, generator: np.random.Generator, draws: int = 1000, confidence: float = 0.95
) -> list[Interval]:
    """`bootstrap_interval` of Q numbers a user that share the draws.

    Each draw's counts of users are multinomial, so that memory stays at one row of counts however many users there are.
    """
    if not len(values):
        return [Interval(0.0, 0.0, 0.0)] * values.shape[1]
    even = np.full(len(values), 1.0 / len(values))
    means = np.stack([generator.multinomial(len(values), even) @ values / len(values) for _ in range(draws)])
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    columns = zip(values.mean(0).tolist(), low.tolist(), high.tolist(), strict=True)
    return [Interval(*column) for column in columns]
