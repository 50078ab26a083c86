"""The network as decoding sees it: encode a history once, then take one code at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reg4rec_core.model.encoder_decoder import EncoderDecoder


@dataclass(frozen=True)
class ReasoningState:
    """Where V paths of each of B histories stand after t codes."""

    step: int
    """Codes taken so far, t."""
    start: Float[Tensor, "B D"]
    """The encoder's view of the history."""
    cross: tuple[tuple[Tensor, Tensor], ...]
    """Keys and values of the history, one pair per decoder layer, B x H x L x d: shared by all paths."""
    recency: Float[Tensor, "B H 1 L"]
    keys: tuple[Tensor, ...]
    """Self-attention keys of the codes taken, one tensor B x V x (t + 1) x D per decoder layer."""
    values: tuple[Tensor, ...]
    states: Float[Tensor, "B V D"]
    """Normalised decoder states."""
    queries: Float[Tensor, "B V D"]
    """Item queries."""
    evidence: Float[Tensor, "B N"]
    """What transitions add to the item logits of every path."""
    told: Float[Tensor, "B V C"]
    """Sum of what the codes of each path say of the category."""


class Reasoner:
    """Incremental inference with a trained network; nothing here records gradients.

    Histories have the fixed length the network was made for, so that equal histories give equal bits.
    """

    def __init__(self, network: EncoderDecoder) -> None:
        self.network = network.eval()
        self.n_items, self.n_codebooks = network.n_items, network.n_codebooks
        self.codebook_size, self.n_categories = network.codebook_size, network.n_categories
        with torch.inference_mode():
            self.table = network.item_table()

    @torch.inference_mode()
    def encode(self, history: Int[Tensor, "B L"]) -> ReasoningState:
        """The root of B searches, beam axis of size 1; histories are left-padded with 0, newest item last."""
        return self.encode_before(history, history[:, :0])

    @torch.inference_mode()
    def encode_before(self, history: Int[Tensor, "B L"], following: Int[Tensor, "B S"]) -> ReasoningState:
        """The same for histories out of training sequences that go on with `following`.

        Transitions from the history to them are left out of the evidence: they would give the answers away.
        """
        network = self.network
        if history.shape[1] != network.history_length:
            raise ValueError(f"histories must have length {network.history_length}, got {history.shape[1]}")
        memory = network.encode(history, self.table)
        last = torch.full((len(history),), history.shape[1] - 1, device=history.device)
        cross = tuple(layer.cross(memory) for layer in network.decoder)
        recency = network.history_bias(history, last, history.shape[1])
        start = memory[:, -1]
        nothing = memory.new_zeros(len(history), 1, 0, memory.shape[-1])
        empty = (nothing,) * len(network.decoder)
        evidence = network.evidence(history, following)
        inputs = start[:, None] + network.step_embedding.weight[0]
        told = memory.new_zeros(len(history), 1, self.n_categories)
        return self._extend(inputs, 0, start, cross, recency, empty, empty, evidence, told)

    @torch.inference_mode()
    def step(
        self,
        state: ReasoningState,
        parent: Int[Tensor, "B V"],
        codebook: Int[Tensor, "B V"],
        code: Int[Tensor, "B V"],
    ) -> ReasoningState:
        """V children: child v of history b adds (codebook, code) to the path `parent[b, v]` of `state`."""
        rows = torch.arange(len(parent), device=parent.device)[:, None]
        step = state.step + 1
        inputs = self.network.code_inputs(codebook, code) + self.network.step_embedding.weight[step]
        keys = tuple(tensor[rows, parent] for tensor in state.keys)
        values = tuple(tensor[rows, parent] for tensor in state.values)
        said = self.network.code_categories(codebook * self.codebook_size + code)
        told = state.told[rows, parent] + said
        return self._extend(inputs, step, state.start, state.cross, state.recency, keys, values, state.evidence, told)

    def _extend(
        self,
        inputs: Float[Tensor, "B V D"],
        step: int,
        start: Float[Tensor, "B D"],
        cross: tuple[tuple[Tensor, Tensor], ...],
        recency: Float[Tensor, "B H 1 L"],
        past_keys: tuple[Tensor, ...],
        past_values: tuple[Tensor, ...],
        evidence: Float[Tensor, "B N"],
        told: Float[Tensor, "B V C"],
    ) -> ReasoningState:
        states, keys, values = inputs, [], []
        for layer, history, old_keys, old_values in zip(
            self.network.decoder, cross, past_keys, past_values, strict=True
        ):
            states, new_keys, new_values = layer.extend(states, old_keys, old_values, history, recency)
            keys.append(new_keys)
            values.append(new_values)
        states = self.network.decoder_norm(states)
        queries = start[:, None] + self.network.revision(states)
        return ReasoningState(step, start, cross, recency, tuple(keys), tuple(values), states, queries, evidence, told)

    @torch.inference_mode()
    def join(self, states: Sequence[ReasoningState]) -> ReasoningState:
        """The paths of several states of the same histories and step side by side along the beam axis."""
        first = states[0]
        return ReasoningState(
            first.step,
            first.start,
            first.cross,
            first.recency,
            tuple(torch.cat(layer, 1) for layer in zip(*(s.keys for s in states), strict=True)),
            tuple(torch.cat(layer, 1) for layer in zip(*(s.values for s in states), strict=True)),
            torch.cat([s.states for s in states], 1),
            torch.cat([s.queries for s in states], 1),
            first.evidence,
            torch.cat([s.told for s in states], 1),
        )

    @torch.inference_mode()
    def category_log_probs(self, state: ReasoningState) -> Float[Tensor, "B V C"]:
        """The belief over categories after the codes taken so far, nats (Eq. 7's classifier)."""
        logits = self.network.category_head(state.states) + self.network.code_trust[state.step] * state.told
        return torch.log_softmax(logits, -1)

    @torch.inference_mode()
    def head_log_probs(self, state: ReasoningState) -> Float[Tensor, "B V M K"]:
        """Every codebook's own distribution over its codes, nats, nothing masked (Eq. 6's heads)."""
        return torch.log_softmax(self.network.code_logits(state.states), -1)

    @torch.inference_mode()
    def catalog_logits(self, state: ReasoningState) -> Float[Tensor, "B V N"]:
        """Unnormalised log-probability of every item; -inf for padding."""
        logits = state.queries @ self.table.T + state.evidence[:, None]
        logits[..., 0] = -torch.inf
        return logits

    @torch.inference_mode()
    def item_logits(self, state: ReasoningState, items: Int[Tensor, "B V P"]) -> Float[Tensor, "B V P"]:
        """The same for chosen items; -inf where an item is 0."""
        vectors = torch.nn.functional.embedding(items, self.table)  # (B, V, P, D)
        logits = (vectors * state.queries[:, :, None]).sum(-1)
        logits = logits + state.evidence.gather(1, items.flatten(1)).view_as(items)
        return logits.masked_fill(items == 0, -torch.inf)

    @torch.inference_mode()
    def item_evidence(self, state: ReasoningState) -> Float[Tensor, "B N"]:
        """What transitions of other shoppers add to each item's logit, the same after every code; 0 without any."""
        return state.evidence
