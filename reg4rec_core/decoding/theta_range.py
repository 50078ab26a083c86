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
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import (
    BLOCK_USERS,
    Beams,
    BlockResult,
    Pool,
    StepRecord,
    accept_leaves,
    best_candidates,
    blocks,
    check_fit,
    in_places,
    judge,
    keys_of,
    open_root,
    pick,
    rank_leaves,
    use_one_thread,
)
from reg4rec_core.decoding.code_probabilities import IMPOSSIBLE, BeamView, Expansion, Readings, completions, expand
from reg4rec_core.decoding.constraints import Candidates, ItemIndex, rows_of
from reg4rec_core.decoding.pruning import UNSEEN, Evaluated, Verdicts, prune_again
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.search import Neighbours, item_lists
from reg4rec_core.decoding.trace import BlockTraces
from reg4rec_core.types import Fate, ReasoningTrace

MOST_BEAMS = 48
"""Different beams that a step follows at once; a range that leads to more is searched piece by piece."""


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


@dataclass(frozen=True)
class _Outcome:
    """What became of a step's candidates, one beam or one route a line; as in `Verdicts`."""

    attempt: Int[Tensor, "X n"]
    js: Float[Tensor, "X n"]
    fate: Int[Tensor, "X n"]
    beam: Int[Tensor, "X W"]
    column: Int[Tensor, "X n"]
    """Along the V axis of what the whole step found."""


@dataclass(frozen=True)
class _Routes:
    """Searches that have gone the same way up to a step, one a line, ascending by theta without gaps."""

    low: Float[Tensor, "X"]
    high: Float[Tensor, "X"]
    before: Int[Tensor, "X"]
    """Line among the routes of the step before."""
    start: Int[Tensor, "X"]
    """Line of the beam that the step started from."""
    outcome: _Outcome


@dataclass(frozen=True)
class _Start:
    """A beam that a step starts from."""

    key: bytes
    """Its paths, in the order of their scores."""
    line: int
    """Of the beam that its entries come from, among those of the step before."""
    entries: Int[Tensor, "W"]
    """Pool entries of the step before in the places, -1 for none."""
    exact: bool
    """Whether they stand as in the searches, or by score."""
    rows: tuple[int, ...]
    """Rows of the block in which they were evaluated."""
    routes: list[int]
    """Lines of the routes that lead here."""
    theta: float
    """Their smallest."""
    reordered: bool
    """Whether a search on one of these routes has another order."""


@dataclass(frozen=True)
class _Block:
    """Beams side by side in the rows of the network's block, and their pools."""

    seats: tuple[int, ...]
    """The start in each row, -1 for an idle row."""
    beams: Beams
    pool: Pool
    tied: Bool[Tensor, "B"]
    """Whether the order of the places could have changed the pool."""


