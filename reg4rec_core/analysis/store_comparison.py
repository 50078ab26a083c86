"""The same users under two searches: what the second finds that the first does not, and the other way round."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from reg4rec_core.analysis.category_drift import CategoryDrift, category_counts, drift
from reg4rec_core.analysis.cohort import Cohort
from reg4rec_core.analysis.slices import METRICS, bootstrap_counts, values_of_places
from reg4rec_core.analysis.trace_queries import TOP, TraceStore, condition
from reg4rec_core.metrics import Interval
from reg4rec_core.types import InputError


@dataclass(frozen=True)
class StoreComparison:
    """The same users under two searches: of other weights, or with other settings."""

    users: int
    differences: dict[str, Interval]
    """Second minus first, paired over users with a target, 95 % bootstrap."""
    gained: int
    """Users whose target only the second finds among ten."""
    lost: int
    gained_users: Cohort
    """Those users, by their rows."""
    lost_users: Cohort
    drift: CategoryDrift
    """Categories of the first ten recommendations: the first store is the reference."""


def compare_stores(first: TraceStore, second: TraceStore, cohort: Cohort, *, seed: int = 0) -> StoreComparison:
    """What the second store does otherwise for a cohort, which is chosen in the first; users of both are counted."""
    mine, theirs = (_asked(store, part) for store, part in ((first, cohort), (second, Cohort())))
    common, a, b = np.intersect1d(mine["user"], theirs["user"], return_indices=True)
    if not len(common):
        raise InputError(f"the stores {first.path} and {second.path} share no user of this cohort")
    before, after = mine["place"][a], theirs["place"][b]
    asked = (before >= 0) & (after >= 0)
    kinds = TOP + 1
    counts = np.bincount(before[asked] * kinds + after[asked], minlength=kinds * kinds)
    values = values_of_places()
    changes = (values[None, :, :] - values[:, None, :]).reshape(kinds * kinds, -1)
    intervals = bootstrap_counts(counts, changes, np.random.default_rng(seed))
    both = counts.reshape(kinds, kinds)
    users = Cohort(users=tuple(common.tolist()))
    mixes = [category_counts(store, users, "recommendations") for store in (first, second)]
    width = max(map(len, mixes))
    names = max(first.category_names, second.category_names, key=len)
    mixes = [np.pad(mix, (0, width - len(mix))) for mix in mixes]
    return StoreComparison(
        users=len(common),
        differences=dict(zip(METRICS, intervals, strict=True)),
        gained=int(both[TOP, :TOP].sum()),
        lost=int(both[:TOP, TOP].sum()),
        gained_users=_those(common, asked & (before == TOP) & (after < TOP)),
        lost_users=_those(common, asked & (before < TOP) & (after == TOP)),
        drift=drift(names, *mixes),
    )


def _asked(store: TraceStore, cohort: Cohort) -> dict[str, Int[np.ndarray, "n"]]:
    """Users of a cohort with their place from 0, TOP for a miss, -1 without a target."""
    where, parameters = condition(store, cohort)
    place = f"CASE WHEN target IS NULL THEN -1 ELSE least(coalesce(place, {TOP + 1}), {TOP + 1}) - 1 END"
    found = store.columns(f"SELECT user, {place} AS place FROM users WHERE {where} ORDER BY user", *parameters)
    return {name: np.asarray(column, np.int64) for name, column in found.items()}


def _those(users: Int[np.ndarray, "n"], chosen: Bool[np.ndarray, "n"]) -> Cohort:
    return Cohort(users=tuple(users[chosen].tolist()))
