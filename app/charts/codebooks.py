"""Charts of the Codebooks page: the colours of heat tables; bars, the map and the flow by ECharts."""

from typing import Any

import pandas as pd

from app.charts.palette import (
    GREY,
    GROUP_COLOURS,
    GROUP_SYMBOLS,
    HEAT,
    HEAT_STRONG,
    HEAT_TEXT,
    RISING,
    Ground,
    colour_of,
)

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
