"""Which history is asked about, and its search as lines for people."""

import csv

import numpy as np
from jaxtyping import Int

from reg4rec_core.recommender import Moment, Recommender
from reg4rec_core.types import Fate, InputError, ReasoningTrace


def history_of_user(recommender: Recommender, key: str, at: Moment) -> Int[np.ndarray, "length"]:
    """The items the user had bought at that moment."""
    items = recommender.history(recommender.user_index(key), at)
    if not len(items):
        raise InputError(f"user {key!r} has no history before a {at} item; ask with --at now")
    return items


def history_of_keys(recommender: Recommender, text: str) -> Int[np.ndarray, "length"]:
    """The items that a comma-separated list of keys names."""
    keys = [key.strip() for row in csv.reader([text], skipinitialspace=True) for key in row]
    if not any(keys):
        raise InputError("--history needs at least one item key; give KEY,KEY,... oldest first")
    return np.array([recommender.item_index(key) for key in keys if key], dtype=np.int64)


def to_text(recommender: Recommender, trace: ReasoningTrace) -> str:
    """The list for people: place, score, key, title, and the codes that led there."""
    catalog = recommender.catalog
    width = max((len(catalog.item_keys[item]) for item in trace.items), default=0)
    lines = []
    for place, (item, score, node) in enumerate(zip(trace.items, trace.item_scores, trace.item_nodes, strict=True), 1):
        codes = " ".join(f"{trace.codebook[row]}:{trace.code[row]}" for row in trace.path(int(node))[1:])
        lines.append(f"{place:>3}  {score:8.3f}  {catalog.item_keys[item]:<{width}}  {catalog.titles[item]}")
        lines.append(f"{'':{17 + width}}{codes or 'a neighbour of the best path'}")
    fates = np.bincount(trace.fate, minlength=len(Fate))
    counts = ", ".join(f"{fates[fate]} {fate.label.replace('_', ' ')}" for fate in Fate)
    theta = f"theta {trace.theta:g}"
    if trace.thetas:
        theta = f"theta by step {' '.join(f'{one:g}' for one in trace.thetas)}"
    return "\n".join([*lines, f"search of {trace.n_nodes} nodes: {counts}; {theta}"])
