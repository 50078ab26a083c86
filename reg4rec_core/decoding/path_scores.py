"""How probable given paths are under histories other than the one whose search found them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import CodeProbabilities, DecodeConfig
from reg4rec_core.decoding.block import check_fit, exclude, open_root, use_one_thread
from reg4rec_core.decoding.code_probabilities import BeamView, RootView, expand_in, read_beams
from reg4rec_core.decoding.constraints import Candidates, ItemIndex, mark_allowed
from reg4rec_core.decoding.reasoning_model import ReasoningModel, State
from reg4rec_core.types import ReasoningTrace


@dataclass(frozen=True)
class ItemPaths:
    """R items, each with the codes that led to it in the order in which they were chosen."""

    items: Int[np.ndarray, "R"]
    codebooks: Int[np.ndarray, "R M"]
    codes: Int[np.ndarray, "R M"]


@dataclass(frozen=True)
class PathScores:
    """What B histories give R paths, nats, float64."""

    log_probs: Float[np.ndarray, "B R"]
    """Of the path: the sum over its codes, each among the codes still allowed."""
    first_states: Float[np.ndarray, "B R"]
    """Of the path's item at the root, before any code."""


def paths_of(trace: ReasoningTrace) -> ItemPaths:
    """The paths of those recommended items that a path led to, best first; neighbours have none."""
    found = np.flatnonzero(trace.item_nodes >= 0)
    rows = [trace.path(int(node))[1:] for node in trace.item_nodes[found]]
    table = np.array(rows, np.int64).reshape(len(found), int(trace.step.max()))
    return ItemPaths(trace.items[found], trace.codebook[table], trace.code[table])


@torch.inference_mode()
def path_scores(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[np.ndarray, "B L"],
    paths: ItemPaths,
    config: DecodeConfig,
    *,
    seen: Int[np.ndarray, "_"],
) -> PathScores:
    """Score every path under every history: same codes, same codebook order, same items left out (`seen`).

    Histories are left-padded with 0. They run in blocks of L + 1 rows, filled up with copies of the last, so that a
    score does not depend on how many others are asked for.
    """
    check_fit(model, index)
    use_one_thread()
    if len(histories) == 0 or len(paths.items) == 0:
        nothing = np.zeros((len(histories), len(paths.items)))
        return PathScores(nothing, nothing)
    log_probs, first_states = [], []
    for real, block in _blocks(torch.as_tensor(histories).long()):
        excluded = exclude(block, [seen] * len(block), config, index.n_items)
        scored, first = _score_block(model, index, block, excluded, paths, config)
        log_probs.append(scored[:real].numpy())
        first_states.append(first[:real].double().numpy())
    return PathScores(np.concatenate(log_probs), np.concatenate(first_states))


def _blocks(table: Int[Tensor, "B L"]) -> Iterator[tuple[int, Int[Tensor, "block L"]]]:
    size = table.shape[1] + 1
    for start in range(0, len(table), size):
        real = min(size, len(table) - start)
        yield real, table[torch.arange(start, start + size).clamp_max(start + real - 1)]


def _score_block(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[Tensor, "B L"],
    excluded: Bool[Tensor, "B N"],
    paths: ItemPaths,
    config: DecodeConfig,
) -> tuple[Float[Tensor, "B R"], Float[Tensor, "B R"]]:
    """Log-probabilities of the paths and, before any code, of their items. Forced codes are certain and skipped."""
    rows, (n_paths, n_steps), kind = len(histories), paths.codes.shape, config.code_probabilities
    codebooks = torch.from_numpy(paths.codebooks).expand(rows, -1, -1)
    codes = torch.from_numpy(paths.codes).expand(rows, -1, -1)
    root, first_state = open_root(model, index, histories, excluded, config)
    state: State = root.state
    log_probs = _first_codes(root.view, kind, codebooks[..., 0], codes[..., 0])
    candidates = mark_allowed(index.postings(codebooks[..., 0], codes[..., 0]), excluded)
    parent = torch.zeros(rows, n_paths, dtype=torch.int64)
    for step in range(1, n_steps):
        if int(candidates.allowed.sum(-1).max()) <= 1:
            break
        taken, chosen = codebooks[..., :step], codebooks[..., step]
        state = model.step(state, parent, codebooks[..., step - 1], codes[..., step - 1])
        parent = torch.arange(n_paths).expand(rows, -1)
        used = torch.zeros(rows, n_paths, index.n_codebooks, dtype=torch.bool).scatter(2, taken, True)
        view = BeamView(index, candidates, read_beams(model, state, candidates.items, kind), used)
        log_probs = log_probs + _gather(expand_in(view, kind, chosen).log_prob, codes[..., step])
        candidates = _narrow(index, candidates, chosen, codes[..., step], step + 1, excluded)
    return log_probs, first_state[:, torch.from_numpy(paths.items)]


def _first_codes(
    view: RootView, kind: CodeProbabilities, codebook: Int[Tensor, "B R"], code: Int[Tensor, "B R"]
) -> Float[Tensor, "B R"]:
    """Paths of one search begin with the same codebook; those of several need not."""
    log_probs = torch.zeros(codebook.shape, dtype=torch.float64)
    for first in codebook[0].unique().tolist():
        table = expand_in(view, kind, torch.full((len(codebook), 1), first)).log_prob[:, 0]
        log_probs = torch.where(codebook == first, table.gather(1, code).double(), log_probs)
    return log_probs


def _gather(table: Float[Tensor, "B R K"], code: Int[Tensor, "B R"]) -> Float[Tensor, "B R"]:
    return table.gather(2, code[..., None])[..., 0].double()


def _narrow(
    index: ItemIndex,
    candidates: Candidates,
    codebook: Int[Tensor, "B R"],
    code: Int[Tensor, "B R"],
    step: int,
    excluded: Bool[Tensor, "B N"],
) -> Candidates:
    return mark_allowed(index.narrow(candidates.items, codebook, code, index.set_sizes[step]), excluded)
