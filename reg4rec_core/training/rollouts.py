"""What the policy does when it is left alone: G paths a history, sampled under the catalogue mask (REG4Rec Alg. 2).

The codebook of every step is chosen as in decoding (CRSS, or a fixed order); the code is drawn from that codebook's
probabilities over the codes that still lead to an allowed item (temperature 1). So every rollout ends at a real item.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import CodeProbabilities, Selection
from reg4rec_core.decoding import ItemIndex, ReasoningModel
from reg4rec_core.decoding.code_probabilities import BeamView, RootView, expand, read_beams, read_root
from reg4rec_core.decoding.constraints import Candidates, mark_allowed
from reg4rec_core.decoding.reasoning_model import State


@dataclass(frozen=True)
class OpenItems:
    """Which items each path could still have reached before each step, as one flat list of entries.

    The first step, where the whole catalogue is open, is not listed, nor are steps that had a single item left.
    """

    segment: Int[Tensor, "n"]
    """e x M + t for path e and step t."""
    item: Int[Tensor, "n"]
    kept: Bool[Tensor, "n"]
    """Whether the item carries the code that the step chose."""


@dataclass(frozen=True)
class SampledPaths:
    """G rollouts of each history, step by step; T = M."""

    codebooks: Int[Tensor, "B G T"]
    codes: Int[Tensor, "B G T"]
    """The code chosen at each step, of that step's codebook."""
    log_probs: Float[Tensor, "B G T"]
    """Of each code when it was drawn, nats."""
    beliefs: Float[Tensor, "B G T C"]
    """Over categories before each step: after t codes for t = 0..M-1."""
    items: Int[Tensor, "B G"]
    """The item that each path ends at; of collided items the first."""
    open_items: OpenItems

    @property
    def codes_by_codebook(self) -> Int[Tensor, "B G M"]:
        """The same codes, codebook m in column m."""
        return torch.empty_like(self.codes).scatter_(2, self.codebooks, self.codes)


@torch.no_grad()
def sample_paths(
    model: ReasoningModel,
    index: ItemIndex,
    root: State,
    excluded: Bool[Tensor, "B N"],
    draws: Float[Tensor, "B G T"],
    *,
    kind: CodeProbabilities,
    selection: Selection = "confidence",
) -> SampledPaths:
    """One path from `root` for every row of `draws`, uniform in [0, 1): a step's code is where its draw falls.

    Draws come from outside, so that a rollout depends on its own history and draws, not on who else is in the batch.
    """
    rows, n_rollouts, n_steps = draws.shape
    state, device = root, excluded.device
    candidates = mark_allowed(torch.arange(index.n_items, device=device).expand(rows, 1, -1), excluded)
    used = torch.zeros(rows, 1, index.n_codebooks, dtype=torch.bool, device=device)
    readings = read_root(model, state, model.catalog_logits(state), kind)
    view: RootView | BeamView = RootView(index, candidates, readings, used)
    parent = torch.zeros(rows, n_rollouts, dtype=torch.int64, device=device)
    codebooks, codes, log_probs, beliefs, listed = [], [], [], [], []
    for step in range(n_steps):
        expansion = expand(view, kind, selection)
        log_prob = expansion.log_prob.gather(1, parent[..., None].expand(-1, -1, index.codebook_size))  # (B, G, K)
        codebook = expansion.codebook.gather(1, parent)
        code = draw_codes(log_prob, draws[..., step])
        codebooks.append(codebook)
        codes.append(code)
        log_probs.append(log_prob.gather(2, code[..., None])[..., 0])
        belief = model.category_log_probs(state).float().exp()
        beliefs.append(belief.gather(1, parent[..., None].expand(-1, -1, belief.shape[-1])))
        if step == 0:
            opened = index.postings(codebook, code)
        else:
            carries = index.codes_in(candidates.items, codebook) == code[..., None]
            listed.append(list_open_items(candidates, carries, step=step, n_steps=n_steps))
            opened = index.narrow(candidates.items, codebook, code, index.set_sizes[step + 1])
        candidates = mark_allowed(opened, excluded)
        if step + 1 < n_steps:
            state = model.step(state, parent, codebook, code)
            used = used.gather(1, parent[..., None].expand(-1, -1, index.n_codebooks)).scatter(
                2, codebook[..., None], True
            )
            parent = torch.arange(n_rollouts, device=device).expand(rows, -1)
            view = BeamView(index, candidates, read_beams(model, state, candidates.items, kind), used)
    return SampledPaths(
        codebooks=torch.stack(codebooks, 2),
        codes=torch.stack(codes, 2),
        log_probs=torch.stack(log_probs, 2),
        beliefs=torch.stack(beliefs, 2),
        items=first_item(candidates),
        open_items=join_open_items(listed),
    )


def draw_codes(log_prob: Float[Tensor, "B G K"], draw: Float[Tensor, "B G"]) -> Int[Tensor, "B G"]:
    """The first code whose cumulated probability exceeds the draw: inverse transform sampling."""
    cumulated = log_prob.double().exp().cumsum(-1)
    wanted = draw.double()[..., None] * cumulated[..., -1:]
    return torch.searchsorted(cumulated, wanted, right=True)[..., 0].clamp_max(log_prob.shape[-1] - 1)


def list_open_items(before: Candidates, carries: Bool[Tensor, "B G P"], *, step: int, n_steps: int) -> OpenItems:
    """The entries of one step: what was allowed before it, and whether it carries the chosen code."""
    undecided = before.allowed & (before.allowed.sum(2, keepdim=True) > 1)
    path, place = torch.nonzero(undecided.flatten(0, 1), as_tuple=True)
    items, kept = before.items.flatten(0, 1)[path, place], carries.flatten(0, 1)[path, place]
    return OpenItems(path * n_steps + step, items, kept)


def join_open_items(parts: Sequence[OpenItems]) -> OpenItems:
    """The entries of all steps after the first."""
    return OpenItems(
        torch.cat([part.segment for part in parts]),
        torch.cat([part.item for part in parts]),
        torch.cat([part.kept for part in parts]),
    )


def first_item(candidates: Candidates) -> Int[Tensor, "B G"]:
    """The lowest allowed item of each path."""
    return candidates.items.masked_fill(~candidates.allowed, torch.iinfo(torch.int64).max).amin(2)
