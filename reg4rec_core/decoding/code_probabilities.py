"""How probable is each next code, and what is the best item behind it: three readings of one network state.

heads          p(code) = softmax of the codebook's head over the codes still allowed (the paper)
item_marginal  p(code) = mass of the allowed items that carry it, under the state's softmax over those items
mixture        the mean of the two

Each is normalised over what a beam still allows, so that the paths to all items carry probability 1 together.
A completion is an item's log-probability at a state among the items the beam still allows; the look-ahead score of a
code is its best item's completion.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import log

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import CodeProbabilities, Selection
from reg4rec_core.decoding.constraints import Candidates, ItemIndex, take
from reg4rec_core.decoding.reasoning_model import ReasoningModel, State
from reg4rec_core.decoding.step_selection import choose_codebooks, first_unused

IMPOSSIBLE = -torch.inf
ITEMS_AT_ONCE = 32
"""Candidates a path whose logits are asked for together: large item vectors thrash the memory allocator."""


@dataclass(frozen=True)
class Readings:
    """What the network says at a state; a reading that the code probabilities do not use has size 0."""

    item_logits: Float[Tensor, "B V P"]
    head_log_probs: Float[Tensor, "B V M K"]


@dataclass(frozen=True)
class Expansion:
    """The next codes of V beams: one codebook each, and every one of its K codes."""

    codebook: Int[Tensor, "B V"]
    log_prob: Float[Tensor, "B V K"]
    """Of the code at its beam, nats; -inf where the code leads to no allowed item."""
    completion: Float[Tensor, "B V K"]
    """Log-probability of the best allowed item that carries the code, nats; -inf where there is none."""
    items_left: Int[Tensor, "B V K"]
    """Items of the beam that carry the code, excluded ones included."""


def read_beams(model: ReasoningModel, state: State, items: Int[Tensor, "B V P"], kind: CodeProbabilities) -> Readings:
    """The readings that `kind` needs, at states with P candidate items each."""
    nothing = torch.zeros(*items.shape[:2], 0, device=items.device)
    item_logits = nothing
    if kind != "heads":
        item_logits = torch.cat([model.item_logits(state, part) for part in items.split(ITEMS_AT_ONCE, 2)], 2)
    heads = nothing[..., None] if kind == "item_marginal" else model.head_log_probs(state)
    return Readings(item_logits, heads)


def read_root(
    model: ReasoningModel, state: State, catalog_logits: Float[Tensor, "B 1 N"], kind: CodeProbabilities
) -> Readings:
    """The readings at the root, where the whole catalogue is the candidate set."""
    nothing = catalog_logits[..., :0, None]
    return Readings(catalog_logits, nothing if kind == "item_marginal" else model.head_log_probs(state))


def log_softmax_over(values: Float[Tensor, "... X"], allowed: Bool[Tensor, "... X"]) -> Float[Tensor, "... X"]:
    """Log-softmax along the last axis over the allowed entries, -inf elsewhere, also where nothing is allowed."""
    log_probs = torch.log_softmax(torch.where(allowed, values, IMPOSSIBLE), -1)
    return torch.where(allowed, log_probs, IMPOSSIBLE)


def log_mean(left: Float[Tensor, "*shape"], right: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Logarithm of the mean of two probabilities given as logarithms.

    Not torch.logaddexp, whose last bits differ with an element's place in the tensor.
    """
    larger, smaller = torch.maximum(left, right), torch.minimum(left, right)
    both_zero = larger == IMPOSSIBLE
    return (larger + (smaller - larger).exp().log1p() - log(2)).masked_fill_(both_zero, IMPOSSIBLE)