@dataclass(frozen=True)
class _Step:
    """What one step found: one line for each beam that it started from, under the smallest theta that leads there."""

    starts: tuple[_Start, ...]
    rows: tuple[tuple[int, ...], ...]
    """Rows of the block that held each beam."""
    pool: Pool
    used: Bool[Tensor, "X n M"]
    """Codebooks used up by each entry."""
    paths: Int[np.ndarray, "X n"]
    """A number for each entry's path: the same path has the same in every pool."""
    outcome: _Outcome
    found: Evaluated
    """Everything that the network was asked; a column holds in the rows of its beam. No column after the last step."""


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
        steps, routes = list[_Step](), [_whole(low, high)]
        last = self.index.n_codebooks
        for number in range(1, last + 1):
            starts, opened = self._open(steps, routes[-1])
            routes[-1] = _covered(routes[-1], starts)
            if number < last:
                outcomes, found = self._judge(number, starts, opened)
            else:
                outcomes, found = _leaves(opened, self.config.beam_width)
            step = _together(steps, starts, opened, outcomes, found)
            checked = self.config.check_from <= number < last
            routes.append(_branch(routes[-1], step, self.config) if checked else _carry_on(routes[-1], step))
            steps.append(step)
        return self._piece(steps, routes, opened)

    def _open(self, steps: Sequence[_Step], routes: _Routes) -> tuple[tuple[_Start, ...], list[_Block]]:
        """Expand every beam that the routes lead to.

        Where equal scores meet, the places decide: such a beam is opened again with the places of the searches.
        """
        exact: set[bytes] = set()
        while True:
            starts = _starts(steps[-1], routes, exact) if steps else (_root_start(routes),)
            opened = [self._block(steps, starts, seats) for seats in _seat(starts)]
            tied = {
                starts[seat].key
                for block in opened
                for seat, is_tied_there in zip(block.seats, block.tied.tolist(), strict=True)
                if seat >= 0 and is_tied_there and starts[seat].reordered
            }
            if not tied:
                return starts, opened
            exact |= tied

    def _block(self, steps: Sequence[_Step], starts: Sequence[_Start], seats: tuple[int, ...]) -> _Block:
        beams = self._beams(steps[-1], starts, seats) if steps else self.root
        expansion = expand(beams.view, self.config.code_probabilities, self.config.selection)
        pool = best_candidates(expansion, beams, self.config)
        return _Block(seats, beams, pool, _is_tied(pool, expansion, beams, self.config))

    def _beams(self, before: _Step, starts: Sequence[_Start], seats: tuple[int, ...]) -> Beams:
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
        self, number: int, starts: Sequence[_Start], opened: Sequence[_Block]
    ) -> tuple[list[_Outcome], Evaluated]:
        """Ask the network about every candidate that any theta of the routes tries."""
        outcomes, parts, columns = [], list[Evaluated](), 0
        for block in opened:
            thetas = [starts[seat].theta if seat >= 0 else torch.inf for seat in block.seats]
            theta = torch.tensor(thetas, dtype=torch.float64)[:, None]
            if number < self.config.check_from:
                theta = torch.full_like(theta, torch.inf)
            verdicts = judge(self.model, self.index, block.beams, block.pool, self.excluded, number, theta, self.config)
            outcomes.append(_outcome(verdicts, columns))
            parts += verdicts.evaluated
            columns += sum(part.beliefs.shape[1] for part in verdicts.evaluated)
        return outcomes, _side_by_side(self.model, parts)

    def _rank(self, opened: Sequence[_Block], n_starts: int) -> tuple[Tensor, Tensor, Tensor]:
        """Items, scores and leaves at the end of every beam of the last step."""
        ranked = []
        for block in opened:
            beam = accept_leaves(block.pool, self.config.beam_width).beam
            picks = beam.clamp_min(0)
            leaves = pick(self.index, block.beams, block.pool, picks, self.index.n_codebooks, self.excluded)
            ranked.append(rank_leaves(leaves, block.pool, beam, self.first_state, self.config.top_k))
        lines = _lines(opened, n_starts)
        items, scores, leaf_entries = (torch.cat(column)[lines] for column in zip(*ranked, strict=True))
        return items, scores, leaf_entries

    def _piece(self, steps: Sequence[_Step], routes: Sequence[_Routes], opened: Sequence[_Block]) -> Piece:
        """The routes that arrived, each followed back to the root."""
        count, n_ends = len(routes[-1].low), len(steps[-1].starts)
        items, scores, leaf_entries = (column[routes[-1].start] for column in self._rank(opened, n_ends))
        records = _records(steps, routes)
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


def _whole(low: float, high: float) -> _Routes:
    """The one route at the root."""
    nothing = torch.zeros(1, 0, dtype=torch.int64)
    outcome = _Outcome(nothing, nothing.double(), nothing, nothing, nothing)
    limits = [torch.tensor([limit], dtype=torch.float64) for limit in (low, high)]
    line = torch.zeros(1, dtype=torch.int64)
    return _Routes(*limits, line, line, outcome)


def _root_start(routes: _Routes) -> _Start:
    """The root as the only beam: it stands in all rows."""
    entries, rows = torch.zeros(1, dtype=torch.int64), tuple(range(BLOCK_USERS))
    return _Start(b"", 0, entries, False, rows, [0], float(routes.low[0]), False)


def _starts(before: _Step, routes: _Routes, exact: set[bytes]) -> tuple[_Start, ...]:
    """The different beams that routes lead to, MOST_BEAMS at most, by their smallest theta."""
    beam = routes.outcome.beam
    by_score = _by_score(beam)
    paths = np.concatenate([before.paths, np.full((len(before.paths), 1), -1)], 1)  # entry -1 has path -1
    lines = routes.start.numpy()
    keys, own = (paths[lines[:, None], places.numpy()] for places in (by_score, beam))
    starts: dict[tuple[bytes, bytes], _Start] = {}
    for route, (key, order) in enumerate(zip(keys, own, strict=True)):
        is_exact, reordered = key.tobytes() in exact, not np.array_equal(key, order)
        name = (key.tobytes(), order.tobytes() if is_exact else b"")
        if name not in starts:
            if len(starts) == MOST_BEAMS:
                break
            line, entries = int(lines[route]), (beam if is_exact else by_score)[route]
            theta, rows = float(routes.low[route]), before.rows[line]
            starts[name] = _Start(key.tobytes(), line, entries, is_exact, rows, [], theta, False)
        start = starts[name]
        starts[name] = replace(
            start, routes=[*start.routes, route], reordered=start.reordered or (reordered and not is_exact)
        )
    return tuple(starts.values())


