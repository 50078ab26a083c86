"""One training batch -> the loss terms of supervised pre-training (REG4Rec III-C)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from reg4rec_core.model import EncoderDecoder, SparseRows
from reg4rec_core.training.losses import PretrainLosses, catalog_loss, category_loss, left_items_loss, token_loss
from reg4rec_core.training.parallel import no_loss


@dataclass(frozen=True)
class CatalogTensors:
    """What the losses need to know of the catalogue."""

    codes: Int[Tensor, "N M"]
    categories: Int[Tensor, "N"]

    @cached_property
    def codes_by_codebook(self) -> Int[Tensor, "M N"]:
        """The same codes, small and contiguous, for comparisons over the whole catalogue."""
        return self.codes.T.to(torch.int16 if self.codes.max() < 2**15 else torch.int32).contiguous()

    def to(self, device: torch.device) -> "CatalogTensors":
        return CatalogTensors(self.codes.to(device), self.categories.to(device))


@dataclass(frozen=True)
class Prefixes:
    """Prefixes of the windows of a batch that the decoder learns from: window `row` up to position `last`."""

    rows: Int[Tensor, "E"]
    last: Int[Tensor, "E"]
    orders: Int[Tensor, "E M"]
    """The random order in which each target's codebooks are emitted."""

    def to(self, device: torch.device) -> "Prefixes":
        return Prefixes(self.rows.to(device), self.last.to(device), self.orders.to(device))


@dataclass(frozen=True)
class BatchShare:
    """The rows of a global batch that one worker computes, and how much of the batch they are."""

    windows: Int[Tensor, "B length"]
    prefixes: Prefixes
    of_positions: float
    """Real positions in `windows` over those of the global batch."""
    of_prefixes: float
    """Prefixes over those of the global batch."""

    def to(self, device: torch.device) -> "BatchShare":
        return BatchShare(self.windows.to(device), self.prefixes.to(device), self.of_positions, self.of_prefixes)


def share_of_batch(windows: Int[Tensor, "B length"], prefixes: Prefixes, rows: slice) -> BatchShare:
    """The windows `rows` and the prefixes drawn from them, renumbered."""
    own = windows[rows]
    place = torch.full((len(windows),), -1)
    place[rows] = torch.arange(len(own))
    renumbered = place[prefixes.rows]
    mine = renumbered >= 0
    real = windows[:, :-1] > 0
    return BatchShare(
        own,
        Prefixes(renumbered[mine], prefixes.last[mine], prefixes.orders[mine]),
        of_positions=int(real[rows].sum()) / int(real.sum()),
        of_prefixes=int(mine.sum()) / max(len(mine), 1),
    )


def draw_prefixes(
    real: Bool[Tensor, "B L"], *, per_window: int, n_codebooks: int, generator: torch.Generator
) -> Prefixes:
    """`per_window` prefixes a window on average, without repetition (all of them where there are fewer)."""
    rows, last = torch.nonzero(real, as_tuple=True)
    kept = torch.randperm(len(rows), generator=generator)[: per_window * len(real)]
    orders = torch.rand(len(kept), n_codebooks, generator=generator).argsort(1)
    return Prefixes(rows[kept], last[kept], orders)


def pretrain_losses(
    network: EncoderDecoder, windows: Int[Tensor, "B length"], catalog: CatalogTensors, prefixes: Prefixes
) -> PretrainLosses:
    """All terms for one batch of windows (history and next item at every position); those without examples are 0."""
    if not len(windows):
        return PretrainLosses(*[no_loss(network)] * 5)
    history, targets = windows[:, :-1], windows[:, 1:]
    table = network.item_table()
    memory = network.encode(history, table)
    real = history > 0
    evidence = evidence_everywhere(network, windows)
    encoder_item = catalog_loss(memory[real], table, targets[real], evidence.take(real.flatten().nonzero()[:, 0]))

    if not len(prefixes.rows):
        return PretrainLosses(encoder_item, *[no_loss(network)] * 4)
    rows, last, orders = prefixes.rows, prefixes.last, prefixes.orders
    target = targets[rows, last]
    path = network.decode(memory[rows], history[rows], last, orders, catalog.codes[target])
    at_prefixes = evidence.take(rows * history.shape[1] + last)
    counted = at_prefixes.dense(len(table))
    return PretrainLosses(
        encoder_item=encoder_item,
        first_item=catalog_loss(path.queries[:, 0], table, target, at_prefixes),
        left_item=remaining_items_loss(path.queries, table, catalog, target, orders, counted),
        token=token_loss(network.code_logits(path.states), catalog.codes[target], orders),
        category=category_loss(path.category_logits, catalog.categories[target]),
    )


