"""How well a set of codes describes a catalogue: usage, perplexity, dead codes, agreement of codebooks, collisions."""

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.types import SemanticIds

GATE_PERCENT = (5, 25, 50, 75, 95)
"""Shares of the items, in percent, by which a run tells how an expert's gate weights spread."""


def usage(ids: SemanticIds) -> Int[np.ndarray, "M K"]:
    """Number of items that carry each code."""
    return np.stack([np.bincount(column, minlength=ids.codebook_size) for column in ids.codes[1:].T])


def perplexity(ids: SemanticIds) -> Float[np.ndarray, "M"]:
    """exp(entropy) of each codebook's usage: how many codes are effectively in use, 1 to K."""
    share = usage(ids) / max(ids.n_items - 1, 1)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    return np.exp(-(share * logs).sum(1))


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def normalised_mutual_information(left: Int[np.ndarray, "n"], right: Int[np.ndarray, "n"]) -> float:
    """2 I(left; right) / (H(left) + H(right)), 0 (independent) to 1 (same partition); 0 when both are constant.

    Small samples bias it upwards: thousands of items over 300 x 300 cells give well over 0 for independent codes.
    """
    pair = left.astype(np.int64) * (int(right.max()) + 1) + right
    joint = _entropy(np.unique(pair, return_counts=True)[1])
    first, second = _entropy(np.bincount(left)), _entropy(np.bincount(right))
    return 2 * (first + second - joint) / (first + second) if first + second > 0 else 0.0


def pairwise_information(ids: SemanticIds) -> Float[np.ndarray, "M M"]:
    """Normalised mutual information of every pair of codebooks, 1 on the diagonal."""
    matrix = np.eye(ids.n_codebooks)
    for a in range(ids.n_codebooks):
        for b in range(a):
            matrix[a, b] = matrix[b, a] = normalised_mutual_information(ids.codes[1:, a], ids.codes[1:, b])
    return matrix


def collision_rate(ids: SemanticIds) -> float:
    """Share of items whose full set of codes another item has too."""
    _, inverse, counts = np.unique(ids.codes[1:], axis=0, return_inverse=True, return_counts=True)
    return float((counts[inverse.ravel()] > 1).mean())