@dataclass(frozen=True)
class BeamView:
    """Beams with packed candidate lists: sums by code are scattered into K bins a codebook."""

    index: ItemIndex
    candidates: Candidates
    readings: Readings
    used: Bool[Tensor, "B V M"]

    @cached_property
    def item_log_probs(self) -> Float[Tensor, "B V P"]:
        """Log-softmax of the item logits over the allowed candidates, nats; -inf for the others."""
        return log_softmax_over(self.readings.item_logits, self.candidates.allowed)

    @cached_property
    def flat_codes(self) -> Int[Tensor, "B V PM"]:
        return take(self.index.flat_codes, self.candidates.items).flatten(2)

    def sums_by_code(self, values: Float[Tensor, "B V P"]) -> Float[Tensor, "B V M K"]:
        """Sum of `values` over the candidates that carry each code; a bin adds in candidate order."""
        n_codebooks, codebook_size = self.index.n_codebooks, self.index.codebook_size
        bins = values.new_zeros(*values.shape[:2], n_codebooks * codebook_size)
        repeated = values[..., None].expand(*values.shape, n_codebooks).flatten(2)
        return bins.scatter_add_(2, self.flat_codes, repeated).unflatten(-1, (n_codebooks, codebook_size))

    def has_choice(self) -> Bool[Tensor, "B V M"]:
        """Whether the allowed candidates carry more than one code of a codebook."""
        counted = self.candidates.allowed.float()
        return self.sums_by_code(counted).amax(-1) < counted.sum(-1, keepdim=True)

    def head_sums(self) -> Float[Tensor, "B V P"]:
        """Sum over the codebooks of the head log-probabilities of each candidate's codes.

        Used codebooks may stay in the sum: a beam's candidates agree in them, so they cancel in any softmax over items.
        """
        heads = self.readings.head_log_probs.flatten(2).gather(2, self.flat_codes)
        return heads.unflatten(-1, (-1, self.index.n_codebooks)).sum(-1)

    def codes_in(self, codebook: Int[Tensor, "B V"]) -> Int[Tensor, "B V P"]:
        """Each candidate's code in the codebook of its beam."""
        return self.index.codes_in(self.candidates.items, codebook)

    def items_by_code(self, codebook: Int[Tensor, "B V"]) -> Int[Tensor, "B V K"]:
        """Number of candidates, excluded ones included, that carry each code."""
        real = (self.candidates.items > 0).long()
        return _bins(real, self.index.codebook_size, 0).scatter_add_(2, self.codes_in(codebook), real)


@dataclass(frozen=True)
class RootView:
    """The root of B searches: the candidates are the whole catalogue, sums run along its posting lists."""

    index: ItemIndex
    candidates: Candidates
    readings: Readings
    used: Bool[Tensor, "B 1 M"]

    @cached_property
    def item_log_probs(self) -> Float[Tensor, "B 1 N"]:
        """Log-softmax of the item logits over the allowed candidates, nats; -inf for the others."""
        return log_softmax_over(self.readings.item_logits, self.candidates.allowed)

    def sums_by_code(self, values: Float[Tensor, "B 1 N"]) -> Float[Tensor, "B 1 M K"]:
        """Sum of `values` over the items that carry each code."""
        return self.index.sums_over_catalog(values[:, 0])[:, None]

    def has_choice(self) -> Bool[Tensor, "B 1 M"]:
        """Whether the allowed items carry more than one code of a codebook."""
        counted = self.candidates.allowed.float()
        return self.sums_by_code(counted).amax(-1) < counted.sum(-1, keepdim=True)

    def head_sums(self) -> Float[Tensor, "B 1 N"]:
        """Sum over all codebooks of the head log-probabilities of each item's codes."""
        heads = self.readings.head_log_probs.flatten(1).T.contiguous()  # (M * K, B)
        return torch.nn.functional.embedding_bag(self.index.flat_codes, heads, mode="sum").T[:, None]

    def codes_in(self, codebook: Int[Tensor, "B 1"]) -> Int[Tensor, "B 1 N"]:
        """Each item's code in the codebook of its history."""
        return take(self.index.codes_by_codebook, codebook)

    def items_by_code(self, codebook: Int[Tensor, "B 1"]) -> Int[Tensor, "B 1 K"]:
        """Number of items, excluded ones included, that carry each code."""
        return take(self.index.posting_sizes.view(self.index.n_codebooks, -1), codebook)


def _bins(values: Tensor, size: int, fill: float | int) -> Tensor:
    return values.new_full((*values.shape[:2], size), fill)


def completions(view: BeamView | RootView, kind: CodeProbabilities) -> Float[Tensor, "B V P"]:
    """Every candidate's log-probability at its beam's state, nats; -inf where it is not allowed.

    For the heads that is the log-softmax over the allowed candidates of the summed head log-probabilities of their
    remaining codes.
    """
    if kind == "item_marginal":
        return view.item_log_probs
    by_heads = log_softmax_over(view.head_sums(), view.candidates.allowed)
    if kind == "heads":
        return by_heads
    return log_mean(view.item_log_probs, by_heads)


