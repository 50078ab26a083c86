"""Exhaustive scoring: what beam search would find if nothing were ever cut."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import check_fit, exclude, open_root, use_one_thread
from reg4rec_core.decoding.code_probabilities import (
    IMPOSSIBLE,
    BeamView,
    Expansion,
    expand,
    log_softmax_over,
    read_beams,
)
from reg4rec_core.decoding.constraints import ItemIndex, mark_allowed
from reg4rec_core.decoding.reasoning_model import ReasoningModel, State

CHUNK = 128
"""Paths that the network sees together."""


@dataclass(frozen=True)
class _Paths:
    """Paths of one length in the prefix tree."""

    parent: Int[Tensor, "paths"]
    """Where the parent stands on its state's beam axis."""
    codebook: Int[Tensor, "paths"]
    code: Int[Tensor, "paths"]
    log_prob: Float[Tensor, "paths"]
    items: Int[Tensor, "paths P"]
    used: Bool[Tensor, "paths M"]

    def select(self, rows: Tensor) -> "_Paths":
        return _Paths(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@torch.inference_mode()
def item_path_scores(
    model: ReasoningModel,
    index: ItemIndex,
    history: Int[np.ndarray, "L"],
    config: DecodeConfig,
    *,
    seen: Int[np.ndarray, "_"] | None = None,
) -> Float[np.ndarray, "N"]:
    """Every item's own path score (no beam, no CORP), nats; -inf for padding and excluded items.

    The scores are those that `search` ranks by: the path's log-probability + the log-softmax of the first state's
    logits over the items of the leaf. The prefix tree is walked level by level; where one item is left all its
    remaining codes are certain, so the network is not asked.
    """
    check_fit(model, index)
    use_one_thread()
    table = torch.as_tensor(history).long()[None]
    excluded = exclude(table, None if seen is None else [seen], config, index.n_items)
    root, first_state = open_root(model, index, table, excluded, config)
    state, expansion = root.state, expand(root.view, config.code_probabilities, config.selection)
    nowhere = torch.zeros(1, dtype=torch.int64)
    paths = _Paths(nowhere, nowhere, nowhere, root.log_prob[0], root.view.candidates.items[0], root.view.used[0])
    scores = torch.full((index.n_items,), IMPOSSIBLE, dtype=torch.float64)
    for step in range(1, index.n_codebooks + 1):
        paths = _children(index, paths, expansion, step)
        allowed = mark_allowed(paths.items[None], excluded).allowed[0]  # (paths, P)
        finished = allowed.sum(1) == 1 if step < index.n_codebooks else torch.ones(len(allowed), dtype=torch.bool)
        gain = paths.log_prob[:, None] + log_softmax_over(first_state[0][paths.items].double(), allowed)
        final = finished[:, None] & allowed
        scores[paths.items[final]] = gain[final]
        paths = paths.select(~finished)
        if len(paths.code) == 0:
            break
        state, expansion = _evaluate(model, index, state, paths, excluded, config)
    return scores.numpy()


def _children(index: ItemIndex, parents: _Paths, expansion: Expansion, step: int) -> _Paths:
    """Every open code of every parent."""
    log_prob = expansion.log_prob[0]  # (parents, K)
    parent, code = torch.nonzero(log_prob > IMPOSSIBLE, as_tuple=True)
    codebook = expansion.codebook[0][parent]
    if step == 1:
        items = index.postings(codebook[None], code[None])[0]
    else:
        items = index.narrow(parents.items[parent][None], codebook[None], code[None], index.set_sizes[step])[0]
    used = parents.used[parent].scatter(1, codebook[:, None], True)
    return _Paths(parent, codebook, code, parents.log_prob[parent] + log_prob[parent, code], items, used)


def _evaluate(
    model: ReasoningModel,
    index: ItemIndex,
    parent_state: State,
    paths: _Paths,
    excluded: Bool[Tensor, "1 N"],
    config: DecodeConfig,
) -> tuple[State, Expansion]:
    """The states of all paths and their next codes, a chunk of paths at a time."""
    states, expansions = [], []
    for rows in torch.arange(len(paths.code)).split(CHUNK):
        chunk = paths.select(rows)
        state = model.step(parent_state, chunk.parent[None], chunk.codebook[None], chunk.code[None])
        candidates = mark_allowed(chunk.items[None], excluded)
        view = BeamView(
            index, candidates, read_beams(model, state, candidates.items, config.code_probabilities), chunk.used[None]
        )
        states.append(state)
        expansions.append(expand(view, config.code_probabilities, config.selection))
    names = Expansion.__dataclass_fields__
    return model.join(states), Expansion(*(torch.cat([getattr(e, name) for e in expansions], 1) for name in names))
