"""The search tree as the component draws it, and which of its paths is followed."""

from typing import Any

import pandas as pd

from app.charts.palette import MARKS, Ground, colour_of
from app.view_models.tree import Focus, search_id

TREE_HEIGHT = 580


LOOKS = {
    "path": {
        "now": {"opacity": 1.0, "link": {"width": 3, "opacity": 1.0}},
        "later": {"opacity": 0.75, "link": {"width": 3, "opacity": 0.55}},
    },
    "aside": {
        "now": {"opacity": None, "link": {"width": 1, "opacity": 0.4}},
        "later": {"opacity": 0.45, "link": {"width": 1, "opacity": 0.2}},
    },
}
"""How nodes and their links look on the followed path and aside, up to the chosen step and later; None: as the node."""


def search_tree(nodes: pd.DataFrame, columns: pd.DataFrame, ground: Ground, *, alt: str) -> dict[str, Any]:
    """The tree as the component draws it: steps from left to right, x and y in [0, 1], entry i is node i.

    Nothing in it depends on the path that is followed: `followed` says that beside it.
    """
    right = max(float(columns["x"].iloc[-1]), 1e-9)
    return {
        "id": search_id(nodes),
        "alt": alt,
        "height": TREE_HEIGHT,
        "looks": LOOKS,
        "nodes": [_node(row, right, ground) for row in _records(nodes)],
        "columns": [
            {"x": row["x"] / right, "name": _column_name(row), "step": row["step"]} for row in _records(columns)
        ],
    }


def followed(search: int, focus: Focus, *, path: str, label: str = "", note: str = "") -> dict[str, Any]:
    """Which path of a search is followed, and how far: `path` is its key in the address, "" for the first item's.

    `label` stands at an end that has none of its own, `note` before the reason for the chosen node's fate.
    """
    return {"id": search, "path": path, "step": focus.step, "end": focus.rows[-1], "label": label, "note": note}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as `to_dict("records")` gives them, a column at a time: a third of its time for a tree."""
    names = list(table)
    return [dict(zip(names, row, strict=True)) for row in zip(*(table[name].tolist() for name in names), strict=True)]


def _node(row: dict[str, Any], right: float, ground: Ground) -> dict[str, Any]:
    mark = MARKS[row["kind"]]
    return {
        "parent": row["parent"],
        "end": row["end"],
        "step": row["step"],
        "path": row["path"],
        "x": round(row["x"] / right, 4),
        "y": round(row["y"], 4),
        "symbol": mark.symbol,
        "hollow": not mark.filled,
        "colour": colour_of(row["kind"], ground),
        "dash": mark.dash,
        "sizes": _sizes(row),
        "opacity": 0.7 if row["kind"] == "beam_cut" else 0.9,
        "hidden": row["hidden"],
        "label": _label(row),
        "hit": row["hit"],
        "ring": row.get("difference", ""),
        "heading": row["heading"],
        "numbers": row["numbers"],
        "reason": row["reason"],
    }


def _column_name(column: dict[str, Any]) -> str:
    if column["step"] == 0:
        return "start"
    return str(column["step"]) if column["narrow"] else f"step {column['step']}"


def _label(row: dict[str, Any]) -> str:
    if row["hidden"]:
        return ""
    return f"★ {row['label']}" if row["hit"] else row["label"]


def _sizes(row: dict[str, Any]) -> dict[str, float]:
    """Across, in pixels: aside, on the followed path, and where it is the chosen node."""
    if row["hidden"]:
        return {"aside": 0.0, "path": 0.0, "chosen": 0.0}
    chosen = max(15.0, round(row["size"] + 3, 1))
    if row["folded"]:
        return {"aside": 0.0, "path": 5.0, "chosen": chosen}
    size = round(row["size"] * (0.8 if row["kind"] == "beam_cut" else 1.0), 1)
    return {"aside": size, "path": size, "chosen": chosen}
