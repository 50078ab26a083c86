"""What a reasoning path is worth: the four reward terms of PARS, the future window of MSRA, group advantages.

The paper (REG4Rec, Eq. 8 to 16) gives the four terms and their unweighted sum, the window h = 3 with decay 0.8, and
leaves consistency out of the window. Its prose calls the path reward positive "if any" item of the window is retrieved;
Eq. 16 is the weighted mean, which is what stands here. Eq. 14 would leave d wrong codewords out of the sum; Alg. 2 sums
all M, and so do we.

The paper is silent, and our choice is: the N of Top-N, an argument here; similarity is the cosine; logarithms are
natural, so that consistency lies in [1 - ln 2, 1] and each other term in [0, 1]; a window that is cut has its weights
renormalised; terms travel unweighted and `RewardWeights` multiplies them; the standard deviation of Eq. 8 is the
population's and has a floor, and a group that differs in consistency alone has no signal: that term is continuous, no
two rollouts have it equal, and dividing by a tiny deviation would turn noise into full-size advantages.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import RewardWeights
from reg4rec_core.metrics import js_divergence

REWARD_TERMS = ("step", "category", "consistency", "path")
"""The Q terms in the order of the last axis of `reward_terms`; the fields of `RewardWeights`."""

TARGET_TERMS = (0, 1, 3)
"""The terms that know the target; consistency does not."""

SAME = 1e-6
"""Rewards of a group that lie no further apart than this are equal."""

CHUNK_ROWS = 64
"""Rows of similarities to the whole catalogue alive at a time."""


def step_hits(codes: Int[Tensor, "B G M"], window_codes: Int[Tensor, "B S M"]) -> Float[Tensor, "B G S"]:
    """Share of a path's codes that an item has, too (Eq. 10); codes stand by codebook, so their order does not matter.

    Example: the codes (5, 2, 7, 0) and an item (5, 2, 3, 0) share three of four: 0.75.
    """
    return (codes[:, :, None] == window_codes[:, None]).float().mean(-1)


def category_hits(believed: Int[Tensor, "B G T"], window_categories: Int[Tensor, "B S"]) -> Float[Tensor, "B G S"]:
    """Share of steps whose most probable category is an item's (Eq. 11, which prints "predicted" for "true").

    Example: beliefs that favour the categories (4, 1, 4, 4) of an item of category 4: 0.75.
    """
    return (believed[:, :, None] == window_categories[:, None, :, None]).float().mean(-1)


def consistency(beliefs: Float[Tensor, "B G T C"]) -> Float[Tensor, "B G"]:
    """1 - mean Jensen-Shannon divergence of successive beliefs (Eq. 12 and 13), in [1 - ln 2, 1].

    Example: three beliefs (1, 0), (1, 0), (0, 1) diverge by 0 and ln 2: 1 - ln 2 / 2 = 0.653.
    """
    if beliefs.shape[2] < 2:
        raise ValueError(f"consistency compares successive beliefs and needs at least 2, got {beliefs.shape[2]}")
    precise = beliefs.double()
    return (1 - js_divergence(precise[:, :, :-1], precise[:, :, 1:]).mean(-1)).to(beliefs.dtype)


def path_hits(nearest: Int[Tensor, "B G n"], window: Int[Tensor, "B S"]) -> Float[Tensor, "B G S"]:
    """1 for an item that is among the n nearest to the sum of the path's codewords, else 0 (Eq. 14); 0 is no item.

    Example: nearest (3, 9, 4) and a window (9, 5): 1 and 0.
    """
    found = (nearest[:, :, None] == window[:, None, :, None]).any(-1)
    return (found & (window > 0)[:, None]).float()


def nearest_items(sums: Float[Tensor, "V d"], vectors: Float[Tensor, "N d"], n: int) -> Int[Tensor, "V n"]:
    """The n items nearest to each vector by cosine, nearest first; those equally near go by item. Row 0 is no item.

    Example: of the items (1, 0), (0, 1) and (1, 1), the two nearest to (2, 1) are 3 and 1.
    """
    n_items = len(vectors)
    if not 1 <= n < n_items:
        raise ValueError(f"n must lie in [1, {n_items - 1}], got {n}")
    directions = torch.nn.functional.normalize(vectors.double(), dim=1)
    items = torch.arange(n_items, device=vectors.device)
    found = [torch.zeros(0, n, dtype=torch.int64, device=vectors.device)]
    for chunk in sums.double().split(CHUNK_ROWS):
        # whole millionths, as equal vectors may differ in the last bit of a product; then the item breaks the tie
        similarities = (torch.nn.functional.normalize(chunk, dim=1) @ directions.T).mul_(1e6).round_()
        keys = similarities.mul_(n_items).sub_(items)  # whole numbers far below 2 ** 53, so exact
        keys[:, 0] = -torch.inf
        found.append(keys.topk(n, dim=1).indices)
    return torch.cat(found)


def window_weights(window: Int[Tensor, "B S"], *, decay: float) -> Float[Tensor, "B S"]:
    """Weight of each future item, decay ** (j - 1) for the j-th, summing to 1 over the items there are (Eq. 15, MSRA).

    Example: decay 0.8 and a window (6, 2, 0) cut after two items: (1, 0.8, 0) / 1.8.
    """
    real = window > 0
    if not bool(real.any(1).all()):
        raise ValueError("every window must hold at least one item")
    powers = decay ** torch.arange(window.shape[1], dtype=torch.float32, device=window.device)
    weights = powers * real
    return weights / weights.sum(1, keepdim=True)


def windowed(hits: Float[Tensor, "B G S"], weights: Float[Tensor, "B S"]) -> Float[Tensor, "B G"]:
    """The weighted mean of hits over the window (Eq. 15 and 16).

    Example: hits (1, 0.5, 0) under the weights (1, 0.8, 0.64) / 2.44: 1.4 / 2.44 = 0.574.
    """
    return (hits * weights[:, None]).sum(-1)


def reward_terms(
    codes: Int[Tensor, "B G M"],
    beliefs: Float[Tensor, "B G T C"],
    nearest: Int[Tensor, "B G n"],
    window: Int[Tensor, "B S"],
    *,
    item_codes: Int[Tensor, "N M"],
    item_categories: Int[Tensor, "N"],
    decay: float,
) -> Float[Tensor, "B G Q"]:
    """The four terms of each rollout, unweighted, in the order of `REWARD_TERMS`; all but consistency are windowed.

    `window` holds the next items, nearest first, 0 where there is none; row i of `item_codes` and `item_categories`
    describes item i. Codes stand by codebook.
    """
    weights = window_weights(window, decay=decay)
    terms = (
        windowed(step_hits(codes, item_codes[window]), weights),
        windowed(category_hits(beliefs.argmax(-1), item_categories[window]), weights),
        consistency(beliefs),
        windowed(path_hits(nearest, window), weights),
    )
    return torch.stack(terms, -1)


def total_reward(terms: Float[Tensor, "B G Q"], weights: RewardWeights) -> Float[Tensor, "B G"]:
    """The weighted sum of the terms; the paper's weights are all 1.

    Example: terms (0.5, 0.25, 0.9, 1) under step=1,path=2: 2.5.
    """
    return (terms * _by_term(terms, weights)).sum(-1)


@dataclass(frozen=True)
class Advantages:
    """How much better each rollout did than its group."""

    values: Float[Tensor, "B G"]
    """Zero throughout a group without signal."""
    has_signal: Bool[Tensor, "B"]
    """Whether the group's rewards say anything about the target."""


