"""Beam search over semantic tokens, batched over histories and beams, with its whole reasoning as the result.

Every shape depends only on the catalogue, the settings and the constant BLOCK_USERS, never on the data: a block is
padded to its full number of users, candidate lists to the largest set that a path of so many codes can leave. So a
history gives the same trace, bit for bit, alone or in any batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.code_probabilities import (
    IMPOSSIBLE,
    BeamView,
    Expansion,
    Readings,
    RootView,
    completions,
    expand,
    expand_given,
    log_softmax_over,
    read_beams,
    read_root,
)
from reg4rec_core.decoding.constraints import Candidates, ItemIndex, mark_allowed, rows_of, take
from reg4rec_core.decoding.pruning import UNSEEN, Evaluated, Verdicts, prune_and_regenerate
from reg4rec_core.decoding.reasoning_model import ReasoningModel, State
from reg4rec_core.types import Fate

Prefix = Sequence[tuple[int, int]]
"""Codes (codebook, code) that all paths begin with, in this order; of different codebooks."""
BLOCK_USERS = 6
"""Histories searched together; a smaller block is filled up with copies of its last history."""


@dataclass(frozen=True)
class Pool:
    """The best candidates of one step over all beams of a history, best first; n = W x (2 + max_regenerations)."""

    valid: Bool[Tensor, "B n"]
    parent: Int[Tensor, "B n"]
    """Place of the parent in the beam."""
    codebook: Int[Tensor, "B n"]
    code: Int[Tensor, "B n"]
    log_prob: Float[Tensor, "B n"]
    """Of the path, nats, float64."""
    score: Float[Tensor, "B n"]
    """What the pool is sorted by: the path's best completion under look-ahead, else its log-probability."""
    confidence: Float[Tensor, "B n"]
    items_left: Int[Tensor, "B n"]


@dataclass(frozen=True)
class Beams:
    """The W paths of each history that a step keeps. The root is a single path."""

    state: State
    column: Int[Tensor, "B W"]
    """Where each place's path stands on the state's beam axis."""
    view: BeamView | RootView
    beliefs: Float[Tensor, "B W C"]
    log_prob: Float[Tensor, "B W"]
    """-inf in a place without a path."""


@dataclass(frozen=True)
class StepRecord:
    """One step of the search: its pool, what became of it, and who holds the places after it."""

    pool: Pool
    parent_entry: Int[Tensor, "B n"]
    """The parent's entry in the pool of the step before; 0 for children of the root."""
    attempt: Int[Tensor, "B n"]
    js: Float[Tensor, "B n"]
    fate: Int[Tensor, "B n"]
    beam: Int[Tensor, "B W"]
    column: Int[Tensor, "B n"]
    """Where an entry's belief stands in `beliefs`, -1 where it has none."""
    beliefs: Float[Tensor, "B evaluated C"]


@dataclass(frozen=True)
class Begun:
    """The searches of a block of histories between two steps."""

    beams: Beams
    steps: tuple[StepRecord, ...]
    root_beliefs: Float[Tensor, "B C"]
    first_state: Float[Tensor, "B N"]
    item_evidence: Float[Tensor, "B N"]
    root_completion: Float[Tensor, "B N"]
    """These four as in `BlockResult`."""


@dataclass(frozen=True)
class BlockResult:
    """The searches of one block of histories. R = min(top_k, items that the leaves can give)."""

    root_beliefs: Float[Tensor, "B C"]
    steps: tuple[StepRecord, ...]
    first_state: Float[Tensor, "B N"]
    """Log-probability of every item at the root, nats; -inf where excluded."""
    item_evidence: Float[Tensor, "B N"]
    """The counted part of every item's logit (`ReasoningModel.item_evidence`)."""
    root_completion: Float[Tensor, "B N"]
    """First state under the search's own code probabilities: the exact ranking without any reasoning."""
    items: Int[Tensor, "B R"]
    """Best first, 0 where the paths gave fewer."""
    scores: Float[Tensor, "B R"]
    leaf_entries: Int[Tensor, "B R"]
    """The leaf's entry in the pool of the last step."""


def check_fit(model: ReasoningModel, index: ItemIndex) -> None:
    """Model and catalogue must agree on their sizes."""
    for name in ("n_items", "n_codebooks", "codebook_size"):
        ours, theirs = getattr(index, name), getattr(model, name)
        if ours != theirs:
            raise ValueError(f"model and item index must have the same {name}, got {theirs} and {ours}")


