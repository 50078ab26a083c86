"""The search tree as a table, and the path through it that every view follows."""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reg4rec_core import (
    Facets,
    Fate,
    ReasoningTrace,
    count_fates,
    explain_node,
    explain_nodes,
    facet_letter,
    items_left,
)

LABEL_LENGTH = 32
"""Letters of a title beside its leaf."""
FOLDED_WIDTH = 0.34
"""Width of a column in which nothing was decided, over that of one with choices."""

KINDS = {
    "root": "start",
    "kept": "kept",
    "regenerated": "regenerated",
    "beam_cut": "beam-cut",
    "pruned": "pruned",
    "fallback": "fallback",
}
"""What a node of the tree can be, and how people call it."""
MEANINGS = {
    "kept": "In the beam: the search went on from here.",
    "regenerated": "In the beam, in the place of a pruned branch.",
    "beam_cut": "Out-scored: it never entered the beam.",
    "pruned": "Chosen, but it moved the belief by more than θ, so the search rolled back.",
    "fallback": "Inconsistent, yet kept: nothing else was left for its place.",
}


@dataclass(frozen=True)
class Focus:
    """The path that every view follows, and how far along it we look."""

    rows: tuple[int, ...]
    """Trace rows from the root to the path's end."""
    step: int
    """The chosen step, which may lie behind the path's end."""
    found: bool
    """Whether the path asked for is in this trace; otherwise its longest part that is."""

    @property
    def node(self) -> int:
        return self.rows[min(self.step, len(self.rows) - 1)]

    @property
    def ended(self) -> bool:
        """Whether the path stops before the chosen step."""
        return self.step > len(self.rows) - 1


def path_key(trace: ReasoningTrace, node: int) -> str:
    """A node's codes in order ("3.117-5.20"): its name in links, the same in every trace that contains it."""
    return "-".join(f"{trace.codebook[row]}.{trace.code[row]}" for row in trace.path(node)[1:])


def path_keys(trace: ReasoningTrace) -> list[str]:
    """The same of every node, in trace order."""
    keys = [""]
    columns = (part[1:].tolist() for part in (trace.parent, trace.codebook, trace.code))
    for parent, codebook, code in zip(*columns, strict=True):
        keys.append(f"{keys[parent]}-{codebook}.{code}" if parent else f"{codebook}.{code}")
    return keys


def path_length(key: str) -> int:
    """Codes that a path key names: the step of its node."""
    return len([part for part in key.split("-") if part])


def find_focus(trace: ReasoningTrace, key: str, step: int) -> Focus:
    """The node that `key` names, led on to its best leaf; the first item's path for an empty key."""
    wanted = [part for part in key.split("-") if part]
    if not wanted:
        return Focus(tuple(trace.path(_first_leaf(trace))), step, True)
    node, followed = 0, 0
    for part in wanted:
        child = _child(trace, node, part)
        if child is None:
            break
        node, followed = child, followed + 1
    end = int(best_ends(trace)[node]) if followed else _first_leaf(trace)
    return Focus(tuple(trace.path(end)), step, followed == len(wanted))


def _child(trace: ReasoningTrace, node: int, part: str) -> int | None:
    children = np.flatnonzero(trace.parent == node)
    named = [row for row in children if f"{trace.codebook[row]}.{trace.code[row]}" == part]
    return int(min(named, key=lambda row: (trace.fate[row] != Fate.KEPT, row))) if named else None


def _first_leaf(trace: ReasoningTrace) -> int:
    leaves = trace.item_nodes[trace.item_nodes >= 0]
    return int(leaves[0]) if len(leaves) else int(np.lexsort((-trace.log_prob, -trace.step))[0])


def best_ends(trace: ReasoningTrace) -> np.ndarray:
    """For every node the best leaf below: the first that gave an item, else the deepest and likeliest that lives.

    A node that is no leaf's and has nothing alive below is its own end.
    """
    place = np.empty(trace.n_nodes, dtype=int)
    place[np.lexsort((-trace.log_prob, -trace.step))] = np.arange(trace.n_nodes)
    ends, order, parents = list(range(trace.n_nodes)), place.tolist(), trace.parent.tolist()
    lives = np.isin(trace.fate, (Fate.KEPT, Fate.FALLBACK)).tolist()
    for row in range(trace.n_nodes - 1, 0, -1):  # parents stand before their children
        parent = parents[row]
        if lives[row] and order[ends[row]] < order[ends[parent]]:
            ends[parent] = ends[row]
    found = np.array(ends)
    for leaf in reversed(trace.item_nodes[trace.item_nodes >= 0].tolist()):
        found[trace.path(leaf)] = leaf
    return found


def node_kind(trace: ReasoningTrace, node: int) -> str:
    """A key of KINDS."""
    if trace.parent[node] < 0:
        return "root"
    fate = Fate(int(trace.fate[node]))
    return "regenerated" if fate == Fate.KEPT and trace.attempt[node] > 0 else fate.label


