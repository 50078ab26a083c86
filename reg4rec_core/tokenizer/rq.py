"""Residual codes, the paper's "w/o MPQ": every codebook quantizes what the ones before it left over, coarse to fine.

Residual k-means on the item features themselves, without an encoder to train: the same number and size of codebooks as
MPQ, in an order that matters, whose codewords add up to the item's features.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reg4rec_core.tokenizer.mpq import kmeans, nearest_codes

ITERATIONS = 25
"""Lloyd steps a codebook; on Beauty's features the error stands still by then."""


def fit_residual_codebooks(
    points: Float[Tensor, "n F"],
    *,
    n_codebooks: int,
    codebook_size: int,
    generator: torch.Generator,
    log: Callable[[int, float], None] = lambda codebook, error: None,
) -> Float[Tensor, "M K F"]:
    """Codebooks of what is left after the codebooks before; `log` gets the mean squared norm left after each."""
    left, codebooks = points, []
    for index in range(n_codebooks):
        centres = kmeans(left, n_clusters=codebook_size, iterations=ITERATIONS, generator=generator)
        left = left - centres[nearest_codes(left[:, None], centres[None])[:, 0]]
        codebooks.append(centres)
        log(index, float(left.square().sum(1).mean()))
    return torch.stack(codebooks)


def residual_codes(points: Float[Tensor, "n F"], codebooks: Float[Tensor, "M K F"]) -> Int[Tensor, "n M"]:
    """The nearest codeword of every codebook to what the ones before it left of each point."""
    left, codes = points, []
    for centres in codebooks:
        codes.append(nearest_codes(left[:, None], centres[None])[:, 0])
        left = left - centres[codes[-1]]
    return torch.stack(codes, 1)
