"""Histories in, recommendations with the whole reasoning behind them out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import BlockResult, Prefix, blocks, check_fit, search_block, use_one_thread
from reg4rec_core.decoding.constraints import ItemIndex, rows_of
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.trace import ItemList, build_traces
from reg4rec_core.types import Fate, ReasoningTrace

Neighbours = Callable[[int, int], Int[np.ndarray, "count"]]
"""neighbours(item, count): the `count` items nearest to an item, nearest first, itself left out."""


@dataclass(frozen=True)
class Truth:
    """What B searches should have found. No search sees it; it tells which prunes were wrong."""

    targets: Int[np.ndarray, "B"]
    categories: Int[np.ndarray, "N"]
    """Of every item."""


@dataclass(frozen=True)
class SearchedItems:
    """What B searches recommend and how they went, without their trees. Step t stands in column t - 1, t = 1..M."""

    items: Int[np.ndarray, "B R"]
    """Best first, 0 where there was nothing more to recommend."""
    scores: Float[np.ndarray, "B R"]
    """What the list is ordered by; -inf where the item is 0."""
    from_path: Bool[np.ndarray, "B R"]
    """False for neighbours that fill the list up."""
    leaf_codes: Int[np.ndarray, "B R M"]
    """The codes that the item's path chose, by codebook; -1 where no path gave the item."""
    first_state_items: Int[np.ndarray, "B R"]
    """The exact ranking at the root, before any reasoning, under the same code probabilities."""
    kept: Int[np.ndarray, "B M"]
    pruned: Int[np.ndarray, "B M"]
    """Tried and cut for good."""
    regenerated: Int[np.ndarray, "B M"]
    """Tried in a regeneration round, whatever became of them."""
    fallback: Int[np.ndarray, "B M"]
    js: Float[np.ndarray, "B M W"]
    """Divergence of the paths in the beam (kept and fallback), nats; NaN where there is none."""
    tried_js: Float[np.ndarray, "B M n"]
    """Divergence of every candidate that was tried; NaN where there is none."""
    categories: Int[np.ndarray, "B M"]
    """Most probable category of the best path after t = 0..M-1 codes (column t)."""
    first_js: Float[np.ndarray, "B M"]
    """Divergence at each step along the path to the first item of the list; NaN for the last code and without items."""
    confidences: Float[np.ndarray, "B M"]
    """Probability of `categories` there."""
    target_in_beam: Int[np.ndarray, "B M"]
    """Places of the beam whose items left still hold the target (0 or 1: an item has one path); 0 without `truth`."""
    prunes_by: Int[np.ndarray, "B M 2 2"]
    """`pruned`, by whether the items left held the target (1: a wrong prune), then by whether the most probable
    category was the target's; 0 without `truth`."""
    tried_by: Int[np.ndarray, "B M 2 2 2"]
    """Candidates tried, by whether the most probable category *before* their code was the target's, then by whether
    their items left held the target, then by whether they were pruned; 0 without `truth`."""


def search(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[np.ndarray, "B L"] | Int[Tensor, "B L"],
    config: DecodeConfig,
    *,
    seen: Sequence[Int[np.ndarray, "_"]] | None = None,
    neighbours: Neighbours | None = None,
    prefix: Prefix = (),
) -> list[ReasoningTrace]:
    """Search every history and keep the whole tree (CRSS Eq. 5, catalogue constraint, CORP VI-B).

    Runs on one thread, and leaves PyTorch there, so that a trace replays. `histories` are left-padded with 0. `seen`
    are the items that `exclude_history` leaves out, by default those of `histories`. `neighbours` fills lists up that
    the paths leave short of `top_k`. Every path begins with the codes of `prefix`; nothing is pruned before they end,
    and the trace's `check_from` says so.
    """
    check_fit(model, index)
    use_one_thread()
    config = check_behind(prefix, config)
    traces: list[ReasoningTrace] = []
    for real, block_histories, excluded in blocks(histories, seen, config, index.n_items):
        block = search_block(model, index, block_histories, excluded, config, prefix)
        lists = item_lists(block, real, excluded, config, neighbours)
        traces += build_traces(block, lists, index.n_items, config)
    return traces


def search_items(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[np.ndarray, "B L"] | Int[Tensor, "B L"],
    config: DecodeConfig,
    *,
    seen: Sequence[Int[np.ndarray, "_"]] | None = None,
    neighbours: Neighbours | None = None,
    truth: Truth | None = None,
    prefix: Prefix = (),
) -> SearchedItems:
    """The same searches as `search`, as arrays of items and counts: what an evaluation reads.

    With `truth` it also counts what pruning did to the targets.
    """
    check_fit(model, index)
    use_one_thread()
    config = check_behind(prefix, config)
    parts, first = [], 0
    for real, block_histories, excluded in blocks(histories, seen, config, index.n_items):
        block = search_block(model, index, block_histories, excluded, config, prefix)
        users = slice(first, first + real)
        parts.append(summarise(block, index, excluded, config, users, neighbours=neighbours, truth=truth))
        first += real
    return join_searched(parts)