def node_kinds(trace: ReasoningTrace) -> list[str]:
    """The same of every node, in trace order."""
    labels = {int(fate): fate.label for fate in Fate}
    kept = int(Fate.KEPT)
    kinds = [
        "regenerated" if fate == kept and attempt > 0 else labels[fate]
        for fate, attempt in zip(trace.fate.tolist(), trace.attempt.tolist(), strict=True)
    ]
    return ["root", *kinds[1:]]


def forced_nodes(trace: ReasoningTrace) -> np.ndarray:
    """Kept first choices after a single item was left: nothing was chosen there, so they may be folded."""
    parent = np.maximum(trace.parent, 0)
    last = trace.step == trace.step.max()
    single = (trace.parent >= 0) & (trace.items_left[parent] == 1)
    return single & (trace.fate == Fate.KEPT) & (trace.attempt == 0) & ~last


SHOWN = ("everything", "only kept", "only js above")
"""Which nodes of a large tree are drawn; the path that is followed always is."""


@dataclass(frozen=True)
class Show:
    """Which nodes are drawn."""

    what: str = SHOWN[0]
    """One of SHOWN."""
    above: float = 0.0
    """For the last of them: the largest jump of the belief (js) that is hidden, nats."""


def hidden_nodes(trace: ReasoningTrace, focus: Focus, show: Show) -> np.ndarray:
    """Whether each node is hidden: a node that is shown never hangs on a hidden one."""
    if show.what == SHOWN[0]:
        return np.zeros(trace.n_nodes, dtype=bool)
    if show.what == SHOWN[1]:
        shown = np.isin(trace.fate, (Fate.KEPT, Fate.FALLBACK))
    else:
        shown = np.nan_to_num(trace.js, nan=-1) > show.above
    shown[[0, *focus.rows]] = True
    for row in range(trace.n_nodes - 1, 0, -1):  # parents stand before their children
        shown[trace.parent[row]] |= shown[row]
    return ~shown


def describe_nodes(trace: ReasoningTrace, facets: Facets, *, given: int = 0) -> pd.DataFrame:
    """One row a node in trace order: what it is and why, whatever part of the tree one looks at (y in [0, 1], down).

    The first `given` codes of every path were given by hand.
    """
    rows = range(trace.n_nodes)
    return pd.DataFrame(
        {
            "parent": trace.parent,
            "path": path_keys(trace),
            "step": trace.step,
            "kind": node_kinds(trace),
            "y": heights(trace, np.zeros(trace.n_nodes, dtype=bool)),
            "size": 7 + 15 * np.exp(trace.log_prob) ** (1 / 3),
            "heading": [node_name(trace, facets, row) for row in rows],
            "numbers": _numbers(trace),
            "reason": node_fates(trace, given=given),
        }
    )


def search_id(nodes: pd.DataFrame) -> int:
    """A number that tells searches with other nodes apart, whatever is drawn or said of them."""
    return zlib.crc32(" ".join(nodes["path"].tolist()).encode())


def node_fate(trace: ReasoningTrace, node: int, *, given: int) -> str:
    """Why a node met its fate; the first `given` codes of every path were given by hand."""
    return _given_fate(trace, node) if 0 < trace.step[node] <= given else explain_node(trace, node)


def node_fates(trace: ReasoningTrace, *, given: int) -> list[str]:
    """The same of every node, in trace order."""
    steps, told = trace.step.tolist(), explain_nodes(trace)
    return [_given_fate(trace, row) if 0 < step <= given else told[row] for row, step in enumerate(steps)]


def _given_fate(trace: ReasoningTrace, node: int) -> str:
    js = "" if np.isnan(trace.js[node]) else f"; its belief moved by js {trace.js[node]:.3f}, which nothing checked"
    return f"Given by hand: every path goes through it{js}."


def search_tree(
    described: pd.DataFrame,
    trace: ReasoningTrace,
    facets: Facets,
    target: int,
    *,
    fold: bool,
    hidden: np.ndarray | None = None,
) -> pd.DataFrame:
    """The described nodes with their place in columns and their labels; rows stay in trace order.

    What is `hidden` gives its room to the others.
    """
    forced = forced_nodes(trace)
    hidden = np.zeros(trace.n_nodes, dtype=bool) if hidden is None else hidden
    labels, hits = _leaf_labels(trace, facets, target)
    return described.assign(
        y=heights(trace, hidden) if hidden.any() else described["y"],
        hidden=hidden,
        x=column_edges(trace, forced, fold=fold)[trace.step],
        folded=forced & fold,
        end=best_ends(trace),
        label=labels,
        hit=hits,
    )


def _leaf_labels(trace: ReasoningTrace, facets: Facets, target: int) -> tuple[list[str], list[bool]]:
    """Rank and title beside the leaves that gave items, and whether it is the item that was to be found."""
    titles = facets.catalog.titles
    labels, hits = [""] * trace.n_nodes, [False] * trace.n_nodes
    for rank in reversed(range(len(trace.items))):
        leaf, item = int(trace.item_nodes[rank]), int(trace.items[rank])
        if leaf >= 0:
            labels[leaf] = f"{rank + 1} · {cut(titles[item], LABEL_LENGTH)}"
            hits[leaf] |= item == target
    return labels, hits


