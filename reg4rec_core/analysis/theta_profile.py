"""Every result that any theta of a range can give for one history: finitely many, each for an interval of thetas.

A search compares divergences with theta (CORP) and depends on it in no other way. So its result is constant from the
largest divergence that it compared and found within theta to the smallest that it found beyond.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.analysis.counterfactual import Move
from reg4rec_core.decoding.theta_range import Piece, ThetaInterval, search_thetas
from reg4rec_core.types import Catalog, Fate, InputError, ReasoningTrace


@dataclass(frozen=True)
class ThetaProfile:
    """All results of one history for low <= theta < high."""

    intervals: tuple[ThetaInterval, ...]
    """Ascending, without gaps, the first from the range's low and the last to its high."""
    searches: int
    """Different ends of searches, each searched once."""
    beams: int
    """Beams that were expanded in all of them; a search by itself expands one a step."""

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """The thetas at which the result changes, ascending: it holds from there on."""
        return tuple(interval.low for interval in self.intervals[1:])

    def at(self, theta: float) -> ThetaInterval:
        """The interval that holds theta."""
        first, last = self.intervals[0].low, self.intervals[-1].high
        if not first <= theta < last:
            raise InputError(f"this profile holds {first:g} <= theta < {last:g}, got {theta:g}; ask for a wider one")
        return self.intervals[int(np.searchsorted(self.breakpoints, theta, side="right"))]


@dataclass(frozen=True)
class ThetaChange:
    """What a breakpoint does to the list, read from small thetas to large."""

    theta: float
    """The larger theta's results begin here."""
    entered: tuple[Move, ...]
    """Items that are in the list from here on, best first."""
    left: tuple[Move, ...]
    """Items that are in the list up to here, best first."""
    moved: tuple[Move, ...]
    """Items on both sides in another place, by their new place."""
    pruned: int
    """Candidates pruned from here on, minus those before."""

    @property
    def same_list(self) -> bool:
        return not (self.entered or self.left or self.moved)


def profile_theta(question: Question, low: float, high: float) -> ThetaProfile:
    """Every result for low <= theta < high; the theta of the question's own settings does not matter."""
    _check(question, low, high)
    pieces = list(_pieces(question, low, high))
    intervals = tuple(interval for piece in pieces for interval in piece.intervals)
    return ThetaProfile(intervals, sum(piece.searches for piece in pieces), sum(piece.beams for piece in pieces))


def theta_intervals(question: Question, low: float, high: float, *, start: float) -> Iterator[ThetaInterval]:
    """The same one by one: first that of `start`, which takes a single search, then the others from low to high."""
    _check(question, low, high)
    if not low <= start < high:
        raise InputError(f"the first theta must lie in the range, {low:g} <= theta < {high:g}, got {start:g}")
    first = interval_of(replace(question, config=replace(question.config, theta=start)).trace(), low, high)
    yield first
    for piece in _pieces(question, low, high):
        yield from (interval for interval in piece.intervals if interval.low != first.low)


def interval_of(trace: ReasoningTrace, low: float, high: float) -> ThetaInterval:
    """The part of low <= theta < high in which every theta gives this search."""
    if not low <= trace.theta < high:
        raise InputError(f"a search with theta {trace.theta:g} is outside of {low:g} to {high:g}; widen the range")
    compared = trace.js[(trace.step >= trace.check_from) & ~np.isnan(trace.js)]
    below, above = compared[compared <= trace.theta], compared[compared > trace.theta]
    return ThetaInterval(
        low=float(max(low, below.max(initial=low))),
        high=float(min(high, above.min(initial=high))),
        items=trace.items,
        scores=trace.item_scores,
        nodes=trace.n_nodes,
        pruned=int((trace.fate == Fate.PRUNED).sum()),
        build=lambda: trace,
    )


def theta_changes(profile: ThetaProfile) -> tuple[ThetaChange, ...]:
    """What changes at every breakpoint, ascending; below some of them only the tree differs."""
    pairs = zip(profile.intervals, profile.intervals[1:], strict=False)
    return tuple(_change(before, after) for before, after in pairs)


def _change(before: ThetaInterval, after: ThetaInterval) -> ThetaChange:
    old, new = before.items.tolist(), after.items.tolist()
    places = [{item: place for place, item in enumerate(items, 1)} for items in (old, new)]
    moves = [Move(item, places[0].get(item, 0), place) for place, item in enumerate(new, 1)]
    return ThetaChange(
        theta=after.low,
        entered=tuple(move for move in moves if not move.before),
        left=tuple(Move(item, place, 0) for place, item in enumerate(old, 1) if item not in places[1]),
        moved=tuple(move for move in moves if move.before and move.before != move.after),
        pruned=after.pruned - before.pruned,
    )


def _pieces(question: Question, low: float, high: float) -> Iterator[Piece]:
    return search_thetas(
        question.model,
        question.index,
        question.history,
        question.config,
        low=low,
        high=high,
        seen=question.seen,
        neighbours=question.neighbours,
    )


def _check(question: Question, low: float, high: float) -> None:
    if not 0 <= low < high < math.inf:
        raise InputError(
            f"a range of thetas needs 0 <= LOW < HIGH, both finite (no divergence exceeds .694), got {low:g}:{high:g}"
        )
    if question.branch:
        raise InputError("a theta profile starts at the root, got a question from a branch on; ask it without")
    if question.config.thetas:
        raise InputError(
            f"a profile needs one theta for all steps, got thetas {question.config.thetas}; leave them out"
        )


def profile_document(catalog: Catalog, user: str, profile: ThetaProfile) -> dict[str, Any]:
    """The results as plain numbers: each list with its scores, and the thetas that it holds for."""
    return {
        "user": user,
        "intervals": [
            {
                "low": interval.low,
                "high": interval.high,
                "items": [
                    {"key": catalog.item_keys[item], "score": score}
                    for item, score in zip(interval.items.tolist(), interval.scores.tolist(), strict=True)
                ],
                "nodes": interval.nodes,
                "pruned": interval.pruned,
            }
            for interval in profile.intervals
        ],
    }
