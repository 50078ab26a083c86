"""Every search that a theta of a range gives to one history, in one pass over the steps.

A search depends on theta only through its comparisons js > theta. A step started from a beam therefore has finitely
many outcomes, each for an interval of thetas, and they need no more of the network than the smallest theta asks of it:
a larger one prunes no more. So every beam of a step is expanded once, all its outcomes are read off, and the beams that
they leave are expanded next. Outcomes that leave the same paths go on together, whatever place a path has in the beam:
only between equal scores could the order of the places matter, and beams where that happens are kept apart.

All rows of a block hold the same history, and a row of an answer depends on the same row of the question alone. So
different beams stand in different rows of one block, and the shapes are those of `search`: every trace is that of a
search by itself, bit for bit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import (
    Beams,
    BlockResult,
    accept_leaves,
    best_candidates,
    blocks,
    check_fit,
    in_places,
    judge,
    open_root,
    pick,
    rank_leaves,
    use_one_thread,
)
from reg4rec_core.decoding.code_probabilities import IMPOSSIBLE, BeamView, completions, expand
from reg4rec_core.decoding.constraints import ItemIndex, rows_of
from reg4rec_core.decoding.pruning import UNSEEN, Evaluated
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.search import Neighbours, item_lists
from reg4rec_core.decoding.theta_blocks import (
    SharedBlock,
    as_lines,
    is_tied,
    last_outcomes,
    lines_of,
    seats_of,
    side_by_side,
)
from reg4rec_core.decoding.theta_routes import (
    Outcome,
    Routes,
    SharedStep,
    Start,
    branched,
    carried_on,
    covered_routes,
    different_starts,
    outcome_of,
    records_of,
    root_start,
    whole_range,
)
from reg4rec_core.decoding.trace import BlockTraces
from reg4rec_core.types import Fate, ReasoningTrace


@dataclass(frozen=True)
class ThetaInterval:
    """The searches of all thetas with low <= theta < high: the same in everything but theta itself."""

    low: float
    high: float
    items: Int[np.ndarray, "R"]
    """Recommended items, best first."""
    scores: Float[np.ndarray, "R"]
    nodes: int
    pruned: int
    build: Callable[[], ReasoningTrace]

    @property
    def trace(self) -> ReasoningTrace:
        """The whole search, as theta = low gives it; made anew at every call, as hundreds of them are large."""
        return replace(self.build(), theta=self.low)


@dataclass(frozen=True)
class Piece:
    """A part of a range, searched."""

    intervals: tuple[ThetaInterval, ...]
    """Ascending, without gaps."""
    beams: int
    """Beams that were expanded, over all steps; a search by itself expands one a step."""
    searches: int
    """Beams that arrived at the last step: different ends of searches."""


def search_thetas(
    model: ReasoningModel,
    index: ItemIndex,
    history: Int[np.ndarray, "L"],
    config: DecodeConfig,
    *,
    low: float,
    high: float,
    seen: Int[np.ndarray, "_"],
    neighbours: Neighbours | None = None,
) -> Iterator[Piece]:
    """Search one history under all thetas with low <= theta < high, from low to high; `config.theta` is not used.

    The other arguments are those of `search`.
    """
    if config.thetas:
        raise ValueError(f"a range of thetas needs one theta for all steps, got thetas {config.thetas}")
    check_fit(model, index)
    use_one_thread()
    ((_, histories, excluded),) = blocks(history[None], [seen], config, index.n_items)
    sweep = _Sweep(model, index, histories, excluded, config, neighbours)
    while low < high:
        piece = sweep.run(low, high)
        yield piece
        low = piece.intervals[-1].high


class _Sweep:
    """One history, its root, and the settings of its searches."""

    @torch.inference_mode()
    def __init__(
        self,
        model: ReasoningModel,
        index: ItemIndex,
        histories: Int[Tensor, "B L"],
        excluded: Bool[Tensor, "B N"],
        config: DecodeConfig,
        neighbours: Neighbours | None,
    ) -> None:
        self.model, self.index, self.excluded = model, index, excluded
        self.config, self.neighbours = config, neighbours
        self.root, self.first_state = open_root(model, index, histories, excluded, config)
        self.evidence = model.item_evidence(self.root.state)
        self.root_completion = completions(self.root.view, config.code_probabilities)[:, 0]

    @torch.inference_mode()
    def run(self, low: float, high: float) -> Piece:
        """As much of a range, from low on, as leads to at most MOST_BEAMS beams a step."""
        steps, routes = list[SharedStep](), [whole_range(low, high)]
        last = self.index.n_codebooks
        for number in range(1, last + 1):
            starts, opened = self._open(steps, routes[-1])
            routes[-1] = covered_routes(routes[-1], starts)
            if number < last:
                outcomes, found = self._judge(number, starts, opened)
            else:
                outcomes, found = last_outcomes(opened, self.config.beam_width)
            step = as_lines(steps, starts, opened, outcomes, found)
            checked = self.config.check_from <= number < last
            routes.append(branched(routes[-1], step, self.config) if checked else carried_on(routes[-1], step))
            steps.append(step)
        return self._piece(steps, routes, opened)

    def _open(self, steps: Sequence[SharedStep], routes: Routes) -> tuple[tuple[Start, ...], list[SharedBlock]]:
        """Expand every beam that the routes lead to.

        Where equal scores meet, the places decide: such a beam is opened again with the places of the searches.
        """
        exact: set[bytes] = set()
        while True:
            starts = different_starts(steps[-1], routes, exact) if steps else (root_start(routes),)
            opened = [self._block(steps, starts, seats) for seats in seats_of(starts)]
            tied = {
                starts[seat].key
                for block in opened
                for seat, is_tied_there in zip(block.seats, block.tied.tolist(), strict=True)
                if seat >= 0 and is_tied_there and starts[seat].reordered
            }
            if not tied:
                return starts, opened
            exact |= tied

    def _block(self, steps: Sequence[SharedStep], starts: Sequence[Start], seats: tuple[int, ...]) -> SharedBlock:
        beams = self._beams(steps[-1], starts, seats) if steps else self.root
        expansion = expand(beams.view, self.config.code_probabilities, self.config.selection)
        pool = best_candidates(expansion, beams, self.config)
        return SharedBlock(seats, beams, pool, is_tied(pool, expansion, beams, self.config))

    def _beams(self, before: SharedStep, starts: Sequence[Start], seats: tuple[int, ...]) -> Beams:
        """The beams in their rows; an idle row holds no path."""
        lines = torch.tensor([starts[seat].line if seat >= 0 else 0 for seat in seats])
        nothing = torch.full_like(starts[0].entries, -1)
        places = torch.stack([starts[seat].entries if seat >= 0 else nothing for seat in seats])  # (B, W)
        entries = places.clamp_min(0)
        column = before.outcome.column[lines].gather(1, entries).masked_fill(places < 0, 0)
        now = in_places([before.found], column)
        used = rows_of(before.used[lines], entries)
        log_prob = before.pool.log_prob[lines].gather(1, entries).masked_fill(places < 0, IMPOSSIBLE)
        view = BeamView(self.index, now.candidates, now.readings, used)
        return Beams(before.found.state, column, view, now.beliefs, log_prob)

    def _judge(
        self, number: int, starts: Sequence[Start], opened: Sequence[SharedBlock]
    ) -> tuple[list[Outcome], Evaluated]:
        """Ask the network about every candidate that any theta of the routes tries."""
        outcomes, parts, columns = [], list[Evaluated](), 0
        for block in opened:
            thetas = [starts[seat].theta if seat >= 0 else torch.inf for seat in block.seats]
            theta = torch.tensor(thetas, dtype=torch.float64)[:, None]
            if number < self.config.check_from:
                theta = torch.full_like(theta, torch.inf)
            verdicts = judge(self.model, self.index, block.beams, block.pool, self.excluded, number, theta, self.config)
            outcomes.append(outcome_of(verdicts, columns))
            parts += verdicts.evaluated
            columns += sum(part.beliefs.shape[1] for part in verdicts.evaluated)
        return outcomes, side_by_side(self.model, parts)

    def _rank(self, opened: Sequence[SharedBlock], n_starts: int) -> tuple[Tensor, Tensor, Tensor]:
        """Items, scores and leaves at the end of every beam of the last step."""
        ranked = []
        for block in opened:
            beam = accept_leaves(block.pool, self.config.beam_width).beam
            picks = beam.clamp_min(0)
            leaves = pick(self.index, block.beams, block.pool, picks, self.index.n_codebooks, self.excluded)
            ranked.append(rank_leaves(leaves, block.pool, beam, self.first_state, self.config.top_k))
        lines = lines_of(opened, n_starts)
        items, scores, leaf_entries = (torch.cat(column)[lines] for column in zip(*ranked, strict=True))
        return items, scores, leaf_entries

    def _piece(self, steps: Sequence[SharedStep], routes: Sequence[Routes], opened: Sequence[SharedBlock]) -> Piece:
        """The routes that arrived, each followed back to the root."""
        count, n_ends = len(routes[-1].low), len(steps[-1].starts)
        items, scores, leaf_entries = (column[routes[-1].start] for column in self._rank(opened, n_ends))
        records = records_of(steps, routes)
        block = BlockResult(
            root_beliefs=self.root.beliefs[:1, 0].expand(count, -1),
            steps=records,
            first_state=self.first_state[:1].expand(count, -1),
            item_evidence=self.evidence[:1].expand(count, -1),
            root_completion=self.root_completion[:1].expand(count, -1),
            items=items,
            scores=scores,
            leaf_entries=leaf_entries,
        )
        lists = item_lists(block, count, self.excluded[:1].expand(count, -1), self.config, self.neighbours)
        traces = BlockTraces.of(block, lists, self.index.n_items, self.config)
        nodes = 1 + sum((record.fate != UNSEEN).sum(1) for record in records)
        pruned = sum((record.fate == Fate.PRUNED).sum(1) for record in records)
        limits = zip(routes[-1].low.tolist(), routes[-1].high.tolist(), strict=True)
        counts = zip(nodes.tolist(), pruned.tolist(), strict=True)
        intervals = [
            ThetaInterval(*between, ranked.items, ranked.scores, *count, partial(traces.trace, line))
            for line, (between, ranked, count) in enumerate(zip(limits, lists, counts, strict=True))
        ]
        return Piece(tuple(intervals), sum(len(step.starts) for step in steps), n_ends)
