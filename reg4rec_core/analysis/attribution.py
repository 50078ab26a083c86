"""Which purchases a recommendation rests on: the history without each of them, asked again.

Leaving one out is exact: the probability of the very path is computed anew, no gradient stands for it. It is the effect
of each item given all the others; two items that say the same can both have little of it. What may be recommended stays
as under the whole history in all variants, so that only the evidence changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import (
    BLOCK_USERS,
    BegunSearch,
    ItemIndex,
    PathScores,
    ReasoningModel,
    SearchedItems,
    begin_search,
    path_scores,
    paths_of,
    search,
    search_items,
)
from reg4rec_core.decoding.path_scores import ItemPaths
from reg4rec_core.decoding.search import Neighbours
from reg4rec_core.types import ReasoningTrace

EDIT_BUDGET = 240
"""Searches that `smallest_edit` may take: all singles, sets grown greedily and all pairs of 20 purchases fit."""

Places = Sequence[int] | Int[np.ndarray, "n"]
"""Places in a padded history."""


@dataclass(frozen=True)
class Question:
    """One history and how it is searched, so that it can be asked again with less evidence."""

    model: ReasoningModel
    index: ItemIndex
    history: Int[np.ndarray, "L"]
    """What the model sees, left-padded with 0."""
    seen: Int[np.ndarray, "_"]
    """What `exclude_history` leaves out, however much of the evidence is taken away: the whole history, and more items
    where the search is steered."""
    config: DecodeConfig
    neighbours: Neighbours
    branch: tuple[tuple[int, int], ...] = ()
    """Codes that every path begins with (codebook, code); none: the search starts at the root."""

    @property
    def positions(self) -> Int[np.ndarray, "H"]:
        """Places of the purchases in `history`, oldest first."""
        return np.flatnonzero(self.history)

    def without(self, sets: Sequence[Places]) -> Int[np.ndarray, "sets L"]:
        """The history without each set of places: what is older moves up, as if it had never been bought."""
        return np.stack([left_out(self.history, places) for places in sets])

    def trace(self) -> ReasoningTrace:
        """The question's own search, on the whole evidence."""
        history, seen = self.history[None], [self.seen]
        return search(
            self.model, self.index, history, self.config, seen=seen, neighbours=self.neighbours, prefix=self.branch
        )[0]

    def begin(self) -> BegunSearch:
        """The part of the question's own search that is the same whatever theta is."""
        return begin_search(
            self.model, self.index, self.history, self.config, seen=self.seen, neighbours=self.neighbours,
            prefix=self.branch,
        )  # fmt: skip

    def score(self, histories: Int[np.ndarray, "B L"], paths: ItemPaths) -> PathScores:
        """The same paths under other evidence."""
        return path_scores(self.model, self.index, histories, paths, self.config, seen=self.seen)

    def search(self, histories: Int[np.ndarray, "B L"]) -> SearchedItems:
        """New searches under other evidence, the same items left out."""
        seen = [self.seen] * len(histories)
        return search_items(
            self.model, self.index, histories, self.config, seen=seen, neighbours=self.neighbours, prefix=self.branch
        )


def left_out(history: Int[np.ndarray, "L"], places: Places) -> Int[np.ndarray, "L"]:
    """A padded history without some places, as long as before."""
    kept = np.delete(history, np.asarray(places, np.int64))
    return np.concatenate([np.zeros(len(history) - len(kept), history.dtype), kept])


@dataclass(frozen=True)
class Attribution:
    """How much each of H history items speaks for each of R recommended items; H counts what the model sees."""

    positions: Int[np.ndarray, "H"]
    """Place of each history item in the padded history, oldest first."""
    history: Int[np.ndarray, "H"]
    items: Int[np.ndarray, "R"]
    """The recommended items, best first."""
    log_prob: Float[np.ndarray, "R"]
    """Of each item's own path given the whole history, nats; NaN for a neighbour, which has no path."""
    influence: Float[np.ndarray, "H R"]
    """What the path loses without the history item, nats: above 0 the history item speaks for the recommended one."""
    first_state: Float[np.ndarray, "R"]
    """Of each item at the root, before any code, nats; NaN for a neighbour."""
    first_state_influence: Float[np.ndarray, "H R"]
    """What the item loses at the root without the history item, nats."""

    def strongest(self, rank: int) -> Int[np.ndarray, "H"]:
        """Places of the history items by influence on the item at `rank`, strongest support first."""
        return self.positions[np.argsort(-np.nan_to_num(self.influence[:, rank]), kind="stable")]


