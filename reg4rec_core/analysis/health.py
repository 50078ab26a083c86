"""Is a run healthy? Named checks against stated bounds, read from what the run's own files say.

Nothing is computed anew: a check whose file is missing is unknown and names the command that makes it. The last seven
look for the ways in which training by rewards is known to fail: it stops improving early, it serves the top of the list
at the cost of the rest, all paths become one, or coarse number formats make the loss diverge.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from reg4rec_core.checkpoint import ROLLOUTS, Run

Verdict = Literal["passed", "failed", "unknown"]
Holds = Literal["at most", "at least"]
Unit = Literal["share", "number"]
LEAST_STEPS = 12
"""Logged steps that a curve needs to be judged."""


@dataclass(frozen=True)
class HealthCheck:
    """One claim about a run, the number it is judged by, and why."""

    about: str
    """What part of the system it speaks of."""
    name: str
    verdict: Verdict
    value: float | None
    """None where it is not known."""
    bound: float | None
    """What the value is held against; None where that depends on what is not known."""
    holds: Holds
    unit: Unit
    reason: str

    @property
    def value_text(self) -> str:
        return _shown(self.value, self.unit)

    @property
    def bound_text(self) -> str:
        return "" if self.bound is None else f"{self.holds} {_shown(self.bound, self.unit)}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class _Found:
    """What a check measured."""

    value: float
    reason: str
    bound: float | None = None
    """Where the data say what to expect; None for the rule's own."""


@dataclass(frozen=True)
class _Rule:
    about: str
    name: str
    holds: Holds
    bound: float | None
    unit: Unit
    measure: Callable[[Run], _Found]


class _Unknown(Exception):
    """Why a check cannot be made."""


def check_run(run: Run) -> tuple[HealthCheck, ...]:
    """All checks of a run, in the order of the pipeline; nothing is loaded but small documents and stored rollouts."""
    return tuple(_judge(rule, run) for rule in RULES)


def _judge(rule: _Rule, run: Run) -> HealthCheck:
    said = (rule.about, rule.name)
    try:
        found = rule.measure(run)
    except _Unknown as reason:
        return HealthCheck(*said, "unknown", None, rule.bound, rule.holds, rule.unit, str(reason))
    bound = rule.bound if found.bound is None else found.bound
    assert bound is not None, f"{rule.name} has no bound"
    holds = found.value <= bound if rule.holds == "at most" else found.value >= bound  # false for what is no number
    verdict: Verdict = "passed" if holds else "failed"
    return HealthCheck(*said, verdict, float(found.value), float(bound), rule.holds, rule.unit, found.reason)


def _shown(value: float | None, unit: Unit) -> str:
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "no number"
    if unit == "number":
        return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"
    percent = 100 * value
    return (
        f"{percent:.0f} %"
        if percent == round(percent)
        else f"{percent:.2g} %"
        if abs(percent) < 10
        else f"{percent:.0f} %"
    )


def _document(run: Run, name: str, command: str) -> dict[str, Any]:
    path = run.path / name
    if not path.exists():
        raise _Unknown(f"The run has no {name}; make it with: reg4rec {command}.")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _entry(document: dict[str, Any], *names: str, lacking: str) -> Any:
    """A value inside a document; `lacking` says what to do where it is not there."""
    value: Any = document
    for name in names:
        if not isinstance(value, dict) or value.get(name) is None:
            raise _Unknown(lacking)
        value = value[name]
    return value


def _tokenizer(run: Run, name: str) -> Any:
    command = f"fit-tokenizer --data DATA --run {run.path}"
    report = _document(run, "tokenizer_report.json", command)
    return _entry(report, name, lacking=f"tokenizer_report.json lacks {name}; make it anew with: reg4rec {command}.")


def _evaluated(run: Run, *names: str, options: str = "") -> Any:
    """A number of the report on the test split."""
    command = f"reg4rec evaluate --run {run.path} --split test{options}"
    report = _document(run, "evaluation/test.json", command.removeprefix("reg4rec "))
    what = "evaluation/test.json does not say this; make it anew with"
    return _entry(report, *names, lacking=f"{what}: {command}.")


def _audited(run: Run, *names: str) -> Any:
    command = "prepare --source SOURCE --format FORMAT --out DATA"
    audit = _document(run, "data/dataset.json", command)
    lacking = f"data/dataset.json has no audit that says this; prepare the data anew with: reg4rec {command}."
    return _entry(audit, *names, lacking=lacking)


