"""What a search needs of a network. A lookup table satisfies it as well as a transformer does."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

State = Any
"""Where V paths of each of B histories stand; only the model that made it looks inside."""


@runtime_checkable
class ReasoningModel(Protocol):
    """Encode a history once, then take one code at a time. Log-probabilities are in nats, float32.

    All calls of one search have the same B. A row of an answer must depend on the same row of the question alone
    (given the shapes), or a user's trace would depend on who else is in the block.
    """

    n_codebooks: int
    codebook_size: int
    n_categories: int
    n_items: int
    """Rows of the catalogue, the padding row 0 included."""

    def encode(self, history: Int[Tensor, "B L"]) -> State:
        """The root of every search, V = 1; histories are left-padded with 0, newest item last."""

    def step(
        self, state: State, parent: Int[Tensor, "B V"], codebook: Int[Tensor, "B V"], code: Int[Tensor, "B V"]
    ) -> State:
        """V children: child v adds (codebook, code) to path `parent[b, v]` of `state`."""

    def join(self, states: Sequence[State]) -> State:
        """The paths of several states of the same histories and step, side by side."""

    def category_log_probs(self, state: State) -> Float[Tensor, "B V C"]:
        """The belief over categories after the codes taken so far."""

    def head_log_probs(self, state: State) -> Float[Tensor, "B V M K"]:
        """Every codebook's own distribution over its codes, nothing masked."""

    def catalog_logits(self, state: State) -> Float[Tensor, "B V N"]:
        """Unnormalised log-probability of every item, -inf for padding."""

    def item_logits(self, state: State, items: Int[Tensor, "B V P"]) -> Float[Tensor, "B V P"]:
        """The same for chosen items, -inf where an item is 0."""

    def item_evidence(self, state: State) -> Float[Tensor, "B N"]:
        """The part of the item logits that is counted, not learnt: the same after every code; 0 where there is none."""