def expand(view: BeamView | RootView, kind: CodeProbabilities, selection: Selection = "confidence") -> Expansion:
    """Choose each beam's next codebook (CRSS) and give the probability and look-ahead of each of its codes."""
    has_choice = view.has_choice()
    if selection == "fixed":
        codebook = first_unused(view.used)
    else:
        # the heads' confidence is that of the full softmax, so a forced code does not look certain there
        counts_as_choice = torch.ones_like(has_choice) if kind == "heads" else has_choice
        codebook = choose_codebooks(_confidences(view, kind), counts_as_choice, view.used)
    return _expand_in(view, kind, codebook, has_choice)


def expand_in(view: BeamView | RootView, kind: CodeProbabilities, codebook: Int[Tensor, "B V"]) -> Expansion:
    """The same for codebooks that are given: a known path keeps its order whatever the network is now sure of."""
    return _expand_in(view, kind, codebook, view.has_choice())


def expand_given(view: BeamView | RootView, kind: CodeProbabilities, codebook: int, code: int) -> Expansion:
    """One code in place of a choice; it keeps the probability that it has among the codes still allowed."""
    given = expand_in(view, kind, torch.full(view.used.shape[:2], codebook))
    others = torch.arange(view.index.codebook_size) != code
    return replace(
        given,
        log_prob=given.log_prob.masked_fill(others, IMPOSSIBLE),
        completion=given.completion.masked_fill(others, IMPOSSIBLE),
    )


def _expand_in(
    view: BeamView | RootView, kind: CodeProbabilities, codebook: Int[Tensor, "B V"], has_choice: Bool[Tensor, "B V M"]
) -> Expansion:
    completion, codes = completions(view, kind), view.codes_in(codebook)
    best = _bins(completion, view.index.codebook_size, IMPOSSIBLE).scatter_reduce_(2, codes, completion, "amax")
    open_codes = best > IMPOSSIBLE
    log_prob = _code_log_probs(view, kind, codebook, codes, open_codes).clamp_max(0)
    log_prob = log_prob.masked_fill_(~has_choice.gather(2, codebook[..., None]), 0)
    return Expansion(codebook, log_prob.masked_fill_(~open_codes, IMPOSSIBLE), best, view.items_by_code(codebook))


def _confidences(view: BeamView | RootView, kind: CodeProbabilities) -> Float[Tensor, "B V M"]:
    """S(c) of Eq. 5: the largest probability of an allowed code in each codebook."""
    if kind == "item_marginal":
        return view.sums_by_code(view.item_log_probs.exp()).amax(-1)
    allowed = view.sums_by_code(view.candidates.allowed.float()) > 0  # (B, V, M, K)
    heads = view.readings.head_log_probs
    if kind == "heads":
        return torch.where(allowed, heads, IMPOSSIBLE).amax(-1).exp()
    by_heads = torch.where(allowed, torch.softmax(torch.where(allowed, heads, IMPOSSIBLE), -1), 0)
    return (view.sums_by_code(view.item_log_probs.exp()) + by_heads).amax(-1) / 2


def _code_log_probs(
    view: BeamView | RootView,
    kind: CodeProbabilities,
    codebook: Int[Tensor, "B V"],
    codes: Int[Tensor, "B V P"],
    open_codes: Bool[Tensor, "B V K"],
) -> Float[Tensor, "B V K"]:
    """Log-probability of every open code of the chosen codebooks; what it gives for closed ones means nothing."""
    if kind == "item_marginal":
        return _mass_log_probs(view, codes, open_codes)
    row = codebook[..., None, None].expand(-1, -1, 1, open_codes.shape[-1])
    by_heads = log_softmax_over(view.readings.head_log_probs.gather(2, row)[:, :, 0], open_codes)
    if kind == "heads":
        return by_heads
    return log_mean(_mass_log_probs(view, codes, open_codes), by_heads)


def _mass_log_probs(
    view: BeamView | RootView, codes: Int[Tensor, "B V P"], open_codes: Bool[Tensor, "B V K"]
) -> Float[Tensor, "B V K"]:
    """Log of the mass of the items that carry each code."""
    by_item = view.item_log_probs
    mass = _bins(by_item, open_codes.shape[-1], 0).scatter_add_(2, codes, by_item.exp())
    best = _bins(by_item, open_codes.shape[-1], IMPOSSIBLE).scatter_reduce_(2, codes, by_item, "amax")
    # a mass below the smallest float is at least that of its best item; the logarithm of 0 would be slow
    return torch.maximum(mass.clamp_min_(torch.finfo(mass.dtype).tiny).log_(), best)
