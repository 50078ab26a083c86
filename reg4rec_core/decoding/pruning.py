"""CORP, consistency-oriented reasoning pruning (REG4Rec VI-B): cut a path whose belief jumps, and try the next best.

The candidates of a step stand in one pool per history, best first. The first W fill the beam's places. A candidate
whose belief lies more than theta from its parent's loses its place to the best untried candidate over all beams of the
history (the roll-back), for so many rounds a step. Places still empty then go back to the pruned candidates, smallest
divergence first, so that the beam never shrinks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.decoding.code_probabilities import Readings
from reg4rec_core.decoding.constraints import Candidates, rows_of
from reg4rec_core.decoding.reasoning_model import State
from reg4rec_core.metrics import js_divergence
from reg4rec_core.types import Fate

UNSEEN = -1
"""Fate of a pool entry that the search never looked at, and of places that hold no candidate."""


def regeneration_width(beam_width: int) -> int:
    """Candidates evaluated together when pruned places are refilled: fixed, as shapes must not depend on the data."""
    return max(4, beam_width // 3)


@dataclass(frozen=True)
class Evaluated:
    """What the network says of V candidates."""

    state: State
    candidates: Candidates
    readings: Readings
    beliefs: Float[Tensor, "B V C"]
    """Over categories, float64."""


@dataclass(frozen=True)
class Verdicts:
    """What became of every pool entry of one step, and who holds the places."""

    attempt: Int[Tensor, "B n"]
    js: Float[Tensor, "B n"]
    """NaN where no belief was computed."""
    fate: Int[Tensor, "B n"]
    """A `Fate` or UNSEEN."""
    beam: Int[Tensor, "B W"]
    """Pool entry in each place, -1 where candidates ran out."""
    column: Int[Tensor, "B n"]
    """Where an evaluated entry stands among all evaluated candidates, -1 for the others."""
    evaluated: tuple[Evaluated, ...]
    """In the order of the columns."""


@runtime_checkable
class Source(Protocol):
    """Where divergences come from."""

    evaluated: Sequence[Evaluated]
    """What the columns stand for, in their order."""

    def look(self, picks: Int[Tensor, "B V"], active: Bool[Tensor, "B V"], at_once: int) -> tuple[Tensor, Tensor]:
        """Divergence and column of pool entries; the network is asked for `at_once` columns at a time.

        What comes out for entries that are not active is never read.
        """


class _Network:
    """What the network says of candidates that it is asked about, kept in columns."""

    def __init__(
        self,
        parent: Int[Tensor, "B n"],
        parent_beliefs: Float[Tensor, "B W C"],
        evaluate: Callable[[Int[Tensor, "B V"]], Evaluated],
    ) -> None:
        self.parent, self.parent_beliefs, self.evaluate = parent, parent_beliefs, evaluate
        self.evaluated: list[Evaluated] = []
        self.columns_used = 0

    def look(self, picks: Int[Tensor, "B V"], active: Bool[Tensor, "B V"], at_once: int) -> tuple[Tensor, Tensor]:
        """Ask for all of them, active or not: a row's idle columns fill the block up."""
        found = []
        for part in picks.split(at_once, 1):
            evaluated = self.evaluate(part)
            self.evaluated.append(evaluated)
            found.append(js_divergence(rows_of(self.parent_beliefs, self.parent.gather(1, part)), evaluated.beliefs))
        columns = torch.arange(self.columns_used, self.columns_used + picks.shape[1])
        self.columns_used += picks.shape[1]
        return torch.cat(found, 1), columns.expand_as(picks)


class _Memory:
    """The same from verdicts that have been reached before."""

    def __init__(self, js: Float[Tensor, "B n"], column: Int[Tensor, "B n"]) -> None:
        self.js, self.column = js, column
        self.evaluated: list[Evaluated] = []

    def look(self, picks: Int[Tensor, "B V"], active: Bool[Tensor, "B V"], at_once: int) -> tuple[Tensor, Tensor]:
        """What was written down."""
        return self.js.gather(1, picks), self.column.gather(1, picks)


class _Ledger:
    """The columns of one step while candidates are being tried."""

    def __init__(self, shape: torch.Size, source: Source) -> None:
        rows, n = shape
        self.source = source
        # the spare last entry takes what is written for idle columns
        self.attempt = torch.zeros(rows, n + 1, dtype=torch.int64)
        self.column = torch.full((rows, n + 1), -1)
        self.js = torch.full((rows, n + 1), torch.nan, dtype=torch.float64)

    def try_entries(
        self, picks: Int[Tensor, "B V"], active: Bool[Tensor, "B V"], attempt: int, *, at_once: int
    ) -> None:
        """Look pool entries up and write down what came out for those that are active."""
        js, columns = self.source.look(picks, active, at_once)
        target = torch.where(active, picks, self.js.shape[1] - 1)
        self.attempt.scatter_(1, target, attempt)
        self.column.scatter_(1, target, columns)
        self.js.scatter_(1, target, js)


