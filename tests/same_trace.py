"""When two searches are the same."""

import numpy as np

from reg4rec_core.types import ReasoningTrace


def same_bits(left: ReasoningTrace, right: ReasoningTrace) -> bool:
    """Whether every column of two trees is the same, bit for bit."""
    names = [name for name in ReasoningTrace.__dataclass_fields__ if isinstance(getattr(left, name), np.ndarray)]
    return all(
        np.array_equal(getattr(left, name), getattr(right, name), equal_nan=getattr(left, name).dtype.kind == "f")
        for name in names
    )
