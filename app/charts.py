"""Charts as plain values: DataFrames in; drawings of the search tree and ECharts options out.

Rows keep their order whatever is chosen, so that a click always means the same node: drawings restyle, they never drop
or reorder. Text colours are left to the page's theme. Every meaning that has a colour also has a shape or a dash.
"""

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Ground = Literal["light", "dark"]

GREY, ORANGE = "#8B929C", "#E69F00"
COLOURS: dict[Ground, dict[str, str]] = {
    "light": {"kept": "#0072B2", "regenerated": "#009E73", "pruned": "#D55E00", "fallback": "#CC79A7"},
    "dark": {"kept": "#56B4E9", "regenerated": "#1FBF93", "pruned": "#F0803C", "fallback": "#DD9BBF"},
}
"""Okabe and Ito's blue, green, vermillion and purple; on a dark ground their sky blue and lighter tones."""
TREE_HEIGHT = 580


@dataclass(frozen=True)
class Mark:
    """How a kind of node looks besides its colour: shape, outline, and the dash of the link that leads to it."""

    symbol: str
    filled: bool
    dash: str
    """As SVG's stroke-dasharray."""


MARKS = {
    "root": Mark("circle", True, "none"),
    "kept": Mark("circle", True, "none"),
    "regenerated": Mark("triangle", True, "none"),
    "beam_cut": Mark("circle", False, "1 3"),
    "pruned": Mark("diamond", True, "6 4"),
    "fallback": Mark("rect", False, "7 3 2 3"),
}


def colour_of(kind: str, ground: Ground) -> str:
    return COLOURS[ground].get(kind, GREY)


def search_tree(nodes: pd.DataFrame, columns: pd.DataFrame, ground: Ground, *, alt: str) -> dict[str, Any]:
    """The tree as the component draws it: steps from left to right, x and y in [0, 1], entry i is node i."""
    right = max(float(columns["x"].iloc[-1]), 1e-9)
    step = int(nodes.loc[nodes["chosen"], "step"].iloc[0])
    return {
        "alt": alt,
        "height": TREE_HEIGHT,
        "nodes": [_node(row, right, ground) for row in nodes.to_dict("records")],
        "columns": [
            {"x": row["x"] / right, "name": _column_name(row), "chosen": row["step"] == step}
            for row in columns.to_dict("records")
        ],
    }


def _node(row: dict[str, Any], right: float, ground: Ground) -> dict[str, Any]:
    mark = MARKS[row["kind"]]
    return {
        "parent": row["parent"],
        "path": row["path"],
        "x": round(row["x"] / right, 4),
        "y": round(row["y"], 4),
        "symbol": mark.symbol,
        "hollow": not mark.filled,
        "colour": colour_of(row["kind"], ground),
        "size": _size(row),
        "opacity": 1.0 if row["chosen"] else _opacity(row),
        "chosen": row["chosen"],
        "link": {"width": 3 if row["on_path"] else 1, "opacity": _link_opacity(row), "dash": mark.dash},
        "label": f"★ {row['label']}" if row["hit"] else row["label"],
        "strong": row["on_path"] or row["hit"],
        "heading": row["heading"],
        "numbers": row["numbers"],
        "reason": row["reason"],
    }


def _column_name(column: dict[str, Any]) -> str:
    if column["step"] == 0:
        return "start"
    return str(column["step"]) if column["narrow"] else f"step {column['step']}"


def _size(row: dict[str, Any]) -> float:
    if row["chosen"]:
        return max(15.0, round(row["size"] + 3, 1))
    if row["folded"]:
        return 5.0 if row["on_path"] else 0.0
    return round(row["size"] * (0.8 if row["kind"] == "beam_cut" else 1.0), 1)


def _opacity(row: dict[str, Any]) -> float:
    if row["later"]:
        return 0.75 if row["on_path"] else 0.45
    if row["on_path"]:
        return 1.0
    return 0.7 if row["kind"] == "beam_cut" else 0.9


def _link_opacity(row: dict[str, Any]) -> float:
    if row["on_path"]:
        return 0.55 if row["later"] else 1.0
    return 0.2 if row["later"] else 0.4


def belief_bars(rows: pd.DataFrame, ground: Ground) -> dict[str, Any]:
    """The belief over categories in percent: a filled bar now, a dashed outline for the step before."""
    return {
        "animationDuration": 0,
        "animationDurationUpdate": 180,
        "grid": {"left": 142, "right": 42, "top": 26, "bottom": 2, "outerBoundsMode": "none"},
        "legend": {"top": 0, "left": 0, "itemWidth": 14, "itemHeight": 9, "selectedMode": False},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "valueFormatter": "%.1f %%"},
        "xAxis": {"type": "value", "min": 0, "max": 100, "show": False},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": rows["category"].tolist(),
            "axisTick": {"show": False},
            "axisLine": {"show": False},
            "axisLabel": {"width": 134, "overflow": "truncate", "interval": 0},
        },
        "series": [
            {
                "id": "now",
                "name": "now",
                "type": "bar",
                "data": [round(100 * value, 1) for value in rows["now"]],
                "barWidth": 9,
                "barGap": "25%",
                "itemStyle": {"color": colour_of("kept", ground)},
                "label": {"show": True, "position": "right", "formatter": "{c} %"},
            },
            {
                "id": "before",
                "name": "step before",
                "type": "bar",
                "data": [round(100 * value, 1) for value in rows["before"]],
                "barWidth": 7,
                "itemStyle": {"color": "transparent", "borderColor": GREY, "borderType": "dashed", "borderWidth": 1},
            },
        ],
    }