def attribute(question: Question, trace: ReasoningTrace) -> Attribution:
    """Leave out each history item in turn and score the paths of `trace`, the question's own search, again.

    influence[h, r] = log p(path r | history) - log p(path r | history without h): same codes, same codebook order.
    """
    positions = question.positions
    variants = question.without([(), *((int(place),) for place in positions)])
    scores = question.score(variants, paths_of(trace))
    found = trace.item_nodes >= 0
    return Attribution(
        positions=positions,
        history=question.history[positions],
        items=trace.items,
        log_prob=_spread(scores.log_probs[:1], found)[0],
        influence=_spread(scores.log_probs[:1] - scores.log_probs[1:], found),
        first_state=_spread(scores.first_states[:1], found)[0],
        first_state_influence=_spread(scores.first_states[:1] - scores.first_states[1:], found),
    )


def _spread(values: Float[np.ndarray, "X found"], found: Bool[np.ndarray, "R"]) -> Float[np.ndarray, "X R"]:
    """The columns of items that a path led to in their places, NaN in the others."""
    table = np.full((len(values), len(found)), np.nan)
    table[:, found] = values
    return table


@dataclass(frozen=True)
class SmallestEdit:
    """The fewest purchases without which an item is not recommended any more."""

    item: int
    removed: Int[np.ndarray, "n"]
    """Places in the padded history, ascending; empty where no set was found."""
    smallest: bool
    """Whether every smaller set was tried; where none was found, whether every single and every pair was."""
    searches: int
    """Searches that it took."""

    @property
    def found(self) -> bool:
        return len(self.removed) > 0


def smallest_edit(
    question: Question, attribution: Attribution, rank: int, *, budget: int = EDIT_BUDGET
) -> SmallestEdit:
    """The smallest set of purchases whose removal drops the item at `rank` from the list, by searching again.

    Every purchase alone, the most influential first; then the most influential two, three, ... together, until a set
    drops the item; then every pair, if that set has more than two. One purchase stays. At most `budget` searches.
    """
    item, order = int(attribution.items[rank]), attribution.strongest(rank).tolist()
    drops = _Drops(question, item, budget)
    removed = drops.first_of([(place,) for place in order] if len(order) > 1 else [])
    if not removed:
        removed = drops.first_of([tuple(order[:size]) for size in range(2, len(order))])
    if len(removed) != 1 and len(order) > 2:
        by_place = np.nan_to_num(attribution.influence[:, rank]).tolist()
        influence = dict(zip(attribution.positions.tolist(), by_place, strict=True))
        pairs = sorted(combinations(order, 2), key=lambda pair: -(influence[pair[0]] + influence[pair[1]]))
        removed = removed if len(removed) == 2 else drops.first_of(pairs) or removed
    smallest = len(removed) == 1 or (not drops.stopped and len(removed) <= 3)
    return SmallestEdit(item, np.array(sorted(removed), np.int64), smallest, drops.searches)


class _Drops:
    """Searches with some purchases left out, counted, until the budget is spent. A set is never searched twice."""

    def __init__(self, question: Question, item: int, budget: int) -> None:
        self.question, self.item, self.budget = question, item, budget
        self.tried: set[tuple[int, ...]] = set()
        self.stopped = False

    @property
    def searches(self) -> int:
        return len(self.tried)

    def first_of(self, sets: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """The first set whose removal drops the item, () when none does or the budget ends before."""
        left = [places for places in sets if places not in self.tried]
        for start in range(0, len(left), BLOCK_USERS):
            block = left[start : start + BLOCK_USERS]
            self.stopped = self.stopped or self.searches + len(block) > self.budget
            if self.stopped:
                return ()
            self.tried.update(block)
            lists = self.question.search(self.question.without(block)).items
            dropped = np.flatnonzero(~(lists == self.item).any(1))
            if len(dropped):
                return block[int(dropped[0])]
        return ()
