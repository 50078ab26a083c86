"""The blocks of the network: attention with recency biases, and pre-norm layers (REG4Rec Fig. 2)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

MASKED = -1e9
"""Added to the attention score of what must not be seen; finite, so that a row that sees nothing stays a number."""


class Attention(nn.Module):
    """Multi-head attention whose keys and values are made once and may be kept."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # a bias on keys cancels in the softmax
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def split_heads(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B H T d"]:
        return vectors.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def attend(
        self,
        states: Float[Tensor, "B T D"],
        keys: Float[Tensor, "B H S d"],
        values: Float[Tensor, "B H S d"],
        bias: Float[Tensor, "#B #H #T S"],
    ) -> Float[Tensor, "B T D"]:
        """Read `values` with scores query . key / sqrt(d) + bias."""
        queries = self.split_heads(self.query(states))
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def forward(self, states: Float[Tensor, "B T D"], bias: Float[Tensor, "#B #H T T"]) -> Float[Tensor, "B T D"]:
        """Self-attention over whole sequences."""
        return self.attend(states, self.split_heads(self.key(states)), self.split_heads(self.value(states)), bias)


class FeedForward(nn.Sequential):
    """Two linear maps with a GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


FILTER_WINDOW = 3
"""Newest items whose mean is the slow part of a history."""


class FrequencyFilter(nn.Module):
    """Splits a sequence into a slow part, the mean of the newest items, and the rest, which it damps by learnt factors.

    BSARec (arXiv 2312.10325, Eq. 9) splits by a Fourier transform of the whole sequence; the mean of what came before
    is causal, so that one pass trains every position.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.root = nn.Parameter(torch.empty(width).normal_(std=0.3))
        """Square root of the factor of the fast part."""

    def forward(self, states: Float[Tensor, "B L D"], real: Bool[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
        """`real` is false at padding, which counts for nothing."""
        length, behind = states.shape[1], FILTER_WINDOW - 1
        counted = nn.functional.pad(real.to(states.dtype)[..., None], (0, 0, behind, 0))
        masked = nn.functional.pad(states * real[..., None], (0, 0, behind, 0))
        total = sum(masked[:, back : back + length] for back in range(FILTER_WINDOW))
        count = sum(counted[:, back : back + length] for back in range(FILTER_WINDOW))
        slow = total / count.clamp_min(1)
        return slow + self.root.square() * (states - slow)


class EncoderLayer(nn.Module):
    """Causal self-attention beside a frequency filter, and feed-forward, pre-norm."""

    def __init__(self, width: int, hidden: int, n_heads: int, dropout: float, *, filter_share: float = 0.0) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, n_heads)
        self.filter_share = filter_share
        self.filter = FrequencyFilter(width) if filter_share else None
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, states: Float[Tensor, "B L D"], bias: Float[Tensor, "#B #H #L L"], real: Bool[Tensor, "B L"]
    ) -> Float[Tensor, "B L D"]:
        """`real` is false at padding."""
        inputs = self.attention_norm(states)
        mixed = self.attention(inputs, bias)
        if self.filter is not None:
            mixed = self.filter_share * self.filter(inputs, real) + (1 - self.filter_share) * mixed
        states = states + self.dropout(mixed)
        return states + self.dropout(self.feed_forward(self.feed_forward_norm(states)))


class DecoderLayer(nn.Module):
    """Causal self-attention over the codes chosen so far, cross-attention to the history, feed-forward, pre-norm."""

    def __init__(self, width: int, hidden: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, n_heads)
        self.cross_norm = nn.LayerNorm(width)
        self.cross_attention = Attention(width, n_heads)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, hidden)
        self.dropout = nn.Dropout(dropout)

    def cross(self, memory: Float[Tensor, "B L D"]) -> tuple[Float[Tensor, "B H L d"], Float[Tensor, "B H L d"]]:
        """Keys and values of the history, shared by every path of a user."""
        attention = self.cross_attention
        return attention.split_heads(attention.key(memory)), attention.split_heads(attention.value(memory))

    def read_history(
        self,
        states: Float[Tensor, "B T D"],
        keys: Float[Tensor, "B H L d"],
        values: Float[Tensor, "B H L d"],
        bias: Float[Tensor, "#B #H #T L"],
    ) -> Float[Tensor, "B T D"]:
        """Cross-attention and feed-forward: everything behind the self-attention."""
        states = states + self.dropout(self.cross_attention.attend(self.cross_norm(states), keys, values, bias))
        return states + self.dropout(self.feed_forward(self.feed_forward_norm(states)))

    def forward(
        self,
        states: Float[Tensor, "E T D"],
        memory: Float[Tensor, "B L D"],
        causal: Float[Tensor, "T T"],
        recency: Float[Tensor, "B H 1 L"],
    ) -> Float[Tensor, "E T D"]:
        """E / B paths of each history, those of one history side by side; they share its keys and values."""
        states = states + self.dropout(self.attention(self.attention_norm(states), causal[None, None]))
        by_history = states.view(len(memory), -1, states.shape[-1])  # (B, E / B * T, D)
        return self.read_history(by_history, *self.cross(memory), recency).view_as(states)

    def extend(
        self,
        states: Float[Tensor, "B V D"],
        past_keys: Float[Tensor, "B V t D"],
        past_values: Float[Tensor, "B V t D"],
        cross: tuple[Float[Tensor, "B H L d"], Float[Tensor, "B H L d"]],
        recency: Float[Tensor, "B H 1 L"],
    ) -> tuple[Float[Tensor, "B V D"], Float[Tensor, "B V s D"], Float[Tensor, "B V s D"]]:
        """One more code on each of V paths: new states, and the keys and values with the new position (s = t + 1)."""
        attention, heads = self.attention, self.attention.n_heads
        inputs = self.attention_norm(states)
        keys = torch.cat([past_keys, attention.key(inputs)[:, :, None]], 2)
        values = torch.cat([past_values, attention.value(inputs)[:, :, None]], 2)
        queries = attention.query(inputs).unflatten(-1, (heads, -1))  # (B, V, H, d)
        scores = (queries[:, :, None] * keys.unflatten(-1, (heads, -1))).sum(-1)  # (B, V, s, H)
        weights = torch.softmax(scores / queries.shape[-1] ** 0.5, 2)
        mixed = (weights[..., None] * values.unflatten(-1, (heads, -1))).sum(2).flatten(2)
        states = states + attention.out(mixed)
        return self.read_history(states, *cross, recency), keys, values
