"""One search as a JSON document: the list of items and the whole tree behind it."""

from typing import Any

import numpy as np

from reg4rec_core.types import Catalog, Fate, ReasoningTrace


def search_document(catalog: Catalog, trace: ReasoningTrace) -> dict[str, Any]:
    """The list and the tree. Numbers are plain; theta may be infinite and a js NaN, which JSON has to write as null."""
    items = [
        {
            "key": catalog.item_keys[item],
            "title": catalog.titles[item],
            "score": score,
            "node": int(node) if node >= 0 else None,
            "source": "path" if node >= 0 else "neighbour",
        }
        for item, score, node in zip(trace.items, trace.item_scores.tolist(), trace.item_nodes, strict=True)
    ]
    return {
        "items": items,
        "trace": {"nodes": [node_document(trace, node) for node in range(trace.n_nodes)]},
        "categories": list(catalog.category_names),
        "theta": trace.theta,
        "check_from": trace.check_from,
        "beam": trace.beam_width,
    }


def node_document(trace: ReasoningTrace, node: int) -> dict[str, Any]:
    """One node of the tree; what the root lacks is null, as is a belief that the search did not need."""
    root, belief = node == 0, trace.beliefs[node]
    return {
        "id": node,
        "parent": None if root else int(trace.parent[node]),
        "step": int(trace.step[node]),
        "attempt": int(trace.attempt[node]),
        "codebook": None if root else int(trace.codebook[node]),
        "code": None if root else int(trace.code[node]),
        "log_prob": float(trace.log_prob[node]),
        "js": float(trace.js[node]),
        "fate": Fate(int(trace.fate[node])).label,
        "items_left": int(trace.items_left[node]),
        "categories": None if np.isnan(belief).any() else [float(p) for p in belief],
    }