def join_searched(parts: Sequence[SearchedItems]) -> SearchedItems:
    """Searches of several sets of histories one after the other."""
    if not parts:
        raise ValueError("search_items needs at least one history, got none")
    return SearchedItems(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(SearchedItems))
    )


def summarise(
    block: BlockResult,
    index: ItemIndex,
    excluded: Bool[Tensor, "B N"],
    config: DecodeConfig,
    users: slice,
    *,
    neighbours: Neighbours | None,
    truth: Truth | None,
) -> SearchedItems:
    """A block without its trees; its real histories are the rows `users` of all that are searched."""
    lists = item_lists(block, users.stop - users.start, excluded, config, neighbours)
    return SearchedItems(*_summary(block, lists, config), *_target_counts(block, index, excluded, truth, users))


def check_behind(prefix: Prefix, config: DecodeConfig) -> DecodeConfig:
    """The settings of a search whose first codes are given: beliefs are compared with theta after them."""
    return replace(config, check_from=max(config.check_from, len(prefix) + 1)) if prefix else config


def item_lists(
    block: BlockResult,
    real: int,
    excluded: Bool[Tensor, "B N"],
    config: DecodeConfig,
    neighbours: Neighbours | None,
) -> list[ItemList]:
    """What the first `real` histories of a block are recommended."""
    lists = []
    first_states = block.first_state.gather(1, block.items).double().numpy()
    evidence = block.item_evidence.gather(1, block.items).double().numpy()
    items, scores, entries = block.items.numpy(), block.scores.numpy(), block.leaf_entries.numpy()
    found = (items > 0).sum(1)
    for user in range(real):
        count = found[user]
        ranked = ItemList(
            items[user, :count].copy(),
            scores[user, :count].copy(),
            entries[user, :count].copy(),
            first_states[user, :count].copy(),
            evidence[user, :count].copy(),
        )
        if neighbours is not None and 0 < count < config.top_k:
            ranked = _fill_up(ranked, block, user, excluded[user].numpy(), config.top_k, neighbours)
        lists.append(ranked)
    return lists


def _fill_up(
    ranked: ItemList,
    block: BlockResult,
    user: int,
    excluded: Bool[np.ndarray, "N"],
    top_k: int,
    neighbours: Neighbours,
) -> ItemList:
    """Append the nearest neighbours of the best item; neighbour r scores the lowest path score - 1 - r."""
    count = min(top_k + int(excluded.sum()) + len(ranked.items), len(excluded) - 2)
    near = neighbours(int(ranked.items[0]), count)
    near = near[~excluded[near] & ~np.isin(near, ranked.items)][: top_k - len(ranked.items)]
    return ItemList(
        items=np.concatenate([ranked.items, near]),
        scores=np.concatenate([ranked.scores, ranked.scores[-1] - 1 - np.arange(len(near))]),
        leaf_entries=np.concatenate([ranked.leaf_entries, np.full(len(near), -1)]),
        first_state=np.concatenate([ranked.first_state, block.first_state[user].double().numpy()[near]]),
        evidence=np.concatenate([ranked.evidence, block.item_evidence[user].double().numpy()[near]]),
    )


def _summary(block: BlockResult, lists: list[ItemList], config: DecodeConfig) -> tuple[np.ndarray, ...]:
    """The fields of SearchedItems up to `confidences`, in their order, for the real users of a block."""
    users, width = len(lists), config.top_k
    items, scores = np.zeros((users, width), np.int64), np.full((users, width), -np.inf)
    from_path = np.zeros((users, width), bool)
    chosen, leaf_codes = _leaf_codes(block).numpy(), np.full((users, width, len(block.steps)), -1)
    for user, ranked in enumerate(lists):
        count = len(ranked.items)
        items[user, :count], scores[user, :count] = ranked.items, ranked.scores
        from_path[user, :count] = ranked.leaf_entries >= 0
        by_path = int(from_path[user].sum())
        leaf_codes[user, :by_path] = chosen[user, :by_path]
    best = block.root_completion.topk(min(width, block.root_completion.shape[1]))
    first_state_items = np.zeros((users, width), np.int64)
    first_state_items[:, : best.indices.shape[1]] = (best.indices * (best.values > -torch.inf))[:users].numpy()

    fate = torch.stack([record.fate for record in block.steps], 1)  # (B, M, n)
    attempt = torch.stack([record.attempt for record in block.steps], 1)
    tried_js = torch.stack([record.js for record in block.steps], 1)
    beam = torch.stack([record.beam for record in block.steps], 1)  # (B, M, W)
    js = tried_js.gather(2, beam.clamp_min(0)).masked_fill(beam < 0, torch.nan)
    counts = [fate == Fate.KEPT, fate == Fate.PRUNED, attempt > 0, fate == Fate.FALLBACK]
    confidence, category = _best_beliefs(block).max(-1)
    by_step = [*(count.sum(-1) for count in counts), js, tried_js, category, _first_js(block), confidence]
    return (items, scores, from_path, leaf_codes, first_state_items, *(column[:users].numpy() for column in by_step))