def prune_and_regenerate(
    valid: Bool[Tensor, "B n"],
    log_prob: Float[Tensor, "B n"],
    parent: Int[Tensor, "B n"],
    parent_beliefs: Float[Tensor, "B W C"],
    evaluate: Callable[[Int[Tensor, "B V"]], Evaluated],
    *,
    beam_width: int,
    theta: float | Float[Tensor, "B 1"],
    max_regenerations: int,
) -> Verdicts:
    """Fill the places of one step from a pool sorted best first; theta = inf checks nothing.

    `parent` is the place of each entry's parent in the beam before, whose beliefs are `parent_beliefs`. `evaluate` asks
    the network about pool entries; it is called with fixed numbers of columns only.
    """
    network = _Network(parent, parent_beliefs, evaluate)
    return prune_from(network, valid, log_prob, beam_width=beam_width, theta=theta, max_regenerations=max_regenerations)


def prune_from(
    source: Source,
    valid: Bool[Tensor, "B n"],
    log_prob: Float[Tensor, "B n"],
    *,
    beam_width: int,
    theta: float | Float[Tensor, "B 1"],
    max_regenerations: int,
) -> Verdicts:
    """The same with divergences from any source.

    The first W candidates fill the places, and round by round the next ones those that theta empties.
    """
    ledger = _Ledger(valid.shape, source)
    places = torch.arange(beam_width).expand(len(valid), -1)
    filled = valid[:, :beam_width]
    ledger.try_entries(places, filled, 0, at_once=beam_width)
    empty = filled & (ledger.js[:, :beam_width] > theta)
    beam = torch.where(filled & ~empty, places, -1)
    available = valid.sum(1)
    tried = available.clamp_max(beam_width)
    width = regeneration_width(beam_width)
    for attempt in range(1, max_regenerations + 1):
        takes = torch.minimum(empty.sum(1), available - tried)
        if not bool(takes.any()):
            break
        offset = torch.arange(-(-int(takes.max()) // width) * width)
        active = offset < takes[:, None]
        ledger.try_entries(torch.where(active, tried[:, None] + offset, 0), active, attempt, at_once=width)
        rank = empty.cumsum(1) - 1
        candidate = torch.where(empty & (rank < takes[:, None]), tried[:, None] + rank, -1)
        consistent = (candidate >= 0) & ~(ledger.js.gather(1, candidate.clamp_min(0)) > theta)
        beam = torch.where(consistent, candidate, beam)
        empty = empty & ~consistent
        tried = tried + takes
    return _settle(ledger, beam, empty, tried, valid, log_prob)


def prune_again(
    valid: Bool[Tensor, "B n"],
    log_prob: Float[Tensor, "B n"],
    js: Float[Tensor, "B n"],
    column: Int[Tensor, "B n"],
    *,
    beam_width: int,
    theta: Float[Tensor, "B 1"],
    max_regenerations: int,
) -> Verdicts:
    """The verdicts of larger thetas from what was written down under a smaller one, without the network.

    A larger theta prunes no more, so every candidate that it tries was tried before.
    """
    memory = _Memory(js, column)
    return prune_from(memory, valid, log_prob, beam_width=beam_width, theta=theta, max_regenerations=max_regenerations)


def _settle(
    ledger: _Ledger,
    beam: Int[Tensor, "B W"],
    empty: Bool[Tensor, "B W"],
    tried: Int[Tensor, "B"],
    valid: Bool[Tensor, "B n"],
    log_prob: Float[Tensor, "B n"],
) -> Verdicts:
    """Give the places that are still empty to the least inconsistent candidates, and name every entry's fate."""
    rows, n = valid.shape
    entries = torch.arange(n).expand(rows, -1)
    fate = torch.where(valid & (entries < tried[:, None] + beam.shape[1]), int(Fate.BEAM_CUT), UNSEEN)
    fate = torch.where(entries < tried[:, None], int(Fate.PRUNED), fate)
    fate = _write(fate, beam, Fate.KEPT)
    if bool(empty.any()):
        js = ledger.js[:, :n].masked_fill(fate != Fate.PRUNED, torch.inf)
        by_log_prob = log_prob.argsort(dim=1, descending=True, stable=True)
        order = by_log_prob.gather(1, js.gather(1, by_log_prob).argsort(dim=1, stable=True))
        refill = torch.where(empty, order.gather(1, (empty.cumsum(1) - 1).clamp_min(0)), -1)
        fate = _write(fate, refill, Fate.FALLBACK)
        beam = torch.where(empty, refill, beam)
    return Verdicts(
        attempt=ledger.attempt[:, :n],
        js=ledger.js[:, :n],
        fate=fate,
        beam=beam,
        column=ledger.column[:, :n],
        evaluated=tuple(ledger.source.evaluated),
    )


def _write(fate: Int[Tensor, "B n"], entries: Int[Tensor, "B W"], value: Fate) -> Int[Tensor, "B n"]:
    """Set the fate of pool entries, -1 meaning none."""
    padded = torch.nn.functional.pad(fate, (0, 1))
    return padded.scatter(1, torch.where(entries < 0, fate.shape[1], entries), int(value))[:, :-1]
