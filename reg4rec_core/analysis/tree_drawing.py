"""A search tree of a report as a still picture (SVG): steps from left to right, one mark a node, a title in each."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Node = Mapping[str, Any]

WIDTH, ROOM, TOP, LEFT = 1160, 320, 26, 16
ROW = 15
"""Pixels between two nodes of the fullest step."""
LABEL_LENGTH = 42
SHAPES = {
    "kept": '<circle r="5"/>',
    "regenerated": '<path d="M0-6 6 5H-6Z"/>',
    "beam_cut": '<circle r="3.2"/>',
    "pruned": '<path d="M0-6.5 6.5 0 0 6.5-6.5 0Z"/>',
    "fallback": '<path d="M-5-5H5V5H-5Z"/>',
}
"""One shape a kind of node; colours stand in the page's style by class."""
NAMES = {
    "kept": "kept",
    "regenerated": "regenerated in a pruned branch's place",
    "beam_cut": "out-scored",
    "pruned": "pruned: the belief moved by more than θ",
    "fallback": "inconsistent, yet kept as a last resort",
}


def kind_of(node: Node) -> str:
    """A key of SHAPES."""
    return "regenerated" if node["fate"] == "kept" and node["attempt"] else str(node["fate"])


def tree_drawing(nodes: Sequence[Node], titles: Mapping[int, str], *, alt: str) -> str:
    """The tree of a report's `tree`; `titles` are the recommended items by rank."""
    places, height = _places(nodes)
    links = "".join(_link(node, places) for node in nodes if node["parent"] is not None)
    marks = "".join(_mark(node, places[node["id"]], titles) for node in nodes)
    steps = max(node["step"] for node in nodes)
    heads = "".join(
        f'<text x="{_x(step, steps):.0f}" y="12" class="head">{f"step {step}" if step else "start"}</text>'
        for step in range(steps + 1)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(alt)}" class="tree">'
        f"{heads}{links}{marks}</svg>"
    )


def tree_legend(nodes: Sequence[Node]) -> str:
    """How each kind of node looks, and how many there are."""
    kinds = [kind_of(node) for node in nodes[1:]]
    entries = "".join(
        f'<span><svg width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true"><g class="node {kind}">{shape}</g>'
        f"</svg> {escape(NAMES[kind])} <b>{kinds.count(kind)}</b></span>"
        for kind, shape in SHAPES.items()
    )
    return f'<div class="legend">{entries}</div>'


def _x(step: int, steps: int) -> float:
    return LEFT + step * (WIDTH - ROOM - LEFT) / max(steps, 1)


def _places(nodes: Sequence[Node]) -> tuple[dict[int, tuple[float, float]], float]:
    """Where every node stands: each step is filled from top to bottom in its parents' order, so that no links cross."""
    steps = max(node["step"] for node in nodes)
    columns = [[node for node in nodes if node["step"] == step] for step in range(steps + 1)]
    height = float(max(len(column) for column in columns) * ROW + TOP + 10)
    order: dict[int, int] = {}
    places: dict[int, tuple[float, float]] = {}
    for step, column in enumerate(columns):
        column.sort(key=lambda node: (order.get(node["parent"], 0), -(node["log_prob"] or 0.0), node["id"]))
        for place, node in enumerate(column):
            order[node["id"]] = place
            y = TOP + (place + 0.5) / len(column) * (height - TOP - 10)
            places[node["id"]] = (_x(step, steps), y)
    return places, height


def _link(node: Node, places: Mapping[int, tuple[float, float]]) -> str:
    (x1, y1), (x2, y2) = places[node["parent"]], places[node["id"]]
    middle = (x1 + x2) / 2
    followed = " followed" if node["followed"] else ""
    path = f"M{x1:.0f} {y1:.1f}C{middle:.0f} {y1:.1f} {middle:.0f} {y2:.1f} {x2:.0f} {y2:.1f}"
    return f'<path class="link {kind_of(node)}{followed}" d="{path}"/>'


def _mark(node: Node, place: tuple[float, float], titles: Mapping[int, str]) -> str:
    name = f"{node['code']['facet']}{node['code']['code']} · {node['code']['name']}" if node["code"] else "Start"
    said = escape(f"{name}: {node['reason']}")
    followed = " followed" if node["followed"] else ""
    mark = f'<g class="node {kind_of(node)}{followed}">{SHAPES[kind_of(node)]}<title>{said}</title></g>'
    label = ""
    if node["ranks"]:
        rank = node["ranks"][0]
        title = titles.get(rank, "")
        shown = title if len(title) <= LABEL_LENGTH else f"{title[: LABEL_LENGTH - 1].rstrip()}…"
        label = f'<text x="11" y="4" class="label{followed}">{rank} · {escape(shown)}</text>'
    return f'<g transform="translate({place[0]:.0f} {place[1]:.1f})">{mark}{label}</g>'