def _leaf_codes(block: BlockResult) -> Int[Tensor, "B R M"]:
    """The codes along the path to every item, read off the tree from leaf to root, in codebook order."""
    entries = block.leaf_entries
    codes = entries.new_full((*entries.shape, len(block.steps)), -1)
    for record in reversed(block.steps):
        codebook, code = (column.gather(1, entries)[..., None] for column in (record.pool.codebook, record.pool.code))
        codes.scatter_(2, codebook, code)
        entries = record.parent_entry.gather(1, entries)
    return codes


def _best_beliefs(block: BlockResult) -> Float[Tensor, "B M C"]:
    """The belief of the root and of the best-ranked path after each code but the last."""
    beliefs = [block.root_beliefs[:, None]]
    for record in block.steps[:-1]:
        best = record.beam.masked_fill(record.beam < 0, record.fate.shape[1] - 1).amin(1, keepdim=True)
        column = record.column.gather(1, best).clamp_min(0)  # the pool is sorted best first
        beliefs.append(rows_of(record.beliefs, column))
    return torch.cat(beliefs, 1)


def _first_js(block: BlockResult) -> Float[Tensor, "B M"]:
    """The divergences along the path to the first item, read off the tree from leaf to root."""
    entry, steps = block.leaf_entries[:, :1], []
    for record in reversed(block.steps):
        steps.append(record.js.gather(1, entry))
        entry = record.parent_entry.gather(1, entry)
    return torch.cat(steps[::-1], 1).masked_fill(block.items[:, :1] == 0, torch.nan)


def _target_counts(
    block: BlockResult, index: ItemIndex, excluded: Bool[Tensor, "B N"], truth: Truth | None, users: slice
) -> tuple[Int[np.ndarray, "users M"], Int[np.ndarray, "users M 2 2"], Int[np.ndarray, "users M 2 2 2"]]:
    """The fields of SearchedItems from `target_in_beam` on for the real users of a block, rows `users` of all."""
    real, n_steps = users.stop - users.start, len(block.steps)
    in_beam = torch.zeros(real, n_steps, dtype=torch.int64)
    prunes, tried = (torch.zeros(real, n_steps, *[2] * dims, dtype=torch.int64) for dims in (2, 3))
    if truth is None:
        return in_beam.numpy(), prunes.numpy(), tried.numpy()
    targets = torch.from_numpy(truth.targets[users].astype(np.int64))
    wanted_category = torch.from_numpy(truth.categories)[targets]
    holds = ~excluded[:real].gather(1, targets[:, None])
    right = block.root_beliefs[:real].argmax(-1, keepdim=True) == wanted_category[:, None]
    for step, record in enumerate(block.steps):
        codebook, code, parent = (
            column[:real] for column in (record.pool.codebook, record.pool.code, record.parent_entry)
        )
        holds = holds.gather(1, parent) & (code == index.codes[targets].gather(1, codebook))
        held = holds.gather(1, record.beam[:real].clamp_min(0)) & (record.beam[:real] >= 0)
        in_beam[:, step] = held.sum(1)
        if step + 1 == n_steps:
            break  # the last code has no belief and is never pruned
        was_tried, pruned = record.column[:real] >= 0, record.fate[:real] == Fate.PRUNED
        category = record.beliefs[:real].argmax(-1).gather(1, record.column[:real].clamp_min(0))
        right_before, right = right.gather(1, parent), category == wanted_category[:, None]
        for led, of_target in enumerate((~holds, holds)):
            for answer in range(2):
                prunes[:, step, led, answer] = (pruned & of_target & (right == answer)).sum(1)
                for cut in range(2):
                    chosen = was_tried & of_target & (right_before == answer) & (pruned == cut)
                    tried[:, step, answer, led, cut] = chosen.sum(1)
    return in_beam.numpy(), prunes.numpy(), tried.numpy()