def use_one_thread() -> None:
    """Set this process to one torch thread and leave it there: over two, a product's last bits depend on the row.

    A trace would then depend on a history's place in the batch.
    """
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def blocks(
    histories: Int[np.ndarray, "B L"] | Int[Tensor, "B L"],
    seen: Sequence[Int[np.ndarray, "_"]] | None,
    config: DecodeConfig,
    n_items: int,
) -> Iterator[tuple[int, Int[Tensor, "block L"], Bool[Tensor, "block N"]]]:
    """(real users, padded histories, excluded items) of one block of BLOCK_USERS after the other."""
    table = torch.as_tensor(histories).long()
    if seen is not None and len(seen) != len(table):
        raise ValueError(f"seen must have one entry per history, got {len(seen)} for {len(table)}")
    for start in range(0, len(table), BLOCK_USERS):
        real = min(BLOCK_USERS, len(table) - start)
        rows = torch.arange(start, start + BLOCK_USERS).clamp_max(start + real - 1)
        block_seen = None if seen is None else [seen[row] for row in rows.tolist()]
        yield real, table[rows], exclude(table[rows], block_seen, config, n_items)


def exclude(
    histories: Int[Tensor, "B L"], seen: Sequence[Int[np.ndarray, "_"]] | None, config: DecodeConfig, n_items: int
) -> Bool[Tensor, "B N"]:
    """Items that each search may not recommend: those seen (by default the history's) under `exclude_history`."""
    excluded = torch.zeros(len(histories), n_items, dtype=torch.bool)
    if not config.exclude_history:
        return excluded
    if seen is None:
        return excluded.scatter_(1, histories, True)
    for row, items in zip(excluded, seen, strict=True):
        row[torch.as_tensor(items).long()] = True
    return excluded


def search_block(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[Tensor, "B L"],
    excluded: Bool[Tensor, "B N"],
    config: DecodeConfig,
    prefix: Prefix = (),
) -> BlockResult:
    """Search B histories: expand, keep the best W, prune and regenerate, for M steps; then rank the leaves' items."""
    begun = begin_block(model, index, histories, excluded, config, prefix)
    return finish_block(model, index, begun, excluded, config, prefix)


@torch.inference_mode()
def begin_block(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[Tensor, "B L"],
    excluded: Bool[Tensor, "B N"],
    config: DecodeConfig,
    prefix: Prefix = (),
) -> Begun:
    """The root and the steps before `check_from`: the same whatever the thresholds are."""
    beams, first_state = open_root(model, index, histories, excluded, config)
    root_completion = completions(beams.view, config.code_probabilities)[:, 0]
    begun = Begun(beams, (), beams.beliefs[:, 0], first_state, model.item_evidence(beams.state), root_completion)
    for _ in range(1, min(config.check_from, index.n_codebooks)):
        begun = _one_step_on(model, index, begun, excluded, config, prefix)
    return begun


@torch.inference_mode()
def finish_block(
    model: ReasoningModel,
    index: ItemIndex,
    begun: Begun,
    excluded: Bool[Tensor, "B N"],
    config: DecodeConfig,
    prefix: Prefix = (),
) -> BlockResult:
    """The other steps of searches that `begin_block` began with the same settings but for the thresholds."""
    while len(begun.steps) < index.n_codebooks - 1:
        begun = _one_step_on(model, index, begun, excluded, config, prefix)
    beams, before = begun.beams, begun.steps
    pool = best_candidates(next_codes(beams, config, prefix[len(before) :]), beams, config)
    verdicts = accept_leaves(pool, config.beam_width)
    leaves = pick(index, beams, pool, verdicts.beam.clamp_min(0), index.n_codebooks, excluded)
    ranked = rank_leaves(leaves, pool, verdicts.beam, begun.first_state, config.top_k)
    steps = (*before, _record(pool, verdicts, beams, before))
    return BlockResult(
        begun.root_beliefs, steps, begun.first_state, begun.item_evidence, begun.root_completion, *ranked
    )


def _one_step_on(
    model: ReasoningModel,
    index: ItemIndex,
    begun: Begun,
    excluded: Bool[Tensor, "B N"],
    config: DecodeConfig,
    prefix: Prefix,
) -> Begun:
    """One more code on every path, and the judgement of the paths that get it."""
    beams, step = begun.beams, len(begun.steps) + 1
    pool = best_candidates(next_codes(beams, config, prefix[step - 1 : step]), beams, config)
    theta = config.theta_at(step) if step >= config.check_from else float("inf")
    verdicts = judge(model, index, beams, pool, excluded, step, theta, config)
    record = _record(pool, verdicts, beams, begun.steps)
    return replace(begun, beams=_next_beams(model, index, beams, pool, verdicts), steps=(*begun.steps, record))


