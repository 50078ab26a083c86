"""Training interactions -> behaviour vectors: items that the same people buy close together lie close together."""

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.linalg import svds


def cooccurrence(
    items: Int[np.ndarray, "total"], offsets: Int[np.ndarray, "bounds"], *, n_items: int, window: int
) -> csr_matrix:
    """Symmetric N x N counts of item pairs at most `window` purchases apart in one sequence, each 1 / distance."""
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    rows, columns, weights = [], [], []
    for distance in range(1, window + 1):
        same = owner[distance:] == owner[:-distance]
        left, right = items[:-distance][same], items[distance:][same]
        rows += [left, right]
        columns += [right, left]
        weights += [np.full(2 * len(left), 1.0 / distance)]
    pairs = (np.concatenate(rows), np.concatenate(columns))
    return coo_matrix((np.concatenate(weights), pairs), shape=(n_items, n_items)).tocsr()


def positive_pmi(counts: csr_matrix) -> csr_matrix:
    """Positive pointwise mutual information, max(0, ln(p(i,j) / (p(i) p(j)^0.75)))."""
    counts = counts.tocoo()
    if not counts.nnz:
        return counts.tocsr()
    row_mass = np.bincount(counts.row, counts.data, counts.shape[0])
    context = np.bincount(counts.col, counts.data, counts.shape[1]) ** 0.75
    context /= context.sum()
    information = np.log(counts.data / np.maximum(row_mass[counts.row] * context[counts.col], 1e-12))
    kept = information > 0
    return coo_matrix((information[kept], (counts.row[kept], counts.col[kept])), shape=counts.shape).tocsr()


def behaviour_features(
    items: Int[np.ndarray, "total"],
    offsets: Int[np.ndarray, "bounds"],
    *,
    n_items: int,
    width: int,
    window: int = 5,
    seed: int,
) -> Float[np.ndarray, "N width"]:
    """Left singular vectors of the PPMI matrix, scaled by the root of the singular values; zero for items never bought.

    `items` must hold training interactions only: anything later leaks the answers into the codes.
    """
    matrix = positive_pmi(cooccurrence(items, offsets, n_items=n_items, window=window))
    features = np.zeros((n_items, width), np.float32)
    if not matrix.nnz:
        return features
    rank = min(width, n_items - 1)
    start = np.random.default_rng(seed).standard_normal(n_items)
    left, values, _ = svds(matrix.astype(np.float64), k=rank, v0=start)
    order = np.argsort(values)[::-1]
    left, values = left[:, order], values[order]
    left = left * np.sign(left[np.abs(left).argmax(0), np.arange(rank)])
    features[:, :rank] = left * np.sqrt(np.maximum(values, 0))
    return features
