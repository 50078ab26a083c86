"""Two models asked the same questions under the same decoding: how far they differ, user by user, and how surely."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.evaluation.beam_search import BeamResult, category_accuracy
from reg4rec_core.metrics import Interval, bootstrap_interval, gains_at, hits_at, ranking_metrics
from reg4rec_core.types import Catalog


@dataclass(frozen=True)
class Comparison:
    """What one model gives beyond another for the same users; differences are the first's minus the second's."""

    ranking: dict[str, float]
    """Recall and NDCG of the second."""
    difference: dict[str, Interval]
    """Mean over users and 95 % paired bootstrap interval, by metric."""
    gained: int
    """Users whose target only the first lists among ten."""
    lost: int
    """Users whose target only the second lists among ten."""
    js: tuple[dict[str, float], dict[str, float]]
    """Mean divergence at each step along the path to the first item: the first's, the second's."""
    category_accuracy: tuple[dict[str, float], dict[str, float]]
    """After 0, 1, ... codes: the first's, the second's."""

    def relative(self, metric: str) -> float | None:
        """The difference as a share of the second's value; None where that is 0."""
        theirs = self.ranking[metric]
        return self.difference[metric].mean / theirs if theirs else None

    def to_json(self) -> dict[str, Any]:
        """The block `against` of `reg4rec evaluate --json`: the second's numbers, then how the first differs."""
        rows = {name: asdict(interval) for name, interval in self.difference.items()}
        both = {"js_of_first_item": self.js, "category_accuracy": self.category_accuracy}
        return {
            **self.ranking,
            "difference": {name: row | {"relative": self.relative(name)} for name, row in rows.items()},
            "gained@10": self.gained,
            "lost@10": self.lost,
            **{name: {"evaluated": first, "against": second} for name, (first, second) in both.items()},
        }


def compare(first: BeamResult, second: BeamResult, catalog: Catalog, *, seed: int = 0) -> Comparison:
    """How `first` differs from `second`; users, targets and decoding must be the same. `seed` draws the bootstrap."""
    for name in ("users", "targets"):
        if not np.array_equal(getattr(first.questions, name), getattr(second.questions, name)):
            raise ValueError(f"only answers to the same questions can be compared, these differ in their {name}")
    if first.decode != second.decode:
        raise ValueError(f"only searches under one decoding can be compared, got {first.decode} and {second.decode}")
    ours, theirs = first.places, second.places
    return Comparison(
        ranking=ranking_metrics(theirs),
        difference=paired_differences(ours, theirs, seed=seed),
        gained=int(((ours <= 10) & (theirs > 10)).sum()),
        lost=int(((theirs <= 10) & (ours > 10)).sum()),
        js=(mean_js(first), mean_js(second)),
        category_accuracy=(category_accuracy(first, catalog), category_accuracy(second, catalog)),
    )


def paired_differences(first: Int[np.ndarray, "B"], second: Int[np.ndarray, "B"], *, seed: int) -> dict[str, Interval]:
    """Per metric the mean of the users' own differences between two sets of places, and its bootstrap interval.

    Every user stands on both sides of a draw, so what makes users easy or hard drops out. All metrics share the draws.
    """
    values = {
        f"{name}@{k}": of(first, k) - of(second, k)
        for k in (5, 10)
        for name, of in (("recall", hits_at), ("ndcg", gains_at))
    }
    return {name: bootstrap_interval(v, generator=np.random.default_rng(seed)) for name, v in values.items()}


def mean_js(result: BeamResult) -> dict[str, float]:
    """Mean divergence at each step along the path to the first item, without the last step, which has no belief."""
    js: Float[np.ndarray, "B T"] = result.searched.first_js[:, :-1]
    known = ~np.isnan(js)
    sums = np.where(known, js, 0.0).sum(0)
    return {str(step + 1): float(sums[step] / max(known[:, step].sum(), 1)) for step in range(js.shape[1])}
