"""One search as a JSON document: the list of items and the whole tree behind it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from reg4rec_core.analysis.evidence import score_parts
from reg4rec_core.types import Catalog, Fate, ReasoningTrace


def search_document(catalog: Catalog, trace: ReasoningTrace, asked: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The list and the tree. Numbers are plain; theta may be infinite and a js NaN, which JSON has to write as null.

    `thetas` is there where every step has its own, and then stands for `theta`. `asked` is what was changed by hand
    (edit, steer, from) as text; what is empty is left out.
    """
    return {
        "items": [item_document(catalog, trace, rank) for rank in range(len(trace.items))],
        "trace": {"nodes": [node_document(trace, node) for node in range(trace.n_nodes)]},
        "categories": list(catalog.category_names),
        "theta": trace.theta,
        "check_from": trace.check_from,
        "beam": trace.beam_width,
        **({"thetas": list(trace.thetas)} if trace.thetas else {}),
    } | {name: text for name, text in (asked or {}).items() if text}


def item_document(catalog: Catalog, trace: ReasoningTrace, rank: int) -> dict[str, Any]:
    """One recommended item; the parts of its score add up to it."""
    item, node = trace.items[rank], int(trace.item_nodes[rank])
    return {
        "key": catalog.item_keys[item],
        "title": catalog.titles[item],
        "score": float(trace.item_scores[rank]),
        "parts": asdict(score_parts(trace, rank)),
        "node": node if node >= 0 else None,
        "source": "path" if node >= 0 else "neighbour",
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
