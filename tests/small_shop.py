"""A catalogue small enough to count by hand, its codes, and traces over it."""

import numpy as np

from reg4rec_core.types import Catalog, Fate, Interactions, ReasoningTrace, SemanticIds

TITLES = (
    "",
    "Red Lipstick",
    "Plum Lipstick",
    "Coral Lipstick",
    "Black Mascara",
    "Brown Mascara",
    "Mint Shampoo",
    "Honey Shampoo",
    "unknown",
)
BRANDS = ("", "Avalon", "Avalon", "Corvina", "unknown", "unknown", "Birch", "Birch", "unknown")
PATHS = (
    ("",),
    *[("Beauty", "Makeup", "Lips")] * 3,
    *[("Beauty", "Makeup", "Eyes")] * 2,
    *[("Beauty", "Hair")] * 2,
    ("unknown",),
)
CATEGORIES = (0, 0, 0, 0, 1, 1, 2, 2, 3)
NAMES = ("Beauty > Makeup > Lips", "Beauty > Makeup > Eyes", "Beauty > Hair", "unknown")
CODES = ((0, 0), (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2))


NAN = float("nan")
BELIEFS = (
    (0.25, 0.25, 0.25, 0.25),
    (0.7, 0.1, 0.1, 0.1),
    (0.1, 0.8, 0.05, 0.05),
    (NAN, NAN, NAN, NAN),
    (0.9, 0.04, 0.03, 0.03),
    (0.4, 0.2, 0.2, 0.2),
    (0.05, 0.9, 0.03, 0.02),
    (0.3, 0.5, 0.1, 0.1),
)
"""The belief after each node of `small_trace`."""


def small_catalog() -> Catalog:
    keys = ("", *[f"p{item}" for item in range(1, 9)])
    return Catalog(keys, TITLES, BRANDS, PATHS, np.array(CATEGORIES), NAMES, np.zeros((9, 0)))


def small_ids() -> SemanticIds:
    """Codebook 0 tells lips (0), eyes (1) and the rest (2) apart, codebook 1 the items; code 3 is unused."""
    return SemanticIds(np.array(CODES), 4)


def small_interactions() -> Interactions:
    """Four users; the last two items of each are held out."""
    sequences = [[1, 2, 3, 4], [3, 2, 1, 4, 5], [6, 7, 6], [8, 6, 1]]
    lengths = np.array([len(sequence) for sequence in sequences])
    return Interactions(
        ("7", "70", "Ann", "ann-2"),
        np.concatenate(sequences),
        np.arange(lengths.sum()) * 86400,
        np.concatenate([[0], np.cumsum(lengths)]),
        lengths - 2,
        lengths - 2,
        lengths - 1,
    )


def small_trace(**changes: object) -> ReasoningTrace:
    """Lips then plum lipstick, eyes then black mascara; hair pruned and black mascara regenerated in its place."""
    kept, cut, pruned, fallback = Fate.KEPT, Fate.BEAM_CUT, Fate.PRUNED, Fate.FALLBACK
    columns = {
        "parent": np.array([-1, 0, 0, 0, 1, 1, 2, 2]),
        "step": np.array([0, 1, 1, 1, 2, 2, 2, 2]),
        "attempt": np.array([0, 0, 0, 0, 0, 0, 1, 0]),
        "codebook": np.array([-1, 0, 0, 0, 1, 1, 1, 1]),
        "code": np.array([-1, 0, 1, 2, 1, 2, 0, 1]),
        "log_prob": np.log([1, 0.5, 0.3, 0.2, 0.4, 0.1, 0.2, 0.1]),
        "score": np.array([0.0, -0.9, -1.6, -2.1, -0.9, -2.3, -1.6, -2.3]),
        "confidence": np.array([1, 0.5, 0.3, 0.2, 0.8, 0.2, 0.67, 0.33]),
        "js": np.array([NAN, 0.3, 0.2, NAN, 0.02, 0.11, 0.05, 0.09]),
        "fate": np.array([kept, kept, kept, cut, kept, pruned, kept, fallback]),
        "items_left": np.array([8, 3, 2, 3, 1, 1, 1, 1]),
        "beliefs": np.array(BELIEFS),
        "items": np.array([2, 4, 5, 7]),
        "item_scores": np.array([-0.9, -1.6, -2.3, -4.3]),
        "item_nodes": np.array([4, 6, 7, -1]),
        "item_first_state": np.array([-1.1, -1.5, -2.0, -3.0]),
        "item_evidence": np.array([0.5, 0.0, 0.2, 0.0]),
        "theta": 0.06,
        "check_from": 2,
        "beam_width": 3,
    }
    return ReasoningTrace(**(columns | changes))
