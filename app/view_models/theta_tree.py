"""All trees that a theta can give one user, laid over each other: every node has one place, whatever theta is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.view_models.reasoning import known
from app.view_models.tree import MEANINGS, node_kind
from reg4rec_core import Facets, ReasoningTrace, ThetaProfile, facet_letter

HIGHEST_THETA = 0.7
"""End of the slider: just above ln 2, the largest Jensen-Shannon divergence there is."""
STATES = ("absent", "root", *MEANINGS)
"""What a node can be under one theta; places in this list stand for them in numbers."""
LIVES = np.isin(STATES, ("root", "kept", "regenerated", "fallback"))
LEAST_ROOM, ROOM_OF_THE_DEAD = 0.1, 0.25
"""Room of a node that is hardly ever there, and of one that is always there but never lives; 1 if it always lives."""


@dataclass(frozen=True)
class UnionTree:
    """The nodes of all trees of a profile, each once, parents before children; and what they are in every interval."""

    parent: np.ndarray
    step: np.ndarray
    codebook: np.ndarray
    code: np.ndarray
    log_prob: np.ndarray
    js: np.ndarray
    """NaN where no theta's search compared beliefs."""
    states: np.ndarray
    """Intervals x nodes; places in STATES."""
    leaves: dict[int, int]
    """The node at which each recommended item's path ends; without items that never had a path."""


def union_tree(traces: Iterable[ReasoningTrace]) -> UnionTree:
    """Lay trees over each other: nodes are the same where the same codes were chosen in the same order."""
    rows: dict[tuple[int, int, int], int] = {}
    numbers: list[list[float]] = []
    leaves: dict[int, int] = {}
    seen: list[tuple[list[int], list[int]]] = []
    for trace in traces:
        here = _rows_of(trace, rows)
        for node, row in enumerate(here):
            if row == len(numbers):
                numbers.append([float(trace.step[node]), float(trace.log_prob[node]), float(trace.js[node])])
            elif np.isnan(numbers[row][2]):
                numbers[row][2] = float(trace.js[node])
        for item, leaf in zip(trace.items.tolist(), trace.item_nodes.tolist(), strict=True):
            if leaf >= 0:
                leaves[item] = here[leaf]
        seen.append((here, [STATES.index(node_kind(trace, node)) for node in range(trace.n_nodes)]))
    states = np.zeros((len(seen), len(rows)), np.uint8)
    for interval, (here, kinds) in enumerate(seen):
        states[interval, here] = kinds
    parent, codebook, code = np.array(list(rows), np.int64).T
    step, log_prob, js = np.array(numbers).T
    return UnionTree(parent, step.astype(np.int64), codebook, code, log_prob, js, states, leaves)


def _rows_of(trace: ReasoningTrace, rows: dict[tuple[int, int, int], int]) -> list[int]:
    """The row of every node among those known, which grow by the new ones."""
    here = list[int]()
    nodes = zip(trace.parent.tolist(), trace.codebook.tolist(), trace.code.tolist(), strict=True)
    for parent, codebook, code in nodes:
        name = (here[parent] if parent >= 0 else -1, codebook, code)
        here.append(rows.setdefault(name, len(rows)))
    return here


def slider_place(theta: np.ndarray) -> np.ndarray:
    """Where thetas stand on the slider, 0 to 1: as the square root, because most changes lie at small thetas."""
    return np.sqrt(np.clip(theta, 0, HIGHEST_THETA) / HIGHEST_THETA)


def room(union: UnionTree, breakpoints: Sequence[float]) -> np.ndarray:
    """How much height each node gets: by the part of the slider on which it lives, less where it is only tried."""
    lengths = np.diff(slider_place(np.array([0.0, *breakpoints, HIGHEST_THETA])))
    lives, there = lengths @ LIVES[union.states], lengths @ (union.states > 0)
    return LEAST_ROOM + lives + ROOM_OF_THE_DEAD * (there - lives)


def heights(union: UnionTree, rooms: np.ndarray) -> np.ndarray:
    """y of every node in [0, 1], down: columns are filled in their parents' order, so that no links cross."""
    y, place = np.full(len(union.parent), 0.5), np.zeros(len(union.parent))
    for step in range(1, int(union.step.max()) + 1):
        rows = np.flatnonzero(union.step == step)
        rows = rows[np.lexsort((rows, -union.log_prob[rows], place[union.parent[rows]]))]
        place[rows] = np.arange(len(rows))
        y[rows] = (np.cumsum(rooms[rows]) - rooms[rows] / 2) / rooms[rows].sum()
    return y


def runs_of(states: np.ndarray) -> list[int]:
    """One node's states over the intervals as interval, state, interval, state, ...: each holds from there on."""
    starts = np.flatnonzero(np.diff(states.astype(np.int64), prepend=0))
    return np.stack([starts, states[starts]], 1).ravel().tolist()


def union_drawing(union: UnionTree, profile: ThetaProfile, facets: Facets) -> dict[str, list]:
    """The nodes in columns, as the component draws them: y in thousandths, js in ten-thousandths, -1 for none."""
    codes = list(zip(union.codebook.tolist(), union.code.tolist(), strict=True))
    names = {code: number for number, code in enumerate(dict.fromkeys(codes))}
    js = np.where(np.isnan(union.js), -1, np.round(1e4 * np.nan_to_num(union.js)))
    size = 4 + 11 * np.exp(union.log_prob) ** (1 / 3)
    y = heights(union, room(union, profile.breakpoints))
    return {
        "parent": union.parent.tolist(),
        "step": union.step.tolist(),
        "y": np.round(1000 * y).astype(int).tolist(),
        "size": np.round(size).astype(int).tolist(),
        "js": js.astype(int).tolist(),
        "name": [names[code] for code in codes],
        "names": [_name(facets, codebook, code) for codebook, code in names],
        "runs": [runs_of(states) for states in union.states.T],
    }


def _name(facets: Facets, codebook: int, code: int) -> str:
    return "Start" if codebook < 0 else f"{facet_letter(codebook)}{code} · {facets.name(codebook, code)}"


def list_drawing(union: UnionTree, profile: ThetaProfile, own: np.ndarray, facets: Facets) -> dict[str, list]:
    """The lists of all intervals beside the run's own, items as places in a table; a list that stays is left out."""
    lists = [interval.items.tolist() for interval in profile.intervals]
    items = list(dict.fromkeys(item for listed in [own.tolist(), *lists] for item in listed))
    places = {item: place for place, item in enumerate(items)}
    catalog = facets.catalog
    return {
        "items": [[catalog.titles[item], known(catalog.brands[item]), union.leaves.get(item, -1)] for item in items],
        "lists": [
            [interval, [places[item] for item in listed]]
            for interval, listed in enumerate(lists)
            if not interval or listed != lists[interval - 1]
        ],
        "own": [places[item] for item in own.tolist()],
        "item_rows": items,
    }