def _seat(starts: Sequence[_Start]) -> list[tuple[int, ...]]:
    """Rows for all beams, block by block; a single one fills all its rows, so that what follows may stand anywhere."""
    if len(starts) == 1:
        return [tuple(0 if row in starts[0].rows else -1 for row in range(BLOCK_USERS))]
    queues: list[list[int]] = [[] for _ in range(BLOCK_USERS)]
    for number, start in enumerate(starts):
        min((queues[row] for row in start.rows), key=len).append(number)
    depth = max(map(len, queues))
    return [tuple(queue[block] if block < len(queue) else -1 for queue in queues) for block in range(depth)]


def _covered(routes: _Routes, starts: Sequence[_Start]) -> _Routes:
    """The routes that the beams go on with: all up to some theta."""
    kept = slice(1 + max(start.routes[-1] for start in starts))
    return _Routes(
        routes.low[kept], routes.high[kept], routes.before[kept], routes.start[kept], _at(routes.outcome, kept)
    )


def _at(outcome: _Outcome, lines: slice | Int[Tensor, "Y"]) -> _Outcome:
    return _Outcome(*(getattr(outcome, field.name)[lines] for field in fields(_Outcome)))


def _outcome(verdicts: Verdicts, first_column: int) -> _Outcome:
    column = torch.where(verdicts.column < 0, -1, verdicts.column + first_column)
    return _Outcome(verdicts.attempt, verdicts.js, verdicts.fate, verdicts.beam, column)


def _is_tied(pool: Pool, expansion: Expansion, beams: Beams, config: DecodeConfig) -> Bool[Tensor, "B"]:
    """Whether equal scores meet in a pool or at its end: which comes first then hangs on the order of the places."""
    keys = keys_of(expansion, beams, config)
    falling = (pool.score[:, 1:] < pool.score[:, :-1]) | ~pool.valid[:, 1:]
    worst = pool.score.masked_fill(~pool.valid, torch.inf).amin(1, keepdim=True)
    return ~falling.all(1) | ((keys >= worst).sum(1) > pool.valid.sum(1))


def _side_by_side(model: ReasoningModel, parts: Sequence[Evaluated]) -> Evaluated:
    """All that was evaluated in one step, along the V axis."""

    def joined(tensors: Iterator[Tensor]) -> Tensor:
        return torch.cat(list(tensors), 1)

    candidates, readings = [part.candidates for part in parts], [part.readings for part in parts]
    return Evaluated(
        parts[0].state if len(parts) == 1 else model.join([part.state for part in parts]),
        Candidates(joined(part.items for part in candidates), joined(part.allowed for part in candidates)),
        Readings(joined(part.item_logits for part in readings), joined(part.head_log_probs for part in readings)),
        joined(part.beliefs for part in parts),
    )


def _leaves(opened: Sequence[_Block], beam_width: int) -> tuple[list[_Outcome], Evaluated]:
    """The last step asks the network nothing."""
    beams = opened[0].beams
    nothing = Evaluated(beams.state, beams.view.candidates, beams.view.readings, beams.beliefs[:, :0])
    return [_outcome(accept_leaves(block.pool, beam_width), 0) for block in opened], nothing


def _lines(opened: Sequence[_Block], n_starts: int) -> Int[Tensor, "X"]:
    """Where each start stands when the rows of all blocks are counted through."""
    seats = [seat for block in opened for seat in block.seats]
    return torch.tensor([seats.index(start) for start in range(n_starts)])


def _together(
    steps: Sequence[_Step],
    starts: tuple[_Start, ...],
    opened: Sequence[_Block],
    outcomes: Sequence[_Outcome],
    found: Evaluated,
) -> _Step:
    """The blocks of one step as lines."""
    lines = _lines(opened, len(starts))

    def taken(tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(tensors))[lines]

    pool = Pool(*(taken([getattr(block.pool, field.name) for block in opened]) for field in fields(Pool)))
    outcome = _Outcome(*(taken([getattr(one, field.name) for one in outcomes]) for field in fields(_Outcome)))
    used = taken([rows_of(block.beams.view.used, block.pool.parent) for block in opened])
    used = used.scatter(2, pool.codebook[..., None], True)
    rows = tuple(
        tuple(row for block in opened for row, seat in enumerate(block.seats) if seat == start)
        for start in range(len(starts))
    )
    return _Step(starts, rows, pool, used, _paths(steps, starts, pool, outcome.beam.shape[1]), outcome, found)