def end_label(trace: ReasoningTrace, facets: Facets, focus: Focus) -> str:
    """The title at the end of a followed path that gave no item; "" for one that did, or that ends early."""
    end = focus.rows[-1]
    if end in trace.item_nodes or trace.step[end] != trace.step.max():
        return ""
    return cut(facets.catalog.titles[items_left(facets.ids, trace, end)[0]], LABEL_LENGTH)


def column_edges(trace: ReasoningTrace, forced: np.ndarray, *, fold: bool) -> np.ndarray:
    """x of every step: folded columns, where nothing was decided, take a third of the width."""
    steps = int(trace.step.max())
    widths = [1.0] * steps
    if fold:
        for step in range(1, steps):
            if forced[trace.step == step].all():
                widths[step - 1] = FOLDED_WIDTH
    return np.concatenate([[0.0], np.cumsum(widths)])


def heights(trace: ReasoningTrace, hidden: np.ndarray) -> np.ndarray:
    """y of every node: each column is filled from top to bottom in its parents' order, so that no links cross."""
    y = np.full(trace.n_nodes, 0.5)
    place = np.zeros(trace.n_nodes)
    for step in range(1, int(trace.step.max()) + 1):
        rows = np.flatnonzero((trace.step == step) & ~hidden)
        rows = rows[np.lexsort((rows, -trace.log_prob[rows], place[trace.parent[rows]]))]
        place[rows] = np.arange(len(rows))
        lives = np.isin(trace.fate[rows], (Fate.KEPT, Fate.FALLBACK))
        room = np.where(lives, 1.0, 0.55)
        y[rows] = (np.cumsum(room) - room / 2) / max(room.sum(), 1e-9)
    return y


def node_name(trace: ReasoningTrace, facets: Facets, node: int) -> str:
    """The facet's letter with the code's number, and what the code stands for: "C117 · Nail Polish"."""
    if trace.parent[node] < 0:
        return "Start"
    codebook, code = int(trace.codebook[node]), int(trace.code[node])
    return f"{facet_letter(codebook)}{code} · {facets.name(codebook, code)}"


def _numbers(trace: ReasoningTrace) -> list[str]:
    """Step, probabilities and items of every node in a line."""
    left, paths = trace.items_left.tolist(), np.exp(trace.log_prob).tolist()
    columns = (part.tolist() for part in (trace.step, trace.parent, trace.confidence))
    texts = [
        f"step {step} · code {percent(code)}, path {percent(path)} · {left[parent]:,} → {after:,} items"
        for step, parent, code, path, after in zip(*columns, paths, left, strict=True)
    ]
    return [f"{left[0]:,} items", *texts[1:]]


def tree_columns(trace: ReasoningTrace, *, fold: bool) -> pd.DataFrame:
    """One row a step: where its column stands, and whether it is folded."""
    edges = column_edges(trace, forced_nodes(trace), fold=fold)
    steps = np.arange(len(edges))
    narrow = np.append(False, np.diff(edges) < 1)
    return pd.DataFrame({"step": steps, "x": edges, "narrow": narrow})


def fate_counts(trace: ReasoningTrace) -> pd.DataFrame:
    """How many nodes of each kind the tree holds, in the legend's order."""
    counts = count_fates(trace)
    counts["kept"] -= counts["regenerated"] + 1
    rows = [(kind, KINDS[kind], counts[kind], meaning) for kind, meaning in MEANINGS.items()]
    return pd.DataFrame(rows, columns=["kind", "name", "count", "meaning"])


def hidden_note(hidden: np.ndarray) -> str:
    """How much of the tree is not drawn; "" where all of it is."""
    return f"{hidden.sum():,} of {len(hidden):,} nodes are hidden." if hidden.any() else ""


def tree_summary(trace: ReasoningTrace, hidden: np.ndarray | None = None) -> str:
    """The tree in a sentence, for those who cannot see it; the drawing adds which node is chosen."""
    note = "" if hidden is None else hidden_note(hidden)
    counts = count_fates(trace)
    return (
        f"Search tree of {trace.n_nodes} nodes over {trace.step.max()} steps: {counts['kept']} kept, "
        f"{counts['beam_cut']} beam-cut, {counts['pruned']} pruned, {counts['regenerated']} regenerated, "
        f"{counts['fallback']} fallback.{' ' + note if note else ''}"
    )


def percent(share: float) -> str:
    """A probability for people: two digits that count, never 0 % for what is possible."""
    if share <= 0:
        return "0 %"
    if share < 0.0001:
        return "< 0.01 %"
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def cut(text: str, length: int) -> str:
    """At most `length` characters, with an ellipsis where something is missing."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
