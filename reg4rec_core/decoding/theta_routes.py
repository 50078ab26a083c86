"""Searches of a range of thetas that have gone the same way: where each leads, and how they part at a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import BLOCK_USERS, Pool, StepRecord
from reg4rec_core.decoding.pruning import Evaluated, Verdicts, prune_again

MOST_BEAMS = 48
"""Different beams that a step follows at once; a range that leads to more is searched piece by piece."""


@dataclass(frozen=True)
class Outcome:
    """What became of a step's candidates, one beam or one route a line; as in `Verdicts`."""

    attempt: Int[Tensor, "X n"]
    js: Float[Tensor, "X n"]
    fate: Int[Tensor, "X n"]
    beam: Int[Tensor, "X W"]
    column: Int[Tensor, "X n"]
    """Along the V axis of what the whole step found."""


@dataclass(frozen=True)
class Routes:
    """Searches that have gone the same way up to a step, one a line, ascending by theta without gaps."""

    low: Float[Tensor, "X"]
    high: Float[Tensor, "X"]
    before: Int[Tensor, "X"]
    """Line among the routes of the step before."""
    start: Int[Tensor, "X"]
    """Line of the beam that the step started from."""
    outcome: Outcome


@dataclass(frozen=True)
class Start:
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
class SharedStep:
    """What one step found: one line for each beam that it started from, under the smallest theta that leads there."""

    starts: tuple[Start, ...]
    rows: tuple[tuple[int, ...], ...]
    """Rows of the block that held each beam."""
    pool: Pool
    used: Bool[Tensor, "X n M"]
    """Codebooks used up by each entry."""
    paths: Int[np.ndarray, "X n"]
    """A number for each entry's path: the same path has the same in every pool."""
    outcome: Outcome
    found: Evaluated
    """Everything that the network was asked; a column holds in the rows of its beam. No column after the last step."""


def whole_range(low: float, high: float) -> Routes:
    """The one route at the root."""
    nothing = torch.zeros(1, 0, dtype=torch.int64)
    outcome = Outcome(nothing, nothing.double(), nothing, nothing, nothing)
    limits = [torch.tensor([limit], dtype=torch.float64) for limit in (low, high)]
    line = torch.zeros(1, dtype=torch.int64)
    return Routes(*limits, line, line, outcome)


def root_start(routes: Routes) -> Start:
    """The root as the only beam: it stands in all rows."""
    entries, rows = torch.zeros(1, dtype=torch.int64), tuple(range(BLOCK_USERS))
    return Start(b"", 0, entries, False, rows, [0], float(routes.low[0]), False)


def different_starts(before: SharedStep, routes: Routes, exact: set[bytes]) -> tuple[Start, ...]:
    """The different beams that routes lead to, MOST_BEAMS at most, by their smallest theta."""
    beam = routes.outcome.beam
    by_score = by_score_of(beam)
    paths = np.concatenate([before.paths, np.full((len(before.paths), 1), -1)], 1)  # entry -1 has path -1
    lines = routes.start.numpy()
    keys, own = (paths[lines[:, None], places.numpy()] for places in (by_score, beam))
    starts: dict[tuple[bytes, bytes], Start] = {}
    for route, (key, order) in enumerate(zip(keys, own, strict=True)):
        is_exact, reordered = key.tobytes() in exact, not np.array_equal(key, order)
        name = (key.tobytes(), order.tobytes() if is_exact else b"")
        if name not in starts:
            if len(starts) == MOST_BEAMS:
                break
            line, entries = int(lines[route]), (beam if is_exact else by_score)[route]
            theta, rows = float(routes.low[route]), before.rows[line]
            starts[name] = Start(key.tobytes(), line, entries, is_exact, rows, [], theta, False)
        start = starts[name]
        starts[name] = replace(
            start, routes=[*start.routes, route], reordered=start.reordered or (reordered and not is_exact)
        )
    return tuple(starts.values())


def covered_routes(routes: Routes, starts: Sequence[Start]) -> Routes:
    """The routes that the beams go on with: all up to some theta."""
    kept = slice(1 + max(start.routes[-1] for start in starts))
    return Routes(
        routes.low[kept], routes.high[kept], routes.before[kept], routes.start[kept], outcome_at(routes.outcome, kept)
    )


def outcome_at(outcome: Outcome, lines: slice | Int[Tensor, "Y"]) -> Outcome:
    return Outcome(*(getattr(outcome, field.name)[lines] for field in fields(Outcome)))


def outcome_of(verdicts: Verdicts, first_column: int) -> Outcome:
    column = torch.where(verdicts.column < 0, -1, verdicts.column + first_column)
    return Outcome(verdicts.attempt, verdicts.js, verdicts.fate, verdicts.beam, column)


def start_of_routes(routes: Routes, step: SharedStep) -> Int[Tensor, "X"]:
    start_of = torch.zeros(len(routes.low), dtype=torch.int64)
    for line, start in enumerate(step.starts):
        start_of[start.routes] = line
    return start_of


def carried_on(routes: Routes, step: SharedStep) -> Routes:
    """One outcome for every route: the step compares nothing."""
    start = start_of_routes(routes, step)
    return Routes(routes.low, routes.high, torch.arange(len(start)), start, outcome_at(step.outcome, start))


def branched(routes: Routes, step: SharedStep, config: DecodeConfig) -> Routes:
    """Every outcome that the thetas of each route give: it can change only at a divergence that was compared."""
    start_of, js = start_of_routes(routes, step), step.outcome.js.numpy()
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
    outcome = outcome_of(verdicts, 0)
    differs = (came_from[1:] != came_from[:-1]) | (outcome.fate[1:] != outcome.fate[:-1]).any(1)
    lines = torch.cat([torch.zeros(1, dtype=torch.int64), 1 + differs.nonzero()[:, 0]])
    low = theta[lines]
    return Routes(
        low, torch.cat([low[1:], routes.high[-1:]]), came_from[lines], start[lines], outcome_at(outcome, lines)
    )


def records_of(steps: Sequence[SharedStep], routes: Sequence[Routes]) -> tuple[StepRecord, ...]:
    """Each arrived route's own steps; `routes` begins at the root."""
    line = torch.arange(len(routes[-1].low))
    records = []
    for step, here, before in zip(reversed(steps), routes[:0:-1], routes[-2::-1], strict=True):
        start, outcome = here.start[line], outcome_at(here.outcome, line)
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


def _places(step: SharedStep, start: Int[Tensor, "X"], beam: Int[Tensor, "X W"]) -> Int[Tensor, "X W"]:
    """Entries of the step before, as the places of each route's beam were counted when this step began."""
    exact = torch.tensor([one.exact for one in step.starts])[start, None]
    return torch.where(exact, beam, by_score_of(beam))


def by_score_of(beam: Int[Tensor, "X W"]) -> Int[Tensor, "X W"]:
    """The entries of a beam best first; places without a path stay last."""
    last = torch.iinfo(beam.dtype).max
    ordered = torch.where(beam < 0, last, beam).sort(1).values
    return ordered.masked_fill(ordered == last, -1)