def _curve(run: Run, stage: str, name: str) -> list[float]:
    """A logged number, step by step; unknown where there are too few steps to judge."""
    command = f"reg4rec {'pretrain' if stage == 'pretrain' else 'post-train'} --run {run.path}"
    values = [float(row[name]) for row in run.metrics() if row.get("stage") == stage and name in row]
    if not values:
        raise _Unknown(f"metrics.jsonl has no {name} of {stage}; it is written by: {command}.")
    if len(values) < LEAST_STEPS:
        raise _Unknown(f"{len(values)} logged steps are too few to judge a curve, {LEAST_STEPS} are needed: {command}.")
    return values


def _quarters(values: Sequence[float]) -> list[np.ndarray]:
    return np.array_split(np.array(values, dtype=np.float64), 4)


def _share(value: float) -> str:
    return _shown(value, "share")


def _dead_codes(run: Run) -> _Found:
    dead, books = sum(_tokenizer(run, "dead_codes")), _tokenizer(run, "codebooks")
    codes = books * _tokenizer(run, "codebook_size")
    return _Found(dead / codes, f"{dead:,} of {codes:,} codes are carried by no product.")


def _collisions(run: Run) -> _Found:
    rate = _tokenizer(run, "collision_rate")
    return _Found(rate, f"{_share(rate)} of the products share all their codes with another: search cannot part them.")


def _illegal(run: Run) -> _Found:
    rate = _evaluated(run, "illegal_rate")
    return _Found(rate, "Every recommendation is a real product." if rate == 0 else "Some lists name no real product.")


def _category_accuracy(run: Run) -> _Found:
    by_step = _evaluated(run, "category_accuracy")
    largest = float(_audited(run, "audit", "categories", "largest_share"))
    least, first = float(min(by_step.values())), float(by_step["0"])
    reason = (
        f"Before any code the likeliest category is the right one for {_share(first)} of the users, at the worst step "
        f"for {_share(least)}; always naming the largest category, {_share(largest)} of the products, is the bound."
    )
    return _Found(least, reason, bound=largest)


def _prune_rate(run: Run) -> _Found:
    rate, users = _evaluated(run, "prune_rate"), _evaluated(run, "users_with_pruning")
    reason = f"Of the branches that were checked, {_share(rate)} were pruned; it touched {_share(users)} of the users."
    return _Found(rate, reason + " Pruning much of what is tried costs more hits than it saves.")


def _fallbacks(run: Run) -> _Found:
    rate = _evaluated(run, "fallback_rate")
    return _Found(rate, f"{_share(rate)} of the kept branches failed the check and stayed for want of a better one.")


def _beam_gap(run: Run) -> _Found:
    beam, exact = _evaluated(run, "ndcg@10"), _evaluated(run, "first_state", "ndcg@10")
    reason = (
        f"NDCG@10 is {beam:.4f} with the search and {exact:.4f} when every product is scored before the first code."
    )
    return _Found(beam / exact - 1 if exact else 0.0, reason)


def _same_day(run: Run) -> _Found:
    tied = _audited(run, "audit", "time", "users_whose_last_two_share_a_day")
    order = _audited(run, "ties", "order")
    if order == "shuffled":
        return _Found(0.0, f"{_share(tied)} of the users made the last two on one day; their order was drawn by lot.")
    reason = (
        f"{_share(tied)} of the users made their last two purchases on one day, in an order that may tell the answer"
    )
    return _Found(tied, f"{reason}. reg4rec prepare --ties shuffled says what that is worth.")


def _missing_titles(run: Run) -> _Found:
    missing, items = _audited(run, "audit", "missing", "titles"), _audited(run, "audit", "items")
    brands = _audited(run, "audit", "missing", "brands")
    return _Found(missing / items, f"{missing:,} of {items:,} products have no title, {brands:,} no brand.")


def _never_trained(run: Run) -> _Found:
    cold, targets = (_audited(run, "audit", "targets", "test", name) for name in ("never_trained", "targets"))
    reason = f"{cold:,} of {targets:,} products to be found are ones that training never saw anybody buy."
    return _Found(cold / max(targets, 1), reason)


def _reward_plateau(run: Run) -> _Found:
    _, second, _, last = _quarters(_curve(run, "post-train", "reward"))
    error = math.sqrt(second.var(ddof=1) / len(second) + last.var(ddof=1) / len(last))
    rise = float(last.mean() - second.mean())
    reason = (
        f"The mean reward went from {second.mean():.3f} in the second quarter of the steps to {last.mean():.3f} in the "
        f"last; chance alone moves the difference by {error:.3f}. Below twice that, the reward has stopped rising."
    )
    return _Found(rise / max(error, 1e-12), reason)


def _ranking_kept(run: Run) -> _Found:
    change = _evaluated(run, "against", "difference", "ndcg@10", options=" --against pretrained")
    reason = (
        f"Against the weights before it, NDCG@10 changed by {change['mean']:+.4f}, 95 % interval {change['low']:+.4f} "
        f"to {change['high']:+.4f}; the value is the upper end."
    )
    return _Found(change["high"], reason)


