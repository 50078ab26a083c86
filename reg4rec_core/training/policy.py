"""Log-probabilities of given paths, with gradients: the policy that GRPO improves.

The same network, catalogue mask and code probabilities as in decoding, so that a path has here the probability with
which decoding would choose it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reg4rec_core.config import CodeProbabilities
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.decoding.code_probabilities import log_mean, log_softmax_over
from reg4rec_core.model import EncoderDecoder
from reg4rec_core.training.rollouts import OpenItems, SampledPaths


@dataclass(frozen=True)
class EncodedHistories:
    """Histories as the decoder reads them, and the items that their paths may end at."""

    table: Float[Tensor, "N D"]
    memory: Float[Tensor, "B L D"]
    history: Int[Tensor, "B L"]
    allowed: Bool[Tensor, "B N"]
    evidence: Float[Tensor, "B N"]
    """What transitions add to the item logits."""

    @property
    def last(self) -> Int[Tensor, "B"]:
        return torch.full((len(self.history),), self.history.shape[1] - 1, device=self.history.device)


def encode_histories(
    network: EncoderDecoder,
    history: Int[Tensor, "B L"],
    excluded: Bool[Tensor, "B N"],
    following: Int[Tensor, "B S"],
) -> EncodedHistories:
    """Run the encoder, with gradients; what these shoppers bought next (`following`) is left out of the evidence."""
    table = network.item_table()
    allowed = ~excluded & (torch.arange(len(table), device=table.device) > 0)
    evidence = network.evidence(history, following)
    return EncodedHistories(table, network.encode(history, table), history, allowed, evidence)


def path_log_probs(
    network: EncoderDecoder,
    index: ItemIndex,
    encoded: EncodedHistories,
    paths: SampledPaths,
    *,
    kind: CodeProbabilities,
) -> Float[Tensor, "B G T"]:
    """Log-probability of every code of every path among the codes still allowed, nats; 0 where nothing was left open.

    Codebooks stay as they were chosen when the paths were sampled.
    """
    rows, n_rollouts, _ = paths.codes.shape
    table, allowed = encoded.table, encoded.allowed
    order, codes = paths.codebooks.flatten(0, 1), paths.codes_by_codebook.flatten(0, 1)
    decoded = network.decode(encoded.memory, encoded.history, encoded.last, order, codes)
    by_items, by_heads = [], []
    if kind != "heads":
        # the first state is the same for all G paths
        first = decoded.queries[::n_rollouts, 0] @ table.T + encoded.evidence  # (B, N)
        by_items = [
            first_step_by_items(first, allowed, index, paths),
            later_steps_by_items(decoded.queries, encoded, paths.open_items)[:, 1:].unflatten(0, (rows, n_rollouts)),
        ]
    if kind != "item_marginal":
        chosen = order[..., None, None].expand(-1, -1, 1, index.codebook_size)
        logits = network.code_logits(decoded.states).gather(2, chosen)[:, :, 0]  # (E, T, K)
        logits = logits.unflatten(0, (rows, n_rollouts))
        opened = open_codes(allowed, index, paths)
        log_probs = log_softmax_over(logits, opened | ~opened.any(3, keepdim=True)).gather(3, paths.codes[..., None])
        by_heads = [log_probs[..., 0].masked_fill(~opened.any(3), 0)]
    readings = [torch.cat(parts, 2) for parts in (by_items, by_heads) if parts]
    return readings[0] if len(readings) == 1 else log_mean(readings[0], readings[1])


def first_step_by_items(
    logits: Float[Tensor, "B N"], allowed: Bool[Tensor, "B N"], index: ItemIndex, paths: SampledPaths
) -> Float[Tensor, "B G 1"]:
    """Mass of the allowed items that carry each path's first code, under the first state's softmax; log."""
    log_probs = log_softmax_over(logits, allowed)
    items = index.postings(paths.codebooks[..., 0], paths.codes[..., 0])  # (B, G, P)
    rows, n_rollouts, width = items.shape
    by_item = log_probs.gather(1, items.flatten(1)).view(rows, n_rollouts, width)
    return torch.logsumexp(by_item, 2, keepdim=True)


def later_steps_by_items(
    queries: Float[Tensor, "E T D"], encoded: EncodedHistories, open_items: OpenItems
) -> Float[Tensor, "E T"]:
    """Mass of the open items that each step kept, under that step's softmax over its open items; log."""
    n_segments = queries.shape[0] * queries.shape[1]
    vectors = torch.nn.functional.embedding(open_items.item, encoded.table)
    logits = (torch.nn.functional.embedding(open_items.segment, queries.flatten(0, 1)) * vectors).sum(1)  # (n,)
    history = open_items.segment // (n_segments // len(encoded.evidence))
    logits = logits + encoded.evidence[history, open_items.item]
    everything = segment_logsumexp(logits, open_items.segment, n_segments)
    kept = segment_logsumexp(logits[open_items.kept], open_items.segment[open_items.kept], n_segments)
    return (kept - everything).view(queries.shape[:2])


def segment_logsumexp(
    values: Float[Tensor, "n"], segments: Int[Tensor, "n"], n_segments: int
) -> Float[Tensor, "segments"]:
    """logsumexp of the values of each segment; 0 for a segment without values."""
    peak = values.detach().new_full((n_segments,), -torch.inf).scatter_reduce_(0, segments, values.detach(), "amax")
    summed = values.new_zeros(n_segments).index_add(0, segments, (values - peak[segments]).exp())
    filled = summed > 0
    return torch.where(filled, summed.masked_fill(~filled, 1).log() + peak.masked_fill(~filled, 0), 0)


def open_codes(allowed: Bool[Tensor, "B N"], index: ItemIndex, paths: SampledPaths) -> Bool[Tensor, "B G T K"]:
    """Which codes of each step's codebook led to an open item; none where a single item was left."""
    rows, n_rollouts, n_steps = paths.codes.shape
    at_root = torch.zeros(rows, index.n_codebooks * index.codebook_size, dtype=torch.bool, device=allowed.device)
    row, item = torch.nonzero(allowed, as_tuple=True)
    at_root[row[:, None], index.flat_codes[item]] = True
    at_root = at_root.unflatten(1, (index.n_codebooks, index.codebook_size))
    opened = torch.zeros(rows * n_rollouts * n_steps, index.codebook_size, dtype=torch.bool, device=allowed.device)
    segment, item = paths.open_items.segment, paths.open_items.item
    opened[segment, index.codes[item, paths.codebooks.flatten()[segment]]] = True
    opened = opened.view(rows, n_rollouts, n_steps, index.codebook_size)
    opened[:, :, 0] = at_root.gather(1, paths.codebooks[:, :, 0, None].expand(-1, -1, index.codebook_size))
    return opened
