"""What pre-training minimises: item losses over the catalogue and over what is left, token loss, category loss."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import PretrainConfig
from reg4rec_core.model import SparseRows

CHUNK_ROWS = 128
"""Rows of catalogue logits alive at a time: 128 x 12,000 floats stay in the last-level cache."""


class _CatalogCrossEntropy(torch.autograd.Function):
    """Summed cross-entropy over all items whose logits never leave the cache: gradients are made with the loss."""

    @staticmethod
    def forward(ctx, queries: Tensor, table: Tensor, targets: Tensor, evidence: SparseRows) -> Tensor:
        total = queries.new_zeros(())
        grad_queries = torch.empty_like(queries)
        grad_table = torch.zeros_like(table)
        for start in range(0, len(queries), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            chunk, wanted = queries[rows], targets[rows, None]
            logits = chunk @ table.T
            places, values = evidence.places(start, start + len(chunk), len(table))
            logits.view(-1).index_add_(0, places, values)
            logits[:, 0] = -torch.inf  # padding is never an answer
            target_logits = logits.gather(1, wanted)
            peak = logits.amax(1, keepdim=True)
            probabilities = logits.sub_(peak).exp_()
            mass = probabilities.sum(1, keepdim=True)
            total += (mass.log() + peak - target_logits).sum()
            probabilities.div_(mass).scatter_add_(1, wanted, wanted.new_full(wanted.shape, -1).to(mass.dtype))
            grad_queries[rows] = probabilities @ table
            grad_table.addmm_(probabilities.T, chunk)
        ctx.save_for_backward(grad_queries, grad_table)
        return total

    @staticmethod
    def backward(ctx, upstream: Tensor) -> tuple[Tensor, Tensor, None, None]:
        grad_queries, grad_table = ctx.saved_tensors
        return upstream * grad_queries, upstream * grad_table, None, None


def catalog_loss(
    queries: Float[Tensor, "B D"], table: Float[Tensor, "N D"], targets: Int[Tensor, "B"], evidence: SparseRows
) -> Float[Tensor, ""]:
    """Mean of -log p(target), p the softmax of query . item + evidence over all items but padding."""
    return _CatalogCrossEntropy.apply(queries, table, targets, evidence) / max(len(queries), 1)


def left_items_loss(
    logits: Float[Tensor, "B P"], allowed: Bool[Tensor, "B P"], is_target: Bool[Tensor, "B P"]
) -> Float[Tensor, ""]:
    """Mean of -log of the target's share among the items that the codes so far still allow."""
    scores = logits.masked_fill(~allowed, -torch.inf)
    wanted = logits.masked_fill(~is_target, -torch.inf)
    return (torch.logsumexp(scores, -1) - torch.logsumexp(wanted, -1)).mean()


def token_loss(
    logits: Float[Tensor, "B T M K"], codes: Int[Tensor, "B M"], order: Int[Tensor, "B M"]
) -> Float[Tensor, ""]:
    """Mean of -log p(target's code) over every step and every codebook not yet used at that step (Eq. 6).

    CRSS compares all unused codebooks at every step, so all of them are trained at every step.
    """
    batch, steps, n_codebooks, size = logits.shape
    wanted = codes[:, None, :].expand(batch, steps, n_codebooks)
    losses = torch.nn.functional.cross_entropy(logits.reshape(-1, size), wanted.reshape(-1), reduction="none")
    unused = unused_codebooks(order)
    return (losses.view(batch, steps, n_codebooks) * unused).sum() / unused.sum()


def unused_codebooks(order: Int[Tensor, "B M"]) -> Bool[Tensor, "B T M"]:
    """unused[b, t, m]: codebook m is not among the first t of `order[b]` (T = M)."""
    rank = order.argsort(1)  # (B, M), the step at which a codebook is emitted
    steps = torch.arange(order.shape[1], device=order.device)
    return rank[:, None, :] >= steps[:, None]


def category_loss(logits: Float[Tensor, "B T C"], categories: Int[Tensor, "B"]) -> Float[Tensor, ""]:
    """Mean of -log p(the target's category) over every step (Eq. 7, which prints "predicted" for "true")."""
    wanted = categories[:, None].expand(logits.shape[:2])
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())


@dataclass(frozen=True)
class PretrainLosses:
    """The terms of one step, unweighted; of a worker's share, its summands of the global batch's terms."""

    encoder_item: Float[Tensor, ""]
    """Next item from the encoder alone, at every position."""
    first_item: Float[Tensor, ""]
    """Next item from the decoder's first state, over the catalogue."""
    left_item: Float[Tensor, ""]
    """The target among the items left after each code, mean over steps."""
    token: Float[Tensor, ""]
    category: Float[Tensor, ""]

    def total(self, config: PretrainConfig) -> Float[Tensor, ""]:
        """What is minimised: the terms with their weights."""
        item = self.encoder_item + self.first_item + self.left_item
        return config.item_weight * item + config.token_weight * self.token + config.category_weight * self.category