def open_root(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[Tensor, "B L"],
    excluded: Bool[Tensor, "B N"],
    config: DecodeConfig,
) -> tuple[Beams, Float[Tensor, "B N"]]:
    """The root as a beam of one path, and the log-probability of every item there."""
    rows = len(histories)
    state = model.encode(histories)
    candidates = mark_allowed(torch.arange(index.n_items).expand(rows, 1, -1), excluded)
    logits = model.catalog_logits(state)
    used = torch.zeros(rows, 1, index.n_codebooks, dtype=torch.bool)
    view = RootView(index, candidates, read_root(model, state, logits, config.code_probabilities), used)
    column = torch.zeros(rows, 1, dtype=torch.int64)
    beams = Beams(state, column, view, beliefs_of(model, state), torch.zeros(rows, 1, dtype=torch.float64))
    return beams, view.item_log_probs[:, 0]


def beliefs_of(model: ReasoningModel, state: State) -> Float[Tensor, "B V C"]:
    """The category belief at a state, float64, summing to 1."""
    return torch.softmax(model.category_log_probs(state).double(), -1)


def next_codes(beams: Beams, config: DecodeConfig, given: Prefix) -> Expansion:
    """What may come next on each path: the code that is given, else the codes of the codebook that speaks next."""
    for codebook, code in given:
        return expand_given(beams.view, config.code_probabilities, codebook, code)
    return expand(beams.view, config.code_probabilities, config.selection)


def keys_of(expansion: Expansion, beams: Beams, config: DecodeConfig) -> Float[Tensor, "B WK"]:
    """What the candidates of a step are sorted by; -inf where a code leads to no item."""
    gain = expansion.completion if config.look_ahead else expansion.log_prob
    return (beams.log_prob[..., None] + gain).flatten(1)


def best_candidates(expansion: Expansion, beams: Beams, config: DecodeConfig) -> Pool:
    """The pool of a step: one topk over all codes of all beams of a history."""
    places = torch.arange(beams.log_prob.numel()).view_as(beams.log_prob)
    return pool_of(keys_of(expansion, beams, config), beams.log_prob, expansion, places, config)


def pool_of(
    keys: Float[Tensor, "G WK"],
    log_prob: Float[Tensor, "G W"],
    expansion: Expansion,
    places: Int[Tensor, "G W"],
    config: DecodeConfig,
) -> Pool:
    """The best of all codes of G beams. `places` says where each path stands in the expansion, its rows in a line."""
    n_codes = expansion.log_prob.shape[-1]
    n = config.beam_width * (2 + config.max_regenerations)
    if keys.shape[1] < n:
        keys = torch.nn.functional.pad(keys, (0, n - keys.shape[1]), value=IMPOSSIBLE)
    best = keys.topk(n)
    valid = best.values > IMPOSSIBLE
    entry = best.indices * valid
    parent, code = entry // n_codes, entry % n_codes
    place = places.gather(1, parent)
    step_log_prob = take(expansion.log_prob.flatten(), place * n_codes + code).double()
    return Pool(
        valid=valid,
        parent=parent,
        codebook=take(expansion.codebook.flatten(), place),
        code=code,
        log_prob=log_prob.gather(1, parent) + step_log_prob,
        score=best.values,
        confidence=step_log_prob.exp(),
        items_left=take(expansion.items_left.flatten(), place * n_codes + code),
    )


def pick(
    index: ItemIndex,
    beams: Beams,
    pool: Pool,
    picks: Int[Tensor, "B V"],
    step: int,
    excluded: Bool[Tensor, "B N"],
) -> Candidates:
    """The items that chosen pool entries leave."""
    items = None if step == 1 else rows_of(beams.view.candidates.items, pool.parent.gather(1, picks))
    return leave(index, items, pool.codebook.gather(1, picks), pool.code.gather(1, picks), step, excluded)


def leave(
    index: ItemIndex,
    items: Int[Tensor, "B V P"] | None,
    codebook: Int[Tensor, "B V"],
    code: Int[Tensor, "B V"],
    step: int,
    excluded: Bool[Tensor, "B N"],
) -> Candidates:
    """The items that codes leave of those of their parents; None stands for all items, before step 1."""
    if items is None:
        return mark_allowed(index.postings(codebook, code), excluded)
    return mark_allowed(index.narrow(items, codebook, code, index.set_sizes[step]), excluded)


def judge(
    model: ReasoningModel,
    index: ItemIndex,
    beams: Beams,
    pool: Pool,
    excluded: Bool[Tensor, "B N"],
    step: int,
    theta: float | Float[Tensor, "B 1"],
    config: DecodeConfig,
) -> Verdicts:
    """Ask the network about the candidates that are tried, and prune (CORP)."""

    def evaluate(picks: Int[Tensor, "B V"]) -> Evaluated:
        parent = beams.column.gather(1, pool.parent.gather(1, picks))
        state = model.step(beams.state, parent, pool.codebook.gather(1, picks), pool.code.gather(1, picks))
        candidates = pick(index, beams, pool, picks, step, excluded)
        readings = read_beams(model, state, candidates.items, config.code_probabilities)
        return Evaluated(state, candidates, readings, beliefs_of(model, state))

    return prune_and_regenerate(
        pool.valid,
        pool.log_prob,
        pool.parent,
        beams.beliefs,
        evaluate,
        beam_width=config.beam_width,
        theta=theta,
        max_regenerations=config.max_regenerations,
    )


