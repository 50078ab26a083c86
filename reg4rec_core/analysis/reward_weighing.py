"""What reward weights do to rollouts that are there already: advantages as training computes them, and their parts."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.rewards import REWARD_TERMS, group_advantages, total_reward
from reg4rec_core.types import Rollouts

ENDS = ("miss", "later", "hit")
"""Where a path ends: at no item of the window, at a later one, at the very next purchase."""


@dataclass(frozen=True)
class Weighed:
    """Groups of rollouts under one set of weights."""

    totals: Float[np.ndarray, "B G"]
    advantages: Float[np.ndarray, "B G"]
    """Above 0 a path is reinforced, below it is suppressed; 0 throughout a group without signal."""
    has_signal: Bool[np.ndarray, "B"]
    floored: Bool[np.ndarray, "B"]
    """Groups with signal whose totals differ by less than the floor of the standard deviation."""
    parts: Float[np.ndarray, "B G Q"]
    """What each term adds to the advantage; the parts of a path sum to it."""


def weigh(terms: Float[np.ndarray, "B G Q"], weights: RewardWeights, *, std_floor: float) -> Weighed:
    """The advantages of `group_advantages` for unweighted reward terms, and each term's part in them.

    Example: terms that differ in `path` alone give the whole advantage to `path`.
    """
    given = torch.tensor(terms)
    judged = group_advantages(given, weights, std_floor=std_floor)
    totals = total_reward(given, weights)
    deviation = totals.std(1, correction=0)
    weighted = given * given.new_tensor([getattr(weights, term) for term in REWARD_TERMS])
    centred = weighted - weighted.mean(1, keepdim=True)
    parts = centred / deviation.clamp_min(std_floor)[:, None, None] * judged.has_signal[:, None, None]
    return Weighed(
        totals.numpy(),
        judged.values.numpy(),
        judged.has_signal.numpy(),
        (judged.has_signal & (deviation < std_floor)).numpy(),
        parts.numpy(),
    )


def path_ends(items: Int[np.ndarray, "B G"], future: Int[np.ndarray, "B S"]) -> Int[np.ndarray, "B G"]:
    """Where each path ends, as a place in `ENDS`; 0 in `future` is no item."""
    later = ((items[:, :, None] == future[:, None]) & (future > 0)[:, None]).any(2)
    return np.where(items == future[:, :1], 2, later.astype(np.int64))


@dataclass(frozen=True)
class Direction:
    """Where a reward pulls: a term that counts alone, or the weighted total."""

    name: str
    """A reward term, or "total"."""
    groups: float
    """Share of groups that it gives a signal."""
    mean_advantage: tuple[float, ...]
    """By `ENDS`: what such paths get on average; NaN where no path ends there."""
    with_total: float
    """Correlation of its advantages with the total's; NaN where one of them is 0 throughout."""


@dataclass(frozen=True)
class RewardSurvey:
    """What weights do to all stored rollouts of a run."""

    groups: int
    paths: int
    ends: tuple[int, ...]
    """Number of paths by `ENDS`."""
    without_signal: float
    """Share of groups that training would skip."""
    floored: float
    """Share of groups whose totals differ by less than the floor, of those with signal."""
    correlation: Float[np.ndarray, "Q Q"]
    """Of the terms within groups (each minus its group's mean); NaN where a term never differs."""
    directions: tuple[Direction, ...]
    """One a term, then the total's."""


def survey_rewards(rollouts: Rollouts, weights: RewardWeights, *, std_floor: float) -> RewardSurvey:
    """How the reward terms of all rollouts go together, and where each of them and their weighted sum pull."""
    whole, ends = weigh(rollouts.terms, weights, std_floor=std_floor), path_ends(rollouts.items, rollouts.future)
    alone = {
        term: weigh(rollouts.terms, RewardWeights.parse(f"{term}=1"), std_floor=std_floor) for term in REWARD_TERMS
    }
    centred = rollouts.terms.astype(np.float64)
    centred = (centred - centred.mean(1, keepdims=True)).reshape(-1, len(REWARD_TERMS))
    correlation = np.array([[correlate(centred[:, i], centred[:, j]) for j in range(4)] for i in range(4)])
    directions = [direction(name, weighed, whole, ends) for name, weighed in (*alone.items(), ("total", whole))]
    return RewardSurvey(
        groups=ends.shape[0],
        paths=ends.size,
        ends=tuple(int((ends == place).sum()) for place in range(len(ENDS))),
        without_signal=float(1 - whole.has_signal.mean()),
        floored=float(whole.floored.sum() / max(whole.has_signal.sum(), 1)),
        correlation=correlation,
        directions=tuple(directions),
    )


def direction(name: str, weighed: Weighed, whole: Weighed, ends: Int[np.ndarray, "B G"]) -> Direction:
    means = [float(weighed.advantages[ends == place].mean()) if (ends == place).any() else np.nan for place in range(3)]
    together = correlate(weighed.advantages.ravel().astype(np.float64), whole.advantages.ravel().astype(np.float64))
    return Direction(name, float(weighed.has_signal.mean()), tuple(means), together)


def correlate(first: Float[np.ndarray, "n"], second: Float[np.ndarray, "n"]) -> float:
    """Pearson's correlation; NaN where one of the two is constant."""
    first, second = first - first.mean(), second - second.mean()
    lengths = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / lengths if lengths > 1e-9 else float("nan")


def reward_settings(settings: dict) -> tuple[PostTrainConfig, RewardWeights]:
    """The post-training and the reward weights that a run's run.json records, the defaults where it records none."""
    return (
        PostTrainConfig.from_dict(settings.get("post_train", {})),
        RewardWeights.from_dict(settings.get("reward_weights", {})),
    )
