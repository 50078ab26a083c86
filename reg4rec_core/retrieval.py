"""From vectors to items: the nearest neighbours of an item in the space of summed codewords."""

import faiss
import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.types import SemanticIds


def summed_codewords(codewords: Float[np.ndarray, "M K d"], ids: SemanticIds) -> Float[np.ndarray, "N d"]:
    """What an item's codes say together: the sum of its M codewords, L2-normalised, float32; the padding row is 0."""
    if codewords.shape[:2] != (ids.n_codebooks, ids.codebook_size):
        raise ValueError(
            f"codewords must be {ids.n_codebooks} x {ids.codebook_size} x d like the codes, got {codewords.shape}"
        )
    vectors = codewords[np.arange(ids.n_codebooks), ids.codes].sum(1, dtype=np.float64)  # (N, d)
    vectors[0] = 0
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


class ItemNeighbours:
    """Exact nearest items by cosine of their summed codewords (FAISS inner product)."""

    def __init__(self, vectors: Float[np.ndarray, "N d"]) -> None:
        """`vectors` are L2-normalised, row 0 is padding and never found."""
        self.vectors = np.ascontiguousarray(vectors, np.float32)
        self.index = faiss.IndexFlatIP(self.vectors.shape[1])
        self.index.add(self.vectors[1:])

    def __call__(self, item: int, count: int) -> Int[np.ndarray, "count"]:
        """The `count` items nearest to an item, itself left out, nearest first; those equally near go by item.

        One query at a time: the last bits of a batched product depend on who else is in the batch.
        """
        n_items = len(self.vectors)
        if not 0 < item < n_items:
            raise ValueError(f"item must lie in [1, {n_items - 1}], got {item}")
        if not 0 <= count <= n_items - 2:
            raise ValueError(f"count must lie in [0, {n_items - 2}], got {count}")
        similarities, found = self.index.search(self.vectors[item : item + 1], count + 1)
        items = found[0] + 1
        order = np.lexsort((items, -similarities[0].round(6)))  # equal vectors may differ in the last bit of a product
        return items[order][items[order] != item][:count]
