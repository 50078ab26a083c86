"""The search tree and the belief: drawings and ECharts options."""

from typing import Any

import pandas as pd

from app.charts.palette import GREY, MARKS, Ground, colour_of

TREE_HEIGHT = 580


def search_tree(nodes: pd.DataFrame, columns: pd.DataFrame, ground: Ground, *, alt: str) -> dict[str, Any]:
    """The tree as the component draws it: steps from left to right, x and y in [0, 1], entry i is node i."""
    right = max(float(columns["x"].iloc[-1]), 1e-9)
    step = int(nodes.loc[nodes["chosen"], "step"].iloc[0])
    return {
        "alt": alt,
        "height": TREE_HEIGHT,
        "nodes": [_node(row, right, ground) for row in _records(nodes)],
        "columns": [
            {"x": row["x"] / right, "name": _column_name(row), "chosen": row["step"] == step}
            for row in _records(columns)
        ],
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as `to_dict("records")` gives them, a column at a time: a third of its time for a tree."""
    names = list(table)
    return [dict(zip(names, row, strict=True)) for row in zip(*(table[name].tolist() for name in names), strict=True)]


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
        "hidden": row["hidden"],
        "chosen": row["chosen"],
        "link": {"width": 3 if row["on_path"] else 1, "opacity": _link_opacity(row), "dash": mark.dash},
        "label": _label(row),
        "strong": row["on_path"] or row["hit"],
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


def _size(row: dict[str, Any]) -> float:
    if row["hidden"]:
        return 0.0
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
    if row["hidden"]:
        return 0.0
    if row["on_path"]:
        return 0.55 if row["later"] else 1.0
    return 0.2 if row["later"] else 0.4


def belief_bars(
    rows: pd.DataFrame, ground: Ground, *, names: tuple[str, str] = ("now", "step before")
) -> dict[str, Any]:
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
                "name": names[0],
                "type": "bar",
                "data": [round(100 * value, 1) for value in rows["now"]],
                "barWidth": 9,
                "barGap": "25%",
                "itemStyle": {"color": colour_of("kept", ground)},
                "label": {"show": True, "position": "right", "formatter": "{c} %"},
            },
            {
                "id": "before",
                "name": names[1],
                "type": "bar",
                "data": [round(100 * value, 1) for value in rows["before"]],
                "barWidth": 7,
                "itemStyle": {"color": "transparent", "borderColor": GREY, "borderType": "dashed", "borderWidth": 1},
            },
        ],
    }
