"""The control of a search: the same paths with the same scores, but which of them are walked is left to chance.

CRSS chooses the codebook of every step, as in the search, so that every item has the one path and the score that it
has there; the code is drawn uniformly from those that still lead to an allowed item.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import BLOCK_USERS, blocks, check_fit, open_root, use_one_thread
from reg4rec_core.decoding.code_probabilities import (
    IMPOSSIBLE,
    BeamView,
    expand,
    log_softmax_over,
    read_beams,
)
from reg4rec_core.decoding.constraints import Candidates, ItemIndex, mark_allowed, rows_of
from reg4rec_core.decoding.reasoning_model import ReasoningModel


@dataclass(frozen=True)
class RandomLists:
    """The items at the ends of each history's random paths, each once, by the score that a search gives them."""

    items: Int[np.ndarray, "B R"]
    """Best first, 0 where the paths gave fewer."""
    scores: Float[np.ndarray, "B R"]
    """Path log-probability + log-softmax of the first state over the items of the leaf, nats; -inf where 0."""


def random_paths(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[np.ndarray, "B L"],
    draws: Float[np.ndarray, "B W M"],
    config: DecodeConfig,
    *,
    seen: Sequence[Int[np.ndarray, "_"]] | None = None,
) -> RandomLists:
    """One path for every row of `draws`, uniform numbers in [0, 1); of `config` beams, theta and look-ahead are unused.

    Draws come from outside, so that a history's paths do not depend on who else is asked about.
    """
    check_fit(model, index)
    use_one_thread()
    parts = []
    for start, (real, block_histories, excluded) in enumerate(blocks(histories, seen, config, index.n_items)):
        first = start * BLOCK_USERS
        rows = (first + np.arange(BLOCK_USERS)).clip(max=first + real - 1)  # a short block repeats its last history
        block_draws = torch.from_numpy(draws[rows])
        found = _walk_block(model, index, block_histories, excluded, block_draws, config)
        parts.append([column[:real].numpy() for column in found])
    items, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
    return RandomLists(items, scores)


@torch.inference_mode()
def _walk_block(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[Tensor, "B L"],
    excluded: Bool[Tensor, "B N"],
    draws: Float[Tensor, "B W M"],
    config: DecodeConfig,
) -> tuple[Int[Tensor, "B R"], Float[Tensor, "B R"]]:
    """Walk until no path has a choice left: the codes after that are certain and cost nothing."""
    rows, width, n_steps = draws.shape
    root, first_state = open_root(model, index, histories, excluded, config)
    state, view, candidates = root.state, root.view, root.view.candidates
    parent = torch.zeros(rows, width, dtype=torch.int64)
    log_prob = torch.zeros(rows, width, dtype=torch.float64)
    for step in range(n_steps):
        expansion = expand(view, config.code_probabilities, config.selection)
        open_log_probs, codebook = rows_of(expansion.log_prob, parent), expansion.codebook.gather(1, parent)
        code = draw_uniformly(open_log_probs > IMPOSSIBLE, draws[..., step])
        log_prob += open_log_probs.gather(2, code[..., None])[..., 0].double()
        if step == 0:
            items = index.postings(codebook, code)
        else:
            items = index.narrow(candidates.items, codebook, code, index.set_sizes[step + 1])
        candidates = mark_allowed(items, excluded)
        if step + 1 == n_steps or bool((candidates.allowed.sum(2) <= 1).all()):
            break
        used = rows_of(view.used, parent).scatter(2, codebook[..., None], True)
        state = model.step(state, parent, codebook, code)
        view = BeamView(index, candidates, read_beams(model, state, items, config.code_probabilities), used)
        parent = torch.arange(width).expand(rows, -1)
    return _rank(candidates, log_prob, first_state, config.top_k)


def draw_uniformly(is_open: Bool[Tensor, "B W K"], draw: Float[Tensor, "B W"]) -> Int[Tensor, "B W"]:
    """The open code at which the draw falls when all open codes have the same share of [0, 1)."""
    wanted = (draw * is_open.sum(-1)).long()  # how many open codes come before it
    return (is_open.cumsum(-1) <= wanted[..., None]).sum(-1).clamp_max(is_open.shape[-1] - 1)


def _rank(
    leaves: Candidates, log_prob: Float[Tensor, "B W"], first_state: Float[Tensor, "B N"], top_k: int
) -> tuple[Int[Tensor, "B R"], Float[Tensor, "B R"]]:
    """The leaves' items as a search ranks them; paths that met count once."""
    at_root = first_state.gather(1, leaves.items.flatten(1)).view_as(leaves.items).double()
    scores = log_prob[..., None] + log_softmax_over(at_root, leaves.allowed)
    by_item = torch.full(first_state.shape, IMPOSSIBLE, dtype=torch.float64)
    by_item.scatter_reduce_(1, leaves.items.flatten(1), scores.flatten(1), "amax")
    best = by_item.sort(dim=1, descending=True, stable=True)
    values = best.values[:, :top_k]
    return best.indices[:, :top_k] * (values > IMPOSSIBLE), values
