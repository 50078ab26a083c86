"""The reasoning network: a causal encoder over a history, a decoder over codes, and three kinds of heads."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from reg4rec_core.model.transformer import MASKED, DecoderLayer, EncoderLayer
from reg4rec_core.model.transitions import SparseRows, Transitions, sparse_rows


@dataclass(frozen=True)
class DecodedPath:
    """Teacher-forced decoder states: position t has seen the first t codes of the path."""

    states: Float[Tensor, "E T D"]
    """Normalised decoder states; the code heads and the category head read them."""
    queries: Float[Tensor, "E T D"]
    """Item queries: the encoder's view of the history, revised by what the decoder makes of the codes."""
    category_logits: Float[Tensor, "E T C"]
    """The belief over categories after the first t codes, unnormalised."""


CODE_TRUST = 0.9
"""Start of `code_trust`; of 0, .1, .2, .3, .5, .8 and 1 the last two did best along the true codes, untrained."""
SMOOTHING = 1.0
"""Items of the average category that a code is thought to have had beside its own."""


class EncoderDecoder(nn.Module):
    """REG4Rec's encoder-decoder (III-C) with item vectors made from codes.

    A history item enters as one vector, the sum of its code embeddings and a residual of its own, instead of as M
    tokens: a tenth of the cost. The encoder is causal, so that one pass trains every position of a sequence. What other
    shoppers bought next joins the item logits of every state as evidence with a fixed weight.
    """

    def __init__(
        self,
        codes: Int[Tensor, "N M"],
        *,
        codebook_size: int,
        n_categories: int,
        history_length: int,
        width: int,
        hidden: int,
        encoder_layers: int,
        decoder_layers: int,
        n_heads: int,
        dropout: float = 0.0,
        decoder_dropout: float = 0.0,
        filter_share: float = 0.0,
        transition_weight: float = 0.0,
        transitions: Transitions | None = None,
    ) -> None:
        super().__init__()
        n_items, n_codebooks = codes.shape
        self.codebook_size, self.n_codebooks, self.n_items = codebook_size, n_codebooks, n_items
        self.n_categories, self.history_length = n_categories, history_length
        if transition_weight and transitions is None:
            raise ValueError("a transition_weight above 0 needs the transitions of the training sequences")
        self.transition_weight, self.transitions = transition_weight, transitions
        offsets = torch.arange(n_codebooks, device=codes.device) * codebook_size
        self.register_buffer("flat_codes", codes + offsets, persistent=False)
        """Row of every item's codes in the joint code table, N x M."""
        self.code_embedding = nn.Embedding(n_codebooks * codebook_size, width)
        self.item_residual = nn.Embedding(n_items, width)
        self.codebook_embedding = nn.Embedding(n_codebooks, width)
        self.step_embedding = nn.Embedding(n_codebooks, width)
        self.encoder_recency = nn.Parameter(torch.zeros(n_heads, history_length))
        self.cross_recency = nn.Parameter(torch.zeros(n_heads, history_length))
        self.input_norm = nn.LayerNorm(width)
        self.encoder = nn.ModuleList(
            EncoderLayer(width, hidden, n_heads, dropout, filter_share=filter_share) for _ in range(encoder_layers)
        )
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(
            DecoderLayer(width, hidden, n_heads, decoder_dropout) for _ in range(decoder_layers)
        )
        self.decoder_norm = nn.LayerNorm(width)
        self.revision = nn.Linear(width, width, bias=False)
        self.code_heads = nn.Linear(width, n_codebooks * codebook_size)
        self.category_head = nn.Linear(width, n_categories)
        self.code_categories = nn.Embedding(n_codebooks * codebook_size, n_categories)
        """What a code by itself says of the category, log-odds."""
        self.code_trust = nn.Parameter(torch.full((n_codebooks,), CODE_TRUST))
        """How much the sum of what t codes say counts, t = 0..M-1: codes of an item say much the same."""
        self.dropout = nn.Dropout(dropout)
        self.decoder_input_dropout = nn.Dropout(decoder_dropout)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1 and "recency" not in name:
                nn.init.normal_(parameter, std=0.02)
        nn.init.zeros_(self.revision.weight)  # the decoder starts by agreeing with the encoder
        nn.init.zeros_(self.code_categories.weight)

    def encoder_parameters(self) -> list[nn.Parameter]:
        """What the encoder's own ranking depends on: item vectors and the layers over the history."""
        modules = (self.code_embedding, self.item_residual, self.input_norm, self.encoder, self.encoder_norm)
        return [*(p for module in modules for p in module.parameters()), self.encoder_recency]

    def item_table(self) -> Float[Tensor, "N D"]:
        """v_i = sum of the item's code embeddings + its residual; the padding row is zero."""
        summed = nn.functional.embedding_bag(self.flat_codes, self.code_embedding.weight, mode="sum")
        table = summed + self.item_residual.weight
        return torch.cat([torch.zeros_like(table[:1]), table[1:]])

    @torch.no_grad()
    def read_categories(self, categories: Int[Tensor, "N"]) -> None:
        """Start the belief from the catalogue: log p(category | code) - log p(category).

        A decoder alone needs very many examples to learn what kind of thing each of M x K codes stands for.
        """
        of_item = nn.functional.one_hot(categories[1:], self.n_categories).to(self.code_categories.weight.dtype)
        counts = torch.zeros_like(self.code_categories.weight)
        for codes in self.flat_codes[1:].T:
            counts.index_add_(0, codes, of_item)
        overall = (of_item.sum(0) + 1) / (of_item.sum() + self.n_categories)
        shares = (counts + SMOOTHING * overall) / (counts.sum(1, keepdim=True) + SMOOTHING)
        self.code_categories.weight.copy_(shares.log() - overall.log())

    @torch.no_grad()
    def read_features(self, features: Float[Tensor, "N F"], *, scale: float) -> None:
        """Start every item's own vector from what is known of the item, so that alike items start alike.

        The features' D first principal components, brought to the standard deviation `scale` and turned at random, so
        that no attention head gets the largest of them alone.
        """
        width = self.item_residual.weight.shape[1]
        centred = features[1:] - features[1:].mean(0)
        left, sizes, _ = torch.linalg.svd(centred, full_matrices=False)
        components = (left * sizes)[:, :width]
        turn = nn.init.orthogonal_(torch.empty(width, width))[: components.shape[1]]
        self.item_residual.weight[1:] = scale / components.std().clamp_min(1e-12) * components @ turn

    def evidence_rows(self, sequences: Int[Tensor, "B T"], positions: Int[np.ndarray, "P"]) -> SparseRows:
        """What transitions add to item logits after each position of each sequence: row b x P + i (`Transitions`).

        Columns behind a position are the shopper's own later items, left out of the counts.
        """
        like = self.item_residual.weight
        if self.transitions is None or not self.transition_weight:
            return SparseRows.empty(len(sequences) * len(positions), like)
        counted = self.transitions.evidence(sequences.numpy(force=True), positions)
        return sparse_rows(counted, weight=self.transition_weight, like=like)

    def evidence(self, history: Int[Tensor, "B L"], following: Int[Tensor, "B S"]) -> Float[Tensor, "B N"]:
        """The same at the end of histories; `following` (S may be 0) holds what these shoppers bought afterwards."""
        last = np.array([history.shape[1] - 1])
        return self.evidence_rows(torch.cat([history, following], 1), last).dense(self.n_items)

    def encode(self, history: Int[Tensor, "B L"], table: Float[Tensor, "N D"]) -> Float[Tensor, "B L D"]:
        """State after every item of left-padded histories; position t has seen items up to t."""
        length = history.shape[1]
        states = self.dropout(self.input_norm(nn.functional.embedding(history, table)))
        position = torch.arange(length, device=history.device)
        distance = position[:, None] - position  # (L, L), how many items ago
        bias = self.encoder_recency[:, distance.clamp_min(0)].masked_fill(distance < 0, MASKED)  # (H, L, L)
        real = history > 0
        bias = bias + MASKED * ~real[:, None, None, :]
        for layer in self.encoder:
            states = layer(states, bias, real)
        return self.encoder_norm(states)

    def history_bias(
        self, history: Int[Tensor, "B L"], last: Int[Tensor, "B"], length: int
    ) -> Float[Tensor, "B H 1 L"]:
        """Cross-attention bias of prefixes that end at position `last`: learnt recency, nothing later, no padding."""
        distance = last[:, None] - torch.arange(length, device=history.device)  # (B, L)
        hidden = (distance < 0) | (history == 0)
        bias = self.cross_recency[:, distance.clamp_min(0)].transpose(0, 1)  # (B, H, L)
        return bias.masked_fill(hidden[:, None], MASKED)[:, :, None]

    def code_inputs(self, codebook: Int[Tensor, "*shape"], code: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape D"]:
        """Embedding of an emitted code: the code itself and the codebook it comes from."""
        return self.code_embedding(codebook * self.codebook_size + code) + self.codebook_embedding(codebook)

    def decode(
        self,
        memory: Float[Tensor, "B L D"],
        history: Int[Tensor, "B L"],
        last: Int[Tensor, "B"],
        order: Int[Tensor, "E M"],
        codes: Int[Tensor, "E M"],
    ) -> DecodedPath:
        """Teacher forcing: `codes[e, m]` is path e's code of codebook m, emitted in the order `order[e]`.

        Each history has the same number of paths, E / B, side by side: path e belongs to history e // (E / B).
        """
        rows = torch.arange(len(last), device=last.device)
        start = memory[rows, last].repeat_interleave(len(order) // len(last), 0)  # (E, D)
        emitted = order[:, :-1]  # the last code is predicted, never an input
        inputs = self.code_inputs(emitted, codes.gather(1, emitted))
        states = torch.cat([start[:, None], inputs], 1) + self.step_embedding.weight
        states = self.decoder_input_dropout(states)
        steps = torch.arange(states.shape[1], device=last.device)
        causal = torch.where(steps[:, None] >= steps, 0.0, MASKED)
        recency = self.history_bias(history, last, history.shape[1])
        for layer in self.decoder:
            states = layer(states, memory, causal, recency)
        states = self.decoder_norm(states)
        told = self.code_categories(emitted * self.codebook_size + codes.gather(1, emitted)).cumsum(1)  # (E, M - 1, C)
        told = torch.cat([torch.zeros_like(told[:, :1]), told], 1)
        beliefs = self.category_head(states) + self.code_trust[:, None] * told
        return DecodedPath(states, start[:, None] + self.revision(states), beliefs)

    def code_logits(self, states: Float[Tensor, "*shape D"]) -> Float[Tensor, "*shape M K"]:
        """One head per codebook over its K codes."""
        return self.code_heads(states).unflatten(-1, (self.n_codebooks, self.codebook_size))