def evidence_everywhere(network: EncoderDecoder, windows: Int[Tensor, "B length"]) -> SparseRows:
    """Evidence of transitions at every position of every window, row b x L + t; the window's own are left out."""
    return network.evidence_rows(windows, np.arange(windows.shape[1] - 1))


class PretrainStep(nn.Module):
    """The losses as a module's forward, which is what training with several workers wraps."""

    def __init__(self, network: EncoderDecoder, catalog: CatalogTensors) -> None:
        super().__init__()
        self.network, self.catalog = network, catalog

    def forward(self, share: BatchShare) -> PretrainLosses:
        """This worker's summands: over all workers they add up to the terms of the global batch.

        Every term is a mean over real positions or over prefixes (each prefix has the same number of steps and of
        unused codebooks), so a worker's mean counts by its share of them.
        """
        losses = pretrain_losses(self.network, share.windows, self.catalog, share.prefixes)
        return PretrainLosses(
            encoder_item=losses.encoder_item * share.of_positions,
            first_item=losses.first_item * share.of_prefixes,
            left_item=losses.left_item * share.of_prefixes,
            token=losses.token * share.of_prefixes,
            category=losses.category * share.of_prefixes,
        )


def remaining_items_loss(
    queries: Float[Tensor, "E M D"],
    table: Float[Tensor, "N D"],
    catalog: CatalogTensors,
    target: Int[Tensor, "E"],
    orders: Int[Tensor, "E M"],
    evidence: Float[Tensor, "E N"],
) -> Float[Tensor, ""]:
    """Sum over steps t >= 1 of -log p(target | items that share the target's first t codes), mean over prefixes.

    After one code some hundred items may be left: scored densely, the rest masked. After two codes only a handful is
    left: gathered once and shared by all later steps.
    """
    target_codes = catalog.codes[target]
    wanted = target_codes.gather(1, orders).to(catalog.codes_by_codebook.dtype)  # in the order they are emitted, (E, M)
    after_one = catalog.codes_by_codebook[orders[:, 0]] == wanted[:, :1]  # (E, N)
    after_one[:, 0] = False
    is_target = torch.zeros_like(after_one).scatter_(1, target[:, None], True)
    loss = left_items_loss(queries[:, 1] @ table.T + evidence, after_one, is_target)
    if orders.shape[1] == 2:
        return loss

    after_two = after_one & (catalog.codes_by_codebook[orders[:, 1]] == wanted[:, 1:2])
    items = padded_rows(after_two)  # (E, P)
    vectors = torch.nn.functional.embedding(items, table)
    logits = torch.einsum("etd,epd->etp", queries[:, 2:], vectors) + evidence.gather(1, items)[:, None]  # (E, M - 2, P)
    agrees = (catalog.codes[items] == target_codes[:, None]).gather(2, orders[:, None].expand(-1, items.shape[1], -1))
    still = agrees.cumprod(2).bool()[:, :, 1:-1].transpose(1, 2)  # after two, three, ... codes, (E, M - 2, P)
    allowed = still & (items > 0)[:, None]
    right = (items == target[:, None])[:, None].expand_as(allowed)
    steps = logits.shape[1]
    return loss + steps * left_items_loss(logits.flatten(0, 1), allowed.flatten(0, 1), right.flatten(0, 1))


def padded_rows(mask: Bool[Tensor, "E N"]) -> Int[Tensor, "E P"]:
    """Column numbers of the true entries of each row, padded on the right with 0."""
    rows, columns = torch.nonzero(mask, as_tuple=True)
    counts = mask.sum(1)
    starts = counts.cumsum(0) - counts
    packed = torch.zeros(len(mask), int(counts.max()), dtype=torch.long, device=mask.device)
    packed[rows, torch.arange(len(rows), device=mask.device) - starts[rows]] = columns
    return packed
