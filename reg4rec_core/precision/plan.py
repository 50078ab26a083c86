"""Which layer computes in which format: the most time saved for the least predicted damage, within a budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from reg4rec_core.precision.formats import FORMATS, Format, rounded
from reg4rec_core.precision.sensitivity import squared_norm

MOVED = 0.2
"""A layer's format is reconsidered when its score has moved by more than this share since it was last decided."""
WORTH = 0.05
"""A downgrade must save this share of a layer's time: less is within the noise of the measurement."""


@dataclass(frozen=True)
class LayerCosts:
    """What each format would do to one layer."""

    damage: Mapping[Format, float]
    """Predicted rise of the loss, up to a factor that all layers share; 0 in fp32."""
    milliseconds: Mapping[Format, float]
    """Forward and backward in a training step."""

    def saved(self, now: Format, then: Format) -> float:
        """Milliseconds that going from one format to another saves; 0 where that is noise."""
        saved = self.milliseconds[now] - self.milliseconds[then]
        return saved if saved > WORTH * self.milliseconds[now] else 0.0


@dataclass(frozen=True)
class Decision:
    """The format of a layer, and the score that it was decided on."""

    number_format: Format
    score: float
    """The layer's share of the damage that bf16 everywhere would do."""


def predicted_damage(layer: nn.Linear, kfac_trace: float) -> dict[Format, float]:
    """Omega(p) = kappa / (n_in n_out) * ||W - Q_p(W)||^2: mean curvature times squared rounding error."""
    weight = layer.weight.detach().float()
    curvature = kfac_trace / weight.numel()
    return {p: curvature * squared_norm(weight - rounded(weight, p)) for p in FORMATS}


def make_plan(
    costs: Mapping[str, LayerCosts], *, budget: float, previous: Mapping[str, Decision]
) -> dict[str, Decision]:
    """Decide every layer; the predicted damage stays within `budget` times that of bf16 everywhere.

    A layer whose score has hardly moved keeps its format, unless the kept formats alone exceed the budget.
    """
    total = sum(cost.damage["bf16"] for cost in costs.values())
    scores = {name: cost.damage["bf16"] / total if total else 0.0 for name, cost in costs.items()}
    kept = {
        name: decision
        for name, decision in previous.items()
        if name in costs and abs(scores[name] - decision.score) <= MOVED * decision.score
    }
    allowed = budget * total
    if sum(costs[name].damage[decision.number_format] for name, decision in kept.items()) > allowed:
        kept = {}
    fixed = {name: decision.number_format for name, decision in kept.items()}
    formats = cheapest_formats(costs, allowed=allowed, fixed=fixed)
    return {name: kept.get(name, Decision(formats[name], scores[name])) for name in costs}


def cheapest_formats(
    costs: Mapping[str, LayerCosts], *, allowed: float, fixed: Mapping[str, Format]
) -> dict[str, Format]:
    """From fp32 everywhere, take the downgrade with the most time saved per damage while one fits what is allowed."""
    formats: dict[str, Format] = {name: fixed.get(name, "fp32") for name in costs}
    left = allowed - sum(costs[name].damage[formats[name]] for name in fixed)
    free = [name for name in costs if name not in fixed]
    while options := _downgrades(costs, formats, free, left):
        name, target = max(options, key=options.__getitem__)
        left -= costs[name].damage[target] - costs[name].damage[formats[name]]
        formats[name] = target
    return formats


def _downgrades(
    costs: Mapping[str, LayerCosts], formats: Mapping[str, Format], free: Sequence[str], left: float
) -> dict[tuple[str, Format], tuple[float, float]]:
    """Every downgrade that saves time and fits, with its rank: time saved per damage, then time saved."""
    options = {}
    for name in free:
        now, cost = formats[name], costs[name]
        for target in FORMATS[FORMATS.index(now) + 1 :]:
            saved, damage = cost.saved(now, target), cost.damage[target] - cost.damage[now]
            if saved > 0 and damage <= left:
                options[name, target] = (saved / damage if damage > 0 else float("inf"), saved)
    return options
