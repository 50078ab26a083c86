"""How well the model serves a cohort, its slices, and the same users with another search."""

import json
from collections.abc import Sequence

import pandas as pd

from app.view_models.reasoning import short_category
from reg4rec_core import CategoryDrift, CohortCounts, SliceMetrics, StoreComparison

GLANCE = "At a glance"
SLICES = {
    "history length": "history",
    "days active": "active",
    "last purchase": "last",
    "how often training saw the target": "seen",
    "category of the target": "target",
    "brand of the target": "maker",
    "main category": "main",
}
"""What the page calls the slices of the core."""
METRICS = ("recall@10", "ndcg@10", "recall@5", "ndcg@5")
METRIC_WORDS = {
    "recall": "share of users whose next purchase is among the first {k} recommendations",
    "ndcg": "the same share, a place further down the first {k} counting less",
}


def cards(counts: CohortCounts, whole: SliceMetrics, everyone: SliceMetrics) -> list[tuple[str, str, str]]:
    """The cohort at a glance: name, value, and what to compare it with."""
    rows = [("users", f"{counts.users:,}", f"of {everyone.users:,} in this stored search")]
    for name in METRICS[:2]:
        interval, usual = whole.metrics[name], everyone.metrics[name].mean
        beside = "" if whole.users == everyone.users else f"; everyone {usual:.3f}"
        rows.append((_metric_name(name), f"{interval.mean:.3f}", f"95 %: {_span(interval.low, interval.high)}{beside}"))
    misses = f"of {counts.misses:,} missed targets"
    return [*rows, ("target pruned on the way", f"{counts.pruned_targets:,}", misses)]


def _metric_name(name: str) -> str:
    return name.replace("recall", "Recall").replace("ndcg", "NDCG")


def _span(low: float, high: float) -> str:
    return f"{low:.3f} to {high:.3f}"


def slices_note(metric: str) -> str:
    """How to read the chart of slices."""
    kind, k = metric.split("@")
    return (
        f"{_metric_name(metric)}: {METRIC_WORDS[kind].format(k=k)}. Dot: the slice; bar: its 95 % interval, wide where "
        "users are few (n); dashed: the whole cohort. A slice whose bar misses the dashed line differs from it. "
        "Click a dot to list its users."
    )


def slices_table(slices: Sequence[SliceMetrics], metric: str) -> pd.DataFrame:
    """One row a slice: its name with the number of users, the metric and its interval."""
    return pd.DataFrame(
        [
            {
                "name": f"{short_category(part.name)}  (n {part.users:,})",
                "mean": part.metrics[metric].mean,
                "low": part.metrics[metric].low,
                "high": part.metrics[metric].high,
                "said": f"{short_category(part.name)}: {metric} {part.metrics[metric].mean:.3f}, 95 % "
                f"{_span(part.metrics[metric].low, part.metrics[metric].high)}, {part.users:,} users",
                "cohort": part.cohort.to_text(),
            }
            for part in slices
        ],
        columns=["name", "mean", "low", "high", "said", "cohort"],
    )


COMPARE_NOTE = (
    "Dot: how much higher a metric is with the second search than with the first, for the same users; bar: its 95 % "
    "interval. Right of the dashed zero the second is better; a bar that touches zero could be chance."
)
NO_OTHER = (
    "There is no second stored search to compare with. This makes one of the other weights, for the same users if the "
    "first was made with the same settings:"
)


def differences_table(comparison: StoreComparison) -> pd.DataFrame:
    """One row a metric: second minus first, with its interval."""
    rows = []
    for name in METRICS:
        change = comparison.differences[name]
        said = f"{_metric_name(name)}: {change.mean:+.4f}, 95 % {change.low:+.4f} to {change.high:+.4f}"
        rows.append({"name": _metric_name(name), "mean": change.mean, "low": change.low, "high": change.high,
                     "said": said, "cohort": ""})  # fmt: skip
    return pd.DataFrame(rows)


def comparison_sentence(comparison: StoreComparison, first: str, second: str) -> str:
    return (
        f"First: {first}. Second: {second}. {comparison.users:,} users of this cohort are in both. Only the second "
        f"finds the target of {comparison.gained:,}, only the first that of {comparison.lost:,}."
    )


def cohort_json(whole: SliceMetrics, slices: Sequence[SliceMetrics], drift: CategoryDrift) -> str:
    """The numbers of a cohort: its metrics, those of its slices, and the drift from histories to recommendations."""
    document = {"metrics": whole.to_json(), "slices": [part.to_json() for part in slices], "drift": drift.to_json()}
    return json.dumps(document, allow_nan=False, ensure_ascii=False, default=float)