def group_advantages(terms: Float[Tensor, "B G Q"], weights: RewardWeights, *, std_floor: float) -> Advantages:
    """Rewards minus the group's mean, over its standard deviation or the floor, whichever is larger (Eq. 8).

    A group has signal where a weighted target term differs inside it; if no target term counts, where the total does.
    Example: totals (1, 1, 3, 3) have mean 2 and deviation 1: (-1, -1, 1, 1).
    """
    if std_floor <= 0:
        raise ValueError(f"std_floor must be > 0, got {std_floor}")
    totals = total_reward(terms, weights)
    by_term = _by_term(terms, weights)
    counted = [term for term in TARGET_TERMS if float(by_term[term]) > 0]
    judged = terms[..., counted] if counted else totals[..., None]  # (B, G, terms that can give signal)
    has_signal = (judged.amax(1) - judged.amin(1) > SAME).any(1)
    centred = totals - totals.mean(1, keepdim=True)
    deviation = centred.square().mean(1, keepdim=True).sqrt()
    values = centred / deviation.clamp_min(std_floor)
    return Advantages(values.masked_fill(~has_signal[:, None], 0), has_signal)


def _by_term(terms: Float[Tensor, "B G Q"], weights: RewardWeights) -> Float[Tensor, "Q"]:
    """The weights in the order of the terms."""
    return terms.new_tensor([getattr(weights, term) for term in REWARD_TERMS])
