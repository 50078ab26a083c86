"""Modalities -> one feature matrix: each modality standardised and cut to its leading components, side by side."""

import numpy as np
from jaxtyping import Float


def standardise(features: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "N F"]:
    """Zero mean and unit deviation per column over the real items; constant columns become 0, row 0 stays 0.

    Sentence vectors have unit norm, so their columns are tiny; unscaled they collapse codebooks.
    """
    real = features[1:].astype(np.float64)
    spread = real.std(0)
    scaled = (real - real.mean(0)) / np.where(spread > 1e-12, spread, np.inf)
    return np.concatenate([np.zeros((1, features.shape[1])), scaled]).astype(np.float32)


def principal_components(features: Float[np.ndarray, "N F"], *, width: int) -> Float[np.ndarray, "N width"]:
    """The leading components of centred features, at most as many as there are items or columns, unscaled."""
    real = features[1:].astype(np.float64)
    values, vectors = np.linalg.eigh(real.T @ real)
    leading = vectors[:, np.argsort(values)[::-1][: min(width, len(real))]]
    leading = leading * np.sign(leading[np.abs(leading).argmax(0), np.arange(leading.shape[1])])
    return (features @ leading).astype(np.float32)


def join_modalities(*modalities: Float[np.ndarray, "N _"]) -> Float[np.ndarray, "N F"]:
    """v_i = concat of the modalities (REG4Rec III-B), each with the same share of an average squared norm of 1.

    Embeddings usually have unit norm; on that scale the paper's alpha = 0.001 keeps the experts apart. With columns of
    unit variance the reconstruction loss grows F times, orthogonality has no say and experts copy each other.
    """
    blocks = []
    for features in modalities:
        norm = np.sqrt(np.mean(np.square(features[1:], dtype=np.float64).sum(1)) * len(modalities))
        blocks.append(features / norm if norm > 0 else features)
    return np.concatenate(blocks, axis=1).astype(np.float32)