def accept_leaves(pool: Pool, beam_width: int) -> Verdicts:
    """The last code needs no belief: the best W candidates are the leaves, the next W are cut."""
    entries = torch.arange(pool.valid.shape[1]).expand_as(pool.parent)
    fate = torch.where(entries < beam_width, int(Fate.KEPT), int(Fate.BEAM_CUT))
    fate = torch.where(pool.valid & (entries < 2 * beam_width), fate, UNSEEN)
    beam = torch.where(pool.valid, entries, -1)[:, :beam_width]
    first_try, no_column = torch.zeros_like(pool.parent), torch.full_like(pool.parent, -1)
    return Verdicts(first_try, torch.full_like(pool.log_prob, torch.nan), fate, beam, no_column, ())


def _record(pool: Pool, verdicts: Verdicts, beams: Beams, before: Sequence[StepRecord]) -> StepRecord:
    """What the trace needs of a step that started from `beams`."""
    parent_entry = before[-1].beam.gather(1, pool.parent).clamp_min(0) if before else torch.zeros_like(pool.parent)
    beliefs = torch.cat([beams.beliefs[:, :0], *(part.beliefs for part in verdicts.evaluated)], 1)
    return StepRecord(
        pool, parent_entry, verdicts.attempt, verdicts.js, verdicts.fate, verdicts.beam, verdicts.column, beliefs
    )


def _next_beams(model: ReasoningModel, index: ItemIndex, beams: Beams, pool: Pool, verdicts: Verdicts) -> Beams:
    """The paths in the places, with the candidates and readings found when they were evaluated."""
    entry = verdicts.beam.clamp_min(0)
    column = verdicts.column.gather(1, entry).clamp_min(0)
    parts = verdicts.evaluated
    state = parts[0].state if len(parts) == 1 else model.join([part.state for part in parts])
    if len(parts) == 1 and torch.equal(column, torch.arange(column.shape[1]).expand_as(column)):
        now = parts[0]
    else:
        now = in_places(parts, column)
    codebook = pool.codebook.gather(1, entry)
    used = rows_of(beams.view.used, pool.parent.gather(1, entry)).scatter(2, codebook[..., None], True)
    log_prob = pool.log_prob.gather(1, entry).masked_fill(verdicts.beam < 0, IMPOSSIBLE)
    return Beams(state, column, BeamView(index, now.candidates, now.readings, used), now.beliefs, log_prob)


def in_places(parts: Sequence[Evaluated], column: Int[Tensor, "B W"]) -> Evaluated:
    """What was found in the given columns of all parts together. The states stay where they are."""

    def chosen(tensors: Sequence[Tensor]) -> Tensor:
        return rows_of(torch.cat(list(tensors), 1), column)

    candidates, readings = [part.candidates for part in parts], [part.readings for part in parts]
    return Evaluated(
        parts[0].state,
        Candidates(chosen([part.items for part in candidates]), chosen([part.allowed for part in candidates])),
        Readings(chosen([part.item_logits for part in readings]), chosen([part.head_log_probs for part in readings])),
        chosen([part.beliefs for part in parts]),
    )


def rank_leaves(
    leaves: Candidates,
    pool: Pool,
    beam: Int[Tensor, "B W"],
    first_state: Float[Tensor, "B N"],
    top_k: int,
) -> tuple[Int[Tensor, "B R"], Float[Tensor, "B R"], Int[Tensor, "B R"]]:
    """Items of the leaves by path log-probability + log-softmax over the leaf's items of the first state's logits.

    Collided items share a path and are told apart by the first state. Equal scores go by item.
    """
    at_root = first_state.gather(1, leaves.items.flatten(1)).view_as(leaves.items)  # (B, W, P_M)
    allowed = leaves.allowed & (beam >= 0)[..., None]
    path = pool.log_prob.gather(1, beam.clamp_min(0))[..., None]
    scores = (path + log_softmax_over(at_root.double(), allowed)).flatten(1)
    items = leaves.items.flatten(1).masked_fill(~allowed.flatten(1), 0)
    entries = beam.clamp_min(0)[..., None].expand_as(leaves.items).flatten(1)
    by_item = items.argsort(dim=1, stable=True)
    order = by_item.gather(1, scores.gather(1, by_item).argsort(dim=1, descending=True, stable=True))[:, :top_k]
    return items.gather(1, order), scores.gather(1, order), entries.gather(1, order)