def _top_ten(run: Run) -> _Found:
    differences = _evaluated(run, "against", "difference", options=" --against pretrained")
    lacking = f"evaluation/test.json lacks relative changes; make it anew with: reg4rec evaluate --run {run.path}."
    relative = {
        k: np.mean([_entry(differences, f"{kind}@{k}", "relative", lacking=lacking) for kind in ("recall", "ndcg")])
        for k in (5, 10)
    }
    reason = (
        f"Post-training changed recall and NDCG by {relative[10]:+.2%} among the first ten and by {relative[5]:+.2%} "
        "among the first five."
    )
    return _Found(float(relative[10] - relative[5]), reason)


def _variety(run: Run) -> _Found:
    if not (run.path / ROLLOUTS).exists():
        raise _Unknown(f"The run has no {ROLLOUTS}; make it with: reg4rec post-train --run {run.path}.")
    rollouts = run.rollouts()
    paths = rollouts.codebooks.astype(np.int64) * (int(rollouts.codes.max()) + 1) + rollouts.codes
    groups = np.sort(paths, axis=2)  # a path is a set of codes
    distinct = float(np.mean([len(np.unique(group, axis=0)) for group in groups])) / groups.shape[1]
    reason = f"Of {groups.shape[1]} paths sampled for one history, {distinct * groups.shape[1]:.1f} differ on average."
    return _Found(distinct, reason)


def _entropy(run: Run) -> _Found:
    first, *_, last = _quarters(_curve(run, "post-train", "entropy"))
    reason = (
        f"The entropy of sampled paths went from {first.mean():.2f} to {last.mean():.2f} nats during post-training."
    )
    return _Found(float(last.mean() / first.mean()) if first.mean() else 0.0, reason)


LOSSES = {"pretrain": ("pretrain", "encoder_item"), "post_train": ("post-train", "supervised/encoder_item")}
"""Setting of a stage -> how its log calls the stage and a loss that means the same from its first step to its last."""


def _precision(run: Run) -> _Found:
    path = run.path / "run.json"
    settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    formats = {stage: settings.get(stage, {}).get("precision", "fp32") for stage in LOSSES}
    coarse = [stage for stage, number_format in formats.items() if number_format != "fp32"]
    if not coarse:
        raise _Unknown("All layers were trained in full precision (fp32), so there is nothing that could diverge here.")
    rises = {stage: _rise(_curve(run, *LOSSES[stage])) for stage in coarse}
    worst = max(rises, key=lambda stage: (math.isnan(rises[stage]), rises[stage]))
    stage = LOSSES[worst][0]
    return _Found(
        rises[worst],
        f"In {stage} with --precision {formats[worst]} the loss ended {_share(rises[worst])} above its lowest stretch.",
    )


def _rise(losses: Sequence[float]) -> float:
    """How far the last quarter of a curve lies above the lowest stretch of that length, relative to it."""
    width = max(len(losses) // 4, 1)
    means = np.convolve(np.array(losses, dtype=np.float64), np.full(width, 1 / width), mode="valid")
    return float(means[-1] / means.min() - 1) if np.isfinite(means).all() else math.nan


RULES = (
    _Rule("data", "last two purchases on one day", "at most", 0.25, "share", _same_day),
    _Rule("data", "products without a title", "at most", 0.05, "share", _missing_titles),
    _Rule("data", "targets that training never saw", "at most", 0.05, "share", _never_trained),
    _Rule("codes", "dead codes", "at most", 0.05, "share", _dead_codes),
    _Rule("codes", "products that share all codes", "at most", 0.02, "share", _collisions),
    _Rule("search", "recommendations that do not exist", "at most", 0.0, "share", _illegal),
    _Rule("search", "category accuracy at the worst step", "at least", None, "share", _category_accuracy),
    _Rule("search", "branches pruned", "at most", 0.25, "share", _prune_rate),
    _Rule("search", "branches kept as a last resort", "at most", 0.05, "share", _fallbacks),
    _Rule("search", "the search against exact scoring", "at least", -0.02, "share", _beam_gap),
    _Rule("post-training", "the reward keeps rising", "at least", 2.0, "number", _reward_plateau),
    _Rule("post-training", "the ranking does not suffer", "at least", 0.0, "number", _ranking_kept),
    _Rule("post-training", "the first ten keep up with the first five", "at least", -0.01, "share", _top_ten),
    _Rule("post-training", "different paths in a group", "at least", 0.3, "share", _variety),
    _Rule("post-training", "entropy of paths, last against first", "at least", 0.5, "share", _entropy),
    _Rule("precision", "loss stays down in coarse formats", "at most", 0.05, "share", _precision),
)
"""Bounds are ours: what a run should not pass without somebody looking at it."""
