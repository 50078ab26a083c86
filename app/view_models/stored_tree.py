"""One user's search from a stored search of any recommender, as a tree, a list and sentences."""

import numpy as np
import pandas as pd

from app.view_models import tree
from app.view_models.tree import Focus
from reg4rec_core import Fate, StoredSearch, facet_letter

HEADING = "One user's search, as it is stored"
NOTE = (
    "Read from the store alone: its model is not at hand, so nothing can be searched again here. A letter with a "
    "number is a code; what it stands for only the model's own catalogue knows."
)
LABEL_LENGTH = 32
TITLE_LENGTH = 90


def nodes(found: StoredSearch) -> pd.DataFrame:
    """What the drawing needs to know of every node, in trace order."""
    trace = found.trace
    rows, hidden = range(trace.n_nodes), np.zeros(trace.n_nodes, dtype=bool)
    forced = tree.forced_nodes(trace)
    labels, hits = _leaf_labels(found)
    return pd.DataFrame(
        {
            "parent": trace.parent,
            "path": [tree.path_key(trace, row) for row in rows],
            "step": trace.step,
            "kind": [tree.node_kind(trace, row) for row in rows],
            "x": tree.column_edges(trace, forced, fold=False)[trace.step],
            "y": tree.heights(trace, hidden),
            "size": 7 + 15 * np.exp(trace.log_prob) ** (1 / 3),
            "heading": [code_name(found, row) for row in rows],
            "numbers": [_numbers(found, row) for row in rows],
            "reason": [reason(found, row) for row in rows],
            "hidden": hidden,
            "folded": hidden,
            "end": tree.best_ends(trace),
            "label": labels,
            "hit": hits,
        }
    )


def _leaf_labels(found: StoredSearch) -> tuple[list[str], list[bool]]:
    labels, hits = [""] * found.trace.n_nodes, [False] * found.trace.n_nodes
    for rank in reversed(range(len(found.items))):
        leaf = int(found.trace.item_nodes[rank])
        if leaf >= 0:
            labels[leaf] = f"{rank + 1} · {tree.cut(found.items[rank], LABEL_LENGTH)}"
            hits[leaf] |= bool(found.trace.items[rank] == found.target)
    return labels, hits


def code_name(found: StoredSearch, node: int) -> str:
    """The facet's letter with the code's number."""
    if found.trace.parent[node] < 0:
        return "Start"
    return f"{facet_letter(int(found.trace.codebook[node]))}{found.trace.code[node]}"


def _numbers(found: StoredSearch, node: int) -> str:
    """How probable the code and the path are, and how many items are left where the store knows."""
    trace = found.trace
    if trace.parent[node] < 0:
        return ""
    code, path = tree.percent(trace.confidence[node]), tree.percent(np.exp(trace.log_prob[node]))
    left = f" · {trace.items_left[node]:,} items left" if trace.items_left[node] else ""
    return f"step {trace.step[node]} · code {code}, path {path}{left}"


def reason(found: StoredSearch, node: int) -> str:
    """What became of a node, and how far it moved the belief where the store knows."""
    kind, js = tree.node_kind(found.trace, node), found.trace.js[node]
    if kind == "root":
        return "The start of the search."
    moved = "" if np.isnan(js) else f" It moved the belief by js {js:.3f}."
    return tree.MEANINGS[kind] + moved


def summary(found: StoredSearch) -> str:
    """The tree in a sentence."""
    trace = found.trace
    kept = int(np.isin(trace.fate, (Fate.KEPT, Fate.FALLBACK)).sum())
    return (
        f"Search tree of user {found.user}: {trace.n_nodes:,} nodes over {trace.step.max()} steps, "
        f"{kept:,} of them kept."
    )


def chosen_words(found: StoredSearch, focus: Focus) -> str:
    """The chosen node in words."""
    numbers = _numbers(found, focus.node)
    return f"{code_name(found, focus.node)}: {f'{numbers}. ' if numbers else ''}{reason(found, focus.node)}"


def listed(found: StoredSearch) -> pd.DataFrame:
    """The list with the codes of every item's path; a dash where no path led to it."""
    trace, rows = found.trace, []
    for rank, title in enumerate(found.items, 1):
        leaf = int(trace.item_nodes[rank - 1])
        path = " ".join(code_name(found, row) for row in trace.path(leaf)[1:]) if leaf >= 0 else "–"
        star = "★ to be found · " if trace.items[rank - 1] == found.target else ""
        rows.append((rank, star + tree.cut(title, TITLE_LENGTH), f"{trace.item_scores[rank - 1]:.2f}", path))
    return pd.DataFrame(rows, columns=["#", "item", "score", "path"])
