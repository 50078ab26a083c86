"""Different beams of one history side by side in the blocks of the network, and one line a beam of what came out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import BLOCK_USERS, Beams, Pool, accept_leaves, keys_of
from reg4rec_core.decoding.code_probabilities import Expansion, Readings
from reg4rec_core.decoding.constraints import Candidates, rows_of
from reg4rec_core.decoding.pruning import Evaluated
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.theta_routes import Outcome, SharedStep, Start, outcome_of


@dataclass(frozen=True)
class SharedBlock:
    """Beams side by side in the rows of the network's block, and their pools."""

    seats: tuple[int, ...]
    """The start in each row, -1 for an idle row."""
    beams: Beams
    pool: Pool
    tied: Bool[Tensor, "B"]
    """Whether the order of the places could have changed the pool."""


def seats_of(starts: Sequence[Start]) -> list[tuple[int, ...]]:
    """Rows for all beams, block by block; a single one fills all its rows, so that what follows may stand anywhere."""
    if len(starts) == 1:
        return [tuple(0 if row in starts[0].rows else -1 for row in range(BLOCK_USERS))]
    queues: list[list[int]] = [[] for _ in range(BLOCK_USERS)]
    for number, start in enumerate(starts):
        min((queues[row] for row in start.rows), key=len).append(number)
    depth = max(map(len, queues))
    return [tuple(queue[block] if block < len(queue) else -1 for queue in queues) for block in range(depth)]


def is_tied(pool: Pool, expansion: Expansion, beams: Beams, config: DecodeConfig) -> Bool[Tensor, "B"]:
    """Whether equal scores meet in a pool or at its end: which comes first then hangs on the order of the places."""
    keys = keys_of(expansion, beams, config)
    falling = (pool.score[:, 1:] < pool.score[:, :-1]) | ~pool.valid[:, 1:]
    worst = pool.score.masked_fill(~pool.valid, torch.inf).amin(1, keepdim=True)
    return ~falling.all(1) | ((keys >= worst).sum(1) > pool.valid.sum(1))


def side_by_side(model: ReasoningModel, parts: Sequence[Evaluated]) -> Evaluated:
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


def last_outcomes(opened: Sequence[SharedBlock], beam_width: int) -> tuple[list[Outcome], Evaluated]:
    """The last step asks the network nothing."""
    beams = opened[0].beams
    nothing = Evaluated(beams.state, beams.view.candidates, beams.view.readings, beams.beliefs[:, :0])
    return [outcome_of(accept_leaves(block.pool, beam_width), 0) for block in opened], nothing


def lines_of(opened: Sequence[SharedBlock], n_starts: int) -> Int[Tensor, "X"]:
    """Where each start stands when the rows of all blocks are counted through."""
    seats = [seat for block in opened for seat in block.seats]
    return torch.tensor([seats.index(start) for start in range(n_starts)])


def as_lines(
    steps: Sequence[SharedStep],
    starts: tuple[Start, ...],
    opened: Sequence[SharedBlock],
    outcomes: Sequence[Outcome],
    found: Evaluated,
) -> SharedStep:
    """The blocks of one step as lines."""
    lines = lines_of(opened, len(starts))

    def taken(tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(tensors))[lines]

    pool = Pool(*(taken([getattr(block.pool, field.name) for block in opened]) for field in fields(Pool)))
    outcome = Outcome(*(taken([getattr(one, field.name) for one in outcomes]) for field in fields(Outcome)))
    used = taken([rows_of(block.beams.view.used, block.pool.parent) for block in opened])
    used = used.scatter(2, pool.codebook[..., None], True)
    rows = tuple(
        tuple(row for block in opened for row, seat in enumerate(block.seats) if seat == start)
        for start in range(len(starts))
    )
    return SharedStep(
        starts, rows, pool, used, numbered_paths(steps, starts, pool, outcome.beam.shape[1]), outcome, found
    )


def numbered_paths(
    steps: Sequence[SharedStep], starts: Sequence[Start], pool: Pool, beam_width: int
) -> Int[np.ndarray, "X n"]:
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