def _paths(steps: Sequence[_Step], starts: Sequence[_Start], pool: Pool, beam_width: int) -> Int[np.ndarray, "X n"]:
    """Number the paths of all entries: equal where parent, codebook and code are, and the shape they are evaluated in.

    The network sees first choices and regenerated candidates in calls of different sizes, which may round differently.
    """
    parents = np.zeros((1, 1), np.int64)
    if steps:
        parents = np.stack([steps[-1].paths[start.line][start.entries.clamp_min(0).numpy()] for start in starts])
    parent = np.take_along_axis(parents, pool.parent.numpy(), 1)
    first_choice = np.broadcast_to(np.arange(parent.shape[1]) < beam_width, parent.shape)
    columns = np.stack([parent, pool.codebook.numpy(), pool.code.numpy(), first_choice], -1)
    return np.unique(columns.reshape(-1, 4), axis=0, return_inverse=True)[1].reshape(parent.shape)


def _start_of(routes: _Routes, step: _Step) -> Int[Tensor, "X"]:
    start_of = torch.zeros(len(routes.low), dtype=torch.int64)
    for line, start in enumerate(step.starts):
        start_of[start.routes] = line
    return start_of


def _carry_on(routes: _Routes, step: _Step) -> _Routes:
    """One outcome for every route: the step compares nothing."""
    start = _start_of(routes, step)
    return _Routes(routes.low, routes.high, torch.arange(len(start)), start, _at(step.outcome, start))


def _branch(routes: _Routes, step: _Step, config: DecodeConfig) -> _Routes:
    """Every outcome that the thetas of each route give: it can change only at a divergence that was compared."""
    start_of, js = _start_of(routes, step), step.outcome.js.numpy()
    thetas, before = list[float](), list[int]()
    for route, (low, high) in enumerate(zip(routes.low.tolist(), routes.high.tolist(), strict=True)):
        found = js[start_of[route]]
        found = [low, *np.unique(found[(found > low) & (found < high)]).tolist()]
        thetas += found
        before += [route] * len(found)
    theta, came_from = torch.tensor(thetas, dtype=torch.float64), torch.tensor(before)
    start = start_of[came_from]
    verdicts = prune_again(
        step.pool.valid[start],
        step.pool.log_prob[start],
        step.outcome.js[start],
        step.outcome.column[start],
        beam_width=config.beam_width,
        theta=theta[:, None],
        max_regenerations=config.max_regenerations,
    )
    outcome = _outcome(verdicts, 0)
    differs = (came_from[1:] != came_from[:-1]) | (outcome.fate[1:] != outcome.fate[:-1]).any(1)
    lines = torch.cat([torch.zeros(1, dtype=torch.int64), 1 + differs.nonzero()[:, 0]])
    low = theta[lines]
    return _Routes(low, torch.cat([low[1:], routes.high[-1:]]), came_from[lines], start[lines], _at(outcome, lines))


def _records(steps: Sequence[_Step], routes: Sequence[_Routes]) -> tuple[StepRecord, ...]:
    """Each arrived route's own steps; `routes` begins at the root."""
    line = torch.arange(len(routes[-1].low))
    records = []
    for step, here, before in zip(reversed(steps), routes[:0:-1], routes[-2::-1], strict=True):
        start, outcome = here.start[line], _at(here.outcome, line)
        line = here.before[line]
        pool = Pool(*(getattr(step.pool, field.name)[start] for field in fields(Pool)))
        row = torch.tensor([rows[0] for rows in step.rows])[start, None]
        beliefs = step.found.beliefs
        column = torch.where(outcome.column < 0, -1, outcome.column + row * beliefs.shape[1])
        parent_entry = torch.zeros_like(pool.parent)
        if step is not steps[0]:
            parent_entry = _places(step, start, before.outcome.beam[line]).gather(1, pool.parent).clamp_min(0)
        all_beliefs = beliefs.flatten(0, 1)[None].expand(len(line), -1, -1)
        parts = (outcome.attempt, outcome.js, outcome.fate, outcome.beam)
        records.append(StepRecord(pool, parent_entry, *parts, column, all_beliefs))
    return tuple(reversed(records))


def _places(step: _Step, start: Int[Tensor, "X"], beam: Int[Tensor, "X W"]) -> Int[Tensor, "X W"]:
    """Entries of the step before, as the places of each route's beam were counted when this step began."""
    exact = torch.tensor([one.exact for one in step.starts])[start, None]
    return torch.where(exact, beam, _by_score(beam))


def _by_score(beam: Int[Tensor, "X W"]) -> Int[Tensor, "X W"]:
    """The entries of a beam best first; places without a path stay last."""
    last = torch.iinfo(beam.dtype).max
    ordered = torch.where(beam < 0, last, beam).sort(1).values
    return ordered.masked_fill(ordered == last, -1)
