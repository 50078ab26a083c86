"""Charts as plain values: DataFrames in; drawings of the search tree, ECharts options and Plotly figures out.

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


GROUP_COLOURS: dict[Ground, tuple[str, ...]] = {
    "light": ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#B5A800", "#000000"),
    "dark": ("#56B4E9", "#E69F00", "#1FBF93", "#DD9BBF", "#F0803C", "#F0E442", "#2F8FCB", "#FFFFFF"),
}
"""Okabe and Ito's eight, the yellow darker on a light ground, black and white changed over."""
GROUP_SYMBOLS = ("circle", "triangle", "rect", "diamond", "roundRect", "pin", "arrow", "circle")
RISING: dict[Ground, tuple[str, str]] = {"light": ("#CBD5DD", "#00405F"), "dark": ("#39434D", "#A9DCF8")}
"""From few to many, one hue."""
HEAT: dict[Ground, tuple[str, str]] = {"light": ("#FFFFFF", "#0072B2"), "dark": ("#1A1F26", "#56B4E9")}
HEAT_TEXT: dict[Ground, tuple[str, str]] = {"light": ("#1F2328", "#FFFFFF"), "dark": ("#E6E9ED", "#0B0E12")}
"""Of numbers on a weak and on a strong colour."""
HEAT_STRONG: dict[Ground, float] = {"light": 0.55, "dark": 0.7}
"""Share of the largest value from which a colour is strong."""
LEAST_TOP = 0.05
"""What counts as much at least, so that noise is not painted strong."""
LOADS_HEIGHT = 170
MAP_HEIGHT = 520
FLOW_HEIGHT = 380


def heat_colours(value: float, top: float, ground: Ground) -> tuple[str, str]:
    """Of a cell between 0 and the largest value, and of the number on it."""
    share = min(max(value / max(top, LEAST_TOP), 0.0), 1.0)
    return _mixed(HEAT[ground], share), HEAT_TEXT[ground][1 if share > HEAT_STRONG[ground] else 0]


def load_bars(rows: pd.DataFrame, even: float, chosen: int, ground: Ground) -> dict[str, Any]:
    """Items a code, from the largest code to the smallest; the chosen one stands out; dashed: an even share."""
    look = {"itemStyle": {"color": colour_of("pruned", ground)}}
    cells = zip(rows["code"].tolist(), rows["name"].tolist(), rows["items"].tolist(), strict=True)
    bars = [
        {"name": f"code {code}: {name}", "value": items} | (look if code == chosen else {})
        for code, name, items in cells
    ]
    share = {"yAxis": round(even, 2), "name": "even share"}
    return {
        "animation": False,
        "grid": {"left": 44, "right": 8, "top": 10, "bottom": 34, "outerBoundsMode": "none"},
        "tooltip": {"trigger": "item", "formatter": "{b}<br>{c} items"},
        "xAxis": {
            "type": "category",
            "data": rows["place"].tolist(),
            "name": "codes, from the largest to the smallest",
            "nameLocation": "middle",
            "nameGap": 20,
            "axisTick": {"show": False},
        },
        "yAxis": {"type": "value", "name": "items", "nameLocation": "middle", "nameGap": 32},
        "series": [
            {
                "id": "loads",
                "type": "bar",
                "data": bars,
                "barCategoryGap": "10%",
                "itemStyle": {"color": colour_of("kept", ground)},
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "lineStyle": {"type": "dashed", "width": 1, "color": GREY},
                    "label": {"formatter": "{b}", "color": GREY, "position": "insideEndTop"},
                    "data": [share],
                },
            }
        ],
    }


def point_map(points: pd.DataFrame, groups: tuple[str, ...], ground: Ground, *, ordered: bool) -> dict[str, Any]:
    """Points of one series in their own order, whatever colours them, so that a lasso outlives a change of colours."""
    colours = _rising(len(groups), ground) if ordered else _group_colours(groups, ground)
    small = len(points) > 2000
    symbols = ["circle"] * len(groups) if ordered else [GROUP_SYMBOLS[i % 8] for i in range(len(groups))]
    axis = {"type": "value", "min": -1.05, "max": 1.05, "show": False}
    return {
        "animation": False,
        "dataset": {"source": points},
        "grid": {"left": 4, "right": 4, "top": 36, "bottom": 56},
        "xAxis": axis,
        "yAxis": axis,
        "brush": {
            "xAxisIndex": 0,
            "yAxisIndex": 0,
            "throttleType": "debounce",
            "throttleDelay": 250,
            "outOfBrush": {"colorAlpha": 0.15},
        },
        "toolbox": {
            "left": 4,
            "top": 4,
            "itemSize": 16,
            "itemGap": 12,
            "feature": {
                "brush": {
                    "type": ["polygon", "rect", "clear"],
                    "title": {"polygon": "lasso", "rect": "box", "clear": "clear the selection"},
                }
            },
        },
        "tooltip": {"trigger": "item", "formatter": "{@name}<br>{@group}<br>{@detail}"},
        "visualMap": {
            "type": "piecewise",
            "dimension": "group",
            "categories": list(groups),
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "itemGap": 12,
            "itemSymbol": "circle",
            "hoverLink": False,
            "selectedMode": False,
            "inRange": {
                "color": dict(zip(groups, colours, strict=True)),
                "symbol": dict(zip(groups, symbols, strict=True)),
            },
        },
        "series": [
            {
                "id": "points",
                "type": "scatter",
                "encode": {"x": "x", "y": "y"},
                "symbolSize": 4 if small else 9,
                "itemStyle": {"opacity": 0.75 if small else 0.9},
            }
        ],
    }


def _group_colours(groups: tuple[str, ...], ground: Ground) -> list[str]:
    """A colour a group; what is summed or not known is grey."""
    palette = GROUP_COLOURS[ground]
    return [GREY if name in ("all others", "unknown") else palette[i % 8] for i, name in enumerate(groups)]


def _rising(count: int, ground: Ground) -> list[str]:
    """Evenly spaced between the two ends of one hue."""
    return [_mixed(RISING[ground], index / max(count - 1, 1)) for index in range(count)]


def _mixed(ends: tuple[str, str], share: float) -> str:
    """The colour at a share of the way between two."""
    low, high = ([int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in ends)
    return "#{:02X}{:02X}{:02X}".format(*(round(a + (b - a) * share) for a, b in zip(low, high, strict=True)))


def flow(rows: pd.DataFrame, ground: Ground) -> dict[str, Any]:
    """From groups of codes at the left to categories at the right, as wide as there are items."""
    targets = list(dict.fromkeys(rows["target"]))
    colours = dict(zip(targets, _group_colours(tuple(targets), ground), strict=True))
    sources = list(dict.fromkeys(rows["source"]))
    return {
        "animation": False,
        "tooltip": {"trigger": "item", "valueFormatter": "%,d items"},
        "series": [
            {
                "type": "sankey",
                "left": 4,
                "right": 170,
                "top": 8,
                "bottom": 8,
                "nodeWidth": 12,
                "nodeGap": 10,
                "draggable": False,
                "emphasis": {"focus": "adjacency"},
                "label": {"width": 200, "overflow": "truncate"},
                "lineStyle": {"color": "target", "opacity": 0.4},
                "data": [
                    *({"name": name, "depth": 0, "itemStyle": {"color": GREY}} for name in sources),
                    *({"name": name, "depth": 1, "itemStyle": {"color": colours[name]}} for name in targets),
                ],
                "links": [
                    {"source": row["source"], "target": row["target"], "value": int(row["items"])}
                    for row in rows.to_dict("records")
                ],
            }
        ],
    }
