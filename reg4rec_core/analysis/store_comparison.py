"""The same users under two searches: what the second finds that the first does not, and the other way round."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from reg4rec_core.analysis.category_drift import CategoryDrift, category_counts, drift
from reg4rec_core.analysis.cohort import Cohort
from reg4rec_core.analysis.slices import METRICS, SliceBy, bootstrap_counts, metrics_by, values_of_places
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


@dataclass(frozen=True)
class SliceDifference:
    """The users of one slice under two searches."""

    name: str
    users: int
    """Users of the slice with a target, in both stores."""
    differences: dict[str, Interval]
    """Second minus first, as in `StoreComparison`."""
    gained: int
    lost: int


def compare_stores(first: TraceStore, second: TraceStore, cohort: Cohort, *, seed: int = 0) -> StoreComparison:
    """What the second store does otherwise for a cohort, which is chosen in the first; users of both are counted."""
    mine, theirs = (_asked(store, part) for store, part in ((first, cohort), (second, Cohort())))
    pairs = _paired(mine, theirs)
    common, before, after, asked = pairs["user"], pairs["before"], pairs["after"], pairs["asked"]
    if not len(common):
        raise InputError(f"the stores {first.path} and {second.path} share no user of this cohort")
    both = _changes(pairs)
    users = Cohort(users=tuple(common.tolist()))
    mixes = [category_counts(store, users, "recommendations") for store in (first, second)]
    width = max(map(len, mixes))
    names = max(first.category_names, second.category_names, key=len)
    mixes = [np.pad(mix, (0, width - len(mix))) for mix in mixes]
    return StoreComparison(
        users=len(common),
        differences=_differences(both, np.random.default_rng(seed)),
        gained=int(both[TOP, :TOP].sum()),
        lost=int(both[:TOP, TOP].sum()),
        gained_users=_those(common, asked & (before == TOP) & (after < TOP)),
        lost_users=_those(common, asked & (before < TOP) & (after == TOP)),
        drift=drift(names, *mixes),
    )


def compare_by(
    first: TraceStore, second: TraceStore, cohort: Cohort, by: SliceBy, *, seed: int = 0
) -> tuple[SliceDifference, ...]:
    """What the second store does otherwise, slice by slice: slices, and who is in them, are the first store's."""
    theirs, generator = _asked(second, Cohort()), np.random.default_rng(seed)
    slices = []
    for part in metrics_by(first, cohort, by, seed=seed):
        both = _changes(_paired(_asked(first, part.cohort), theirs))
        gained, lost = int(both[TOP, :TOP].sum()), int(both[:TOP, TOP].sum())
        if both.sum():
            slices.append(SliceDifference(part.name, int(both.sum()), _differences(both, generator), gained, lost))
    return tuple(slices)


Columns = dict[str, np.ndarray]


def _paired(mine: Columns, theirs: Columns) -> Columns:
    """Users of both, their places in each, and whether both have a target for them."""
    common, a, b = np.intersect1d(mine["user"], theirs["user"], return_indices=True)
    before, after = mine["place"][a], theirs["place"][b]
    return {"user": common, "before": before, "after": after, "asked": (before >= 0) & (after >= 0)}


def _changes(pairs: Columns) -> Int[np.ndarray, "places places"]:
    """How many users with a target went from each place to each."""
    kinds = TOP + 1
    moves = (pairs["before"] * kinds + pairs["after"])[pairs["asked"]]
    return np.bincount(moves, minlength=kinds * kinds).reshape(kinds, kinds)


def _differences(both: Int[np.ndarray, "places places"], generator: np.random.Generator) -> dict[str, Interval]:
    """Every metric's change from the first search to the second, with its interval."""
    values = values_of_places()
    changes = (values[None, :, :] - values[:, None, :]).reshape(both.size, -1)
    return dict(zip(METRICS, bootstrap_counts(both.reshape(-1), changes, generator), strict=True))


def _asked(store: TraceStore, cohort: Cohort) -> dict[str, Int[np.ndarray, "n"]]:
    """Users of a cohort with their place from 0, TOP for a miss, -1 without a target."""
    where, parameters = condition(store, cohort)
    place = f"CASE WHEN target IS NULL THEN -1 ELSE least(coalesce(place, {TOP + 1}), {TOP + 1}) - 1 END"
    found = store.columns(f"SELECT user, {place} AS place FROM users WHERE {where} ORDER BY user", *parameters)
    return {name: np.asarray(column, np.int64) for name, column in found.items()}


def _those(users: Int[np.ndarray, "n"], chosen: Bool[np.ndarray, "n"]) -> Cohort:
    return Cohort(users=tuple(users[chosen].tolist()))
