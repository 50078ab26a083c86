"""Which codebook speaks next: CRSS, consistency-oriented step selection (REG4Rec Eq. 5), or a fixed order."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_FORCED = -1.0
_USED = -2.0


def choose_codebooks(
    confidence: Float[Tensor, "B V M"], has_choice: Bool[Tensor, "B V M"], used: Bool[Tensor, "B V M"]
) -> Int[Tensor, "B V"]:
    """The most confident unused codebook of each beam, the lowest index among equals.

    Codebooks without a choice (one code left) come last: being sure of a forced code says nothing.
    """
    score = torch.where(has_choice, confidence, _FORCED)
    return torch.where(used, _USED, score).argmax(-1)


def first_unused(used: Bool[Tensor, "B V M"]) -> Int[Tensor, "B V"]:
    """The lowest unused codebook of each beam: codebooks speak in the order 0, 1, 2, ... (the paper's "w/o CRSS")."""
    return used.long().argmin(-1)
