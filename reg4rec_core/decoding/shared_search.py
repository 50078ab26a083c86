"""The searches of the same histories under several thetas at once: what they have in common is done once.

A search depends on theta only through its comparisons js > theta. So at every step the histories' searches fall into
groups that hold the same beam, and a group splits only where a comparison turns out differently. Even different beams
share most of their paths: a path is expanded once, and a candidate that several groups try is put to the network once.

The network is called in the shapes of a search by itself, a block of histories by the columns of a first choice or of a
regeneration; only where in a call a candidate stands differs, and no answer depends on that. A candidate asked for in
calls of both shapes counts as two. Beams keep the order of their places, so equal scores fall as they would. So every
result is that of a search by itself, bit for bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

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
    beliefs_of,
    blocks,
    check_fit,
    in_places,
    leave,
    open_root,
    pool_of,
    rank_leaves,
    use_one_thread,
)
from reg4rec_core.decoding.code_probabilities import (
    IMPOSSIBLE,
    BeamView,
    Expansion,
    Readings,
    completions,
    expand,
    read_beams,
)
from reg4rec_core.decoding.constraints import Candidates, ItemIndex, rows_of, take
from reg4rec_core.decoding.pruning import Evaluated, Verdicts, prune_again, prune_from
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.search import Neighbours, SearchedItems, Truth, join_searched, summarise
from reg4rec_core.metrics import js_divergence


@dataclass(frozen=True)
class _Groups:
    """The different beams of a step, one a line."""

    user: Int[Tensor, "G"]
    """Row of the block."""
    column: Int[Tensor, "G W"]
    """Where the path in each place stands in the wide beam of all paths, -1 for none."""


@dataclass(frozen=True)
class _Expanded:
    """The next codes of all paths that are in a beam."""

    expansion: Expansion
    slot: Int[Tensor, "B V"]
    """Where each column of the wide beam stands in the expansion; nothing for columns that are in no beam."""


def apart_from_theta(config: DecodeConfig) -> DecodeConfig:
    """What the settings of searches must agree in to be searched together."""
    return replace(config, theta=torch.inf, thetas=(), check_from=1)


def search_items_under(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[np.ndarray, "B L"] | Int[Tensor, "B L"],
    configs: Sequence[DecodeConfig],
    *,
    seen: Sequence[Int[np.ndarray, "_"]] | None = None,
    neighbours: Neighbours | None = None,
    truth: Truth | None = None,
) -> list[SearchedItems]:
    """`search_items` under every setting; they may differ in theta, thetas and check_from alone."""
    shared = {apart_from_theta(config) for config in configs}
    if len(shared) != 1:
        raise ValueError(f"settings searched together may differ in theta and check_from alone, got {configs}")
    check_fit(model, index)
    use_one_thread()
    parts: list[list[SearchedItems]] = [[] for _ in configs]
    first = 0
    for real, block_histories, excluded in blocks(histories, seen, configs[0], index.n_items):
        found = search_block_under(model, index, block_histories, excluded, configs)
        users = slice(first, first + real)
        for part, block, config in zip(parts, found, configs, strict=True):
            part.append(summarise(block, index, excluded, config, users, neighbours=neighbours, truth=truth))
        first += real
    return [join_searched(part) for part in parts]


@torch.inference_mode()
def search_block_under(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[Tensor, "B L"],
    excluded: Bool[Tensor, "B N"],
    configs: Sequence[DecodeConfig],
) -> list[BlockResult]:
    """`search_block` under every setting. A lane is a history under a setting: lane i x B + b is b under setting i."""
    rows, last, config = len(histories), index.n_codebooks, configs[0]
    root, first_state = open_root(model, index, histories, excluded, config)
    wide, groups = root, _Groups(torch.arange(rows), torch.zeros(rows, 1, dtype=torch.int64))
    group_of = torch.arange(rows).repeat(len(configs))
    records: list[list[StepRecord]] = [[] for _ in configs]
    for step in range(1, last + 1):
        expanded = _expand(index, wide, groups, config)
        pool = _pool(wide, expanded, groups, config)
        if step < last:
            network = _Network(model, index, excluded, wide, expanded, groups, pool, step, config)
            verdicts = _judge(network, pool, group_of, _thetas(configs, step, rows), config)
            beliefs = torch.cat([part.beliefs for part in network.evaluated], 1)
        else:
            verdicts = _lines(accept_leaves(pool, config.beam_width), group_of)
            beliefs = wide.beliefs[:, :0]
        for number, record in enumerate(records):
            lanes = slice(number * rows, (number + 1) * rows)
            record.append(_record(_pool_at(pool, group_of[lanes]), _lines(verdicts, lanes), beliefs, record))
        if step < last:
            wide = network.wide_beam()
            groups, group_of = _regroup(verdicts, rows)
    ranked = _rank(index, wide, groups, pool, excluded, first_state, config)
    root_completion = completions(root.view, config.code_probabilities)[:, 0]
    shared = (first_state, model.item_evidence(root.state), root_completion)
    by_lane = [[column[lanes] for column in ranked] for lanes in group_of.split(rows)]
    return [
        BlockResult(root.beliefs[:, 0], tuple(record), *shared, *lists)
        for record, lists in zip(records, by_lane, strict=True)
    ]


def _expand(index: ItemIndex, wide: Beams, groups: _Groups, config: DecodeConfig) -> _Expanded:
    """Expand every path that is in a beam once, W of a history at a time."""
    kind, selection = config.code_probabilities, config.selection
    if wide.log_prob.shape[1] == 1:
        return _Expanded(expand(wide.view, kind, selection), torch.zeros_like(wide.column))
    in_beam = torch.zeros_like(wide.column, dtype=torch.bool)
    in_beam[groups.user[:, None], groups.column.clamp_min(0)] = True
    slot = in_beam.cumsum(1) - 1
    width = -(-int(in_beam.sum(1).max()) // config.beam_width) * config.beam_width
    chosen = torch.zeros(len(slot), width + 1, dtype=torch.int64)  # the spare last place takes what is in no beam
    chosen.scatter_(1, torch.where(in_beam, slot, width), torch.arange(slot.shape[1]).expand_as(slot))
    parts = [
        expand(_at(index, wide, columns), kind, selection) for columns in chosen[:, :-1].split(config.beam_width, 1)
    ]
    joined = (torch.cat([getattr(part, field.name) for part in parts], 1) for field in fields(Expansion))
    return _Expanded(Expansion(*joined), slot.clamp_min(0))


def _at(index: ItemIndex, wide: Beams, columns: Int[Tensor, "B W"]) -> BeamView:
    """Some columns of a wide beam."""
    candidates, readings = wide.view.candidates, wide.view.readings
    return BeamView(
        index,
        Candidates(rows_of(candidates.items, columns), rows_of(candidates.allowed, columns)),
        Readings(rows_of(readings.item_logits, columns), rows_of(readings.head_log_probs, columns)),
        rows_of(wide.view.used, columns),
    )


def _pool(wide: Beams, expanded: _Expanded, groups: _Groups, config: DecodeConfig) -> Pool:
    """The best candidates of every group."""
    expansion, user, column = expanded.expansion, groups.user[:, None], groups.column.clamp_min(0)
    places = expanded.slot[user, column] + user * expansion.log_prob.shape[1]
    log_prob = wide.log_prob[user, column].masked_fill(groups.column < 0, IMPOSSIBLE)
    gain = expansion.completion if config.look_ahead else expansion.log_prob
    keys = (log_prob[..., None] + take(gain.flatten(0, 1), places)).flatten(1)
    return pool_of(keys, log_prob, expansion, places, config)


def _pool_at(pool: Pool, lines: Int[Tensor, "X"]) -> Pool:
    return Pool(*(getattr(pool, field.name)[lines] for field in fields(Pool)))


def _lines(verdicts: Verdicts, lines: slice | Int[Tensor, "X"]) -> Verdicts:
    """Some lines of verdicts, which keep their columns."""
    columns = (verdicts.attempt, verdicts.js, verdicts.fate, verdicts.beam, verdicts.column)
    return Verdicts(*(column[lines] for column in columns), ())


def _thetas(configs: Sequence[DecodeConfig], step: int, rows: int) -> Float[Tensor, "lanes"]:
    """The threshold of every lane at a step; inf where it compares nothing."""
    thetas = [config.theta_at(step) if step >= config.check_from else torch.inf for config in configs]
    return torch.tensor(thetas, dtype=torch.float64).repeat_interleave(rows)


class _Network:
    """What the network says of candidates, each asked for once however many groups try it; a `Source` of one step."""

    def __init__(
        self,
        model: ReasoningModel,
        index: ItemIndex,
        excluded: Bool[Tensor, "B N"],
        wide: Beams,
        expanded: _Expanded,
        groups: _Groups,
        pool: Pool,
        step: int,
        config: DecodeConfig,
    ) -> None:
        self.model, self.index, self.excluded, self.step = model, index, excluded, step
        self.wide, self.expansion, self.slot, self.config = wide, expanded.expansion, expanded.slot, config
        rows, columns = wide.log_prob.shape
        self.user = groups.user[:, None]
        self.path = groups.column.clamp_min(0).gather(1, pool.parent)
        """Column of each entry's parent in the wide beam."""
        self.name = ((self.user * columns + self.path) * index.codebook_size + pool.code).numpy()
        self.known: dict[tuple[int, int], int] = {}
        """Column of every candidate that was asked for, by the size of the call and its name."""
        self.evaluated: list[Evaluated] = []
        nothing = torch.zeros(rows, 0, dtype=torch.int64)
        self.parent, self.codebook, self.code = nothing, nothing, nothing
        self.js = nothing.double()

    def look(self, picks: Int[Tensor, "G V"], active: Bool[Tensor, "G V"], at_once: int) -> tuple[Tensor, Tensor]:
        """Divergence and column of pool entries; those that are not active stand in column 0."""
        names = np.take_along_axis(self.name, picks.numpy(), 1)
        wanted, places = np.unique(names[active.numpy()], return_inverse=True)
        new = [name for name in wanted.tolist() if (at_once, name) not in self.known]
        if new or not self.evaluated:  # some column has to stand where nothing is tried
            self._ask(np.array(new or [0]), at_once)
        found = np.array([self.known[at_once, name] for name in wanted.tolist()], dtype=np.int64)
        columns = torch.zeros_like(picks)
        columns[active] = torch.from_numpy(found[places])
        return self.js[self.user, columns], columns

    def _ask(self, names: Int[np.ndarray, "X"], at_once: int) -> None:
        """Put candidates to the network, as many calls of `at_once` columns as the fullest row needs."""
        rows, first = len(self.parent), self.parent.shape[1]
        path, code = np.divmod(names, self.index.codebook_size)
        user, parent = np.divmod(path, self.wide.log_prob.shape[1])
        place = np.arange(len(names)) - np.searchsorted(user, user)  # names are sorted, so by user
        width = -(-int(place.max() + 1) // at_once) * at_once
        parents, codes = (torch.zeros(rows, width, dtype=torch.int64) for _ in range(2))
        parents[user, place], codes[user, place] = torch.from_numpy(parent), torch.from_numpy(code)
        for part in zip(parents.split(at_once, 1), codes.split(at_once, 1), strict=True):
            self._evaluate(*part)
        self.known |= {
            (at_once, name): first + column for name, column in zip(names.tolist(), place.tolist(), strict=True)
        }

    def _evaluate(self, parent: Int[Tensor, "B V"], code: Int[Tensor, "B V"]) -> None:
        """One call of the network."""
        codebook = self.expansion.codebook.gather(1, self.slot.gather(1, parent))
        state = self.model.step(self.wide.state, parent, codebook, code)
        items = None if self.step == 1 else rows_of(self.wide.view.candidates.items, parent)
        candidates = leave(self.index, items, codebook, code, self.step, self.excluded)
        readings = read_beams(self.model, state, candidates.items, self.config.code_probabilities)
        beliefs = beliefs_of(self.model, state)
        js = js_divergence(rows_of(self.wide.beliefs, parent), beliefs)
        self.evaluated.append(Evaluated(state, candidates, readings, beliefs))
        self.parent, self.codebook = torch.cat([self.parent, parent], 1), torch.cat([self.codebook, codebook], 1)
        self.code, self.js = torch.cat([self.code, code], 1), torch.cat([self.js, js], 1)

    def wide_beam(self) -> Beams:
        """Everything that was asked for, as one beam."""
        parts = self.evaluated
        column = torch.arange(self.parent.shape[1]).expand_as(self.parent)
        state = parts[0].state if len(parts) == 1 else self.model.join([part.state for part in parts])
        found = parts[0] if len(parts) == 1 else in_places(parts, column)
        used = rows_of(self.wide.view.used, self.parent).scatter(2, self.codebook[..., None], True)
        entry = self.slot.gather(1, self.parent) * self.index.codebook_size + self.code
        log_prob = self.wide.log_prob.gather(1, self.parent)
        log_prob = log_prob + self.expansion.log_prob.flatten(1).gather(1, entry).double()
        view = BeamView(self.index, found.candidates, found.readings, used)
        return Beams(state, column, view, found.beliefs, log_prob)


def _judge(
    network: _Network,
    pool: Pool,
    group_of: Int[Tensor, "lanes"],
    thetas: Float[Tensor, "lanes"],
    config: DecodeConfig,
) -> Verdicts:
    """Prune every lane. The smallest theta of a group asks the network for all that the others try."""
    settings = {"beam_width": config.beam_width, "max_regenerations": config.max_regenerations}
    smallest = torch.full((len(pool.valid),), torch.inf, dtype=torch.float64)
    smallest.scatter_reduce_(0, group_of, thetas, "amin")
    verdicts = _lines(prune_from(network, pool.valid, pool.log_prob, theta=smallest[:, None], **settings), group_of)
    if torch.equal(thetas, smallest[group_of]):
        return verdicts
    return prune_again(
        pool.valid[group_of], pool.log_prob[group_of], verdicts.js, verdicts.column, theta=thetas[:, None], **settings
    )


def _record(
    pool: Pool, verdicts: Verdicts, beliefs: Float[Tensor, "B V C"], before: Sequence[StepRecord]
) -> StepRecord:
    """What a trace needs of a step."""
    parent_entry = before[-1].beam.gather(1, pool.parent).clamp_min(0) if before else torch.zeros_like(pool.parent)
    found = (verdicts.attempt, verdicts.js, verdicts.fate, verdicts.beam, verdicts.column)
    return StepRecord(pool, parent_entry, *found, beliefs)


def _regroup(verdicts: Verdicts, rows: int) -> tuple[_Groups, Int[Tensor, "lanes"]]:
    """The different beams that the lanes now hold, and the group of each lane."""
    columns = verdicts.column.gather(1, verdicts.beam.clamp_min(0)).masked_fill(verdicts.beam < 0, -1)
    first: dict[tuple[int, bytes], int] = {}
    lanes = enumerate(columns.numpy())
    group_of = [first.setdefault((lane % rows, beam.tobytes()), len(first)) for lane, beam in lanes]
    opened = torch.from_numpy(np.unique(group_of, return_index=True)[1])  # the first lane of each
    return _Groups(opened % rows, columns[opened]), torch.tensor(group_of)


def _rank(
    index: ItemIndex,
    wide: Beams,
    groups: _Groups,
    pool: Pool,
    excluded: Bool[Tensor, "B N"],
    first_state: Float[Tensor, "B N"],
    config: DecodeConfig,
) -> tuple[Tensor, Tensor, Tensor]:
    """Items, scores and leaves at the end of every group, in blocks of the size of a search."""
    ranked = []
    for some in torch.arange(len(groups.user)).split(BLOCK_USERS):
        lines = torch.nn.functional.pad(some, (0, BLOCK_USERS - len(some)))
        user, part = groups.user[lines], _pool_at(pool, lines)
        beam = accept_leaves(part, config.beam_width).beam
        picks = beam.clamp_min(0)
        path = groups.column[lines].clamp_min(0).gather(1, part.parent.gather(1, picks))
        items = wide.view.candidates.items[user[:, None], path]
        codes = (part.codebook.gather(1, picks), part.code.gather(1, picks))
        leaves = leave(index, items, *codes, index.n_codebooks, excluded[user])
        ranked.append(rank_leaves(leaves, part, beam, first_state[user], config.top_k))
    return tuple(torch.cat(column)[: len(groups.user)] for column in zip(*ranked, strict=True))
