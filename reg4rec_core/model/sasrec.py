"""SASRec (Kang and McAuley, 2018): causal self-attention over item embeddings, the peer that knows no tokens."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from reg4rec_core.model.transformer import MASKED, EncoderLayer


class SASRec(nn.Module):
    """A query for the next item after every item of a history; items are scored by query . embedding.

    The table of inputs is the table of outputs. Layers are pre-norm with GELU, as in our own encoder.
    """

    def __init__(
        self,
        n_items: int,
        *,
        history_length: int,
        width: int,
        hidden: int,
        n_layers: int,
        n_heads: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_items, self.history_length = n_items, history_length
        self.item_embedding = nn.Embedding(n_items, width)
        self.position_embedding = nn.Embedding(history_length, width)
        self.input_norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(EncoderLayer(width, hidden, n_heads, dropout) for _ in range(n_layers))
        self.output_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
        """Left-padded histories, newest item last; position t has seen items up to t.

        The newest item has the last position embedding however short the history is, so padding changes nothing.
        """
        length = history.shape[1]
        position = torch.arange(length, device=history.device)
        embedded = self.item_embedding(history) + self.position_embedding.weight[self.history_length - length :]
        states = self.dropout(self.input_norm(embedded))
        causal = torch.where(position[:, None] >= position, 0.0, MASKED)
        real = history > 0
        bias = causal + MASKED * ~real[:, None, None, :]
        for layer in self.layers:
            states = layer(states, bias, real)
        return self.output_norm(states)

    def item_scores(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B N"]:
        """Unnormalised log-probability of every item as the next one; -inf for padding."""
        scores = self(history)[:, -1] @ self.item_embedding.weight.T
        scores[:, 0] = -torch.inf
        return scores
