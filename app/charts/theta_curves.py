"""Curves over theta as ECharts options: plain values in and out, light enough to follow the slider."""

import math
from typing import Any

import pandas as pd

from app.charts.palette import GREY, ORANGE, Ground, colour_of
from app.view_models.theta_cohort import OFF_PLACE, mark_place, theta_place

TICKS, FEW_TICKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7), (0.0, 0.1, 0.3)
CURVE_HEIGHT, COST_HEIGHT, FRONT_HEIGHT = 220, 190, 250
COSTS = (
    ("nodes", "nodes", "kept", "circle", "solid"),
    ("pruned", "pruned", "pruned", "diamond", "dashed"),
    ("regenerated", "regenerated", "regenerated", "triangle", [10, 4]),
    ("fallback", "fallbacks", "fallback", "emptyRect", "dotted"),
    ("wrong", "wrong prunes", "pruned", "emptyDiamond", [8, 3, 2, 3]),
)
"""Column, name, colour, symbol and dash of what a search costs."""
LISTS = (
    ("coverage", "catalogue covered", "kept", "circle", "solid"),
    ("distinctness", "distinct from others", "regenerated", "triangle", "dashed"),
    ("categories", "categories in a list", "fallback", "emptyRect", "dotted"),
)
"""The same of how varied the lists are."""
Look = tuple[str, str, str, str | list[int]]
"""Column, colour, symbol and dash of a line."""


def quality_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground, top: int = 10) -> dict[str, Any]:
    """Recall and NDCG among the first `top` by theta, side by side, each with its band."""
    panels = {
        title: [*_band(table, name, ground), _line(table, (name, "kept", "circle", "solid"), ground)]
        for title, name in ((f"recall@{top}", "recall"), (f"NDCG@{top}", "ndcg"))
    }
    return _by_theta(panels, theta, own, ticks=TICKS, gap=6)


def cost_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground) -> dict[str, Any]:
    """Nodes, and the branches pruned, pruned wrongly or kept as a last resort, by theta; means over users."""
    panels = {name: [_line(table, (column, *look), ground)] for column, name, *look in COSTS}
    return _by_theta(panels, theta, own, ticks=FEW_TICKS, gap=1.5)


def lists_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground) -> dict[str, Any]:
    """How varied the lists are, by theta."""
    panels = {name: [_line(table, (column, *look), ground)] for column, name, *look in LISTS}
    return _by_theta(panels, theta, own, ticks=FEW_TICKS, gap=4)


def _band(table: pd.DataFrame, name: str, ground: Ground) -> list[dict[str, Any]]:
    """Two stacked lines that nobody sees, and the colour between them."""
    low, high = table[f"{name}_low"], table[f"{name}_high"]
    unseen = {"type": "line", "stack": name, "symbol": "none", "lineStyle": {"opacity": 0}, "silent": True}
    area = {"areaStyle": {"color": colour_of("kept", ground), "opacity": 0.18}}
    return [unseen | {"data": _pairs(table, low)}, unseen | area | {"data": _pairs(table, high - low)}]


def _pairs(table: pd.DataFrame, values: pd.Series) -> list[list[Any]]:
    """Place on the slider, value, and the theta as it is called."""
    rows = zip(table["x"].tolist(), values.tolist(), table["theta"].tolist(), strict=True)
    return [[x, round(value, 6), name] for x, value, name in rows if not math.isnan(value)]


def _line(table: pd.DataFrame, look: Look, ground: Ground) -> dict[str, Any]:
    column, colour, symbol, dash = look
    drawn = colour_of(colour, ground)
    return {
        "type": "line",
        "data": _pairs(table, table[column]),
        "symbol": symbol,
        "symbolSize": 7,
        "lineStyle": {"color": drawn, "type": dash, "width": 2},
        "itemStyle": {"color": drawn},
        "tooltip": {"formatter": "θ {@[2]}: {@[1]}"},
    }


def _by_theta(
    panels: dict[str, list[dict[str, Any]]], theta: float, own: float, *, ticks: tuple[float, ...], gap: float
) -> dict[str, Any]:
    """Panels side by side over the slider's axis, with the theta that is looked at and the run's own in each.

    `gap` between them is in percent of the width.
    """
    width = (98 - gap * (len(panels) - 1)) / len(panels)  # the last name of a tick stands out at the right
    option: dict[str, Any] = {"animation": False, "tooltip": {"trigger": "item"}}
    option |= {"grid": [], "title": [], "xAxis": [], "yAxis": [], "series": []}
    marks = [*_tick_marks(ticks), *_theta_marks(theta, own)]
    for place, (title, lines) in enumerate(panels.items()):
        left, axes = place * (width + gap), {"xAxisIndex": place, "yAxisIndex": place}
        option["grid"].append(_frame(left, width))
        option["title"].append(_title(title, left + width / 2))
        option["xAxis"].append(_theta_axis(place))
        option["yAxis"].append({"type": "value", "scale": True, "gridIndex": place, "splitNumber": 4} | _FAINT)
        option["series"] += [line | axes for line in lines[:-1]]
        option["series"].append(lines[-1] | axes | {"markLine": _uprights(marks)})
    return option


_FAINT = {"splitLine": {"lineStyle": {"color": GREY, "opacity": 0.25}}, "axisLabel": {"fontSize": 11}}


def _frame(left: float, width: float) -> dict[str, Any]:
    inside = {"outerBoundsMode": "same", "outerBoundsContain": "axisLabel"}
    return {"left": f"{left:.2f}%", "width": f"{width:.2f}%", "top": 26, "bottom": 20} | inside


def _title(text: str, middle: float) -> dict[str, Any]:
    return {
        "text": text,
        "left": f"{middle:.2f}%",
        "textAlign": "center",
        "top": 3,
        "padding": 0,
        "textStyle": {"fontSize": 13, "fontWeight": "normal"},
    }


def _theta_axis(place: int) -> dict[str, Any]:
    """From theta 0 to no pruning; the marks carry the names, since an axis of numbers can show numbers alone."""
    hidden = {name: {"show": False} for name in ("axisLabel", "axisTick", "splitLine")}
    ends = {"min": -0.03, "max": OFF_PLACE + 0.05}
    return {"type": "value", "gridIndex": place, "axisLine": {"onZero": False}} | ends | hidden


def _tick_marks(ticks: tuple[float, ...]) -> list[dict[str, Any]]:
    names = [(theta_place(tick), f"{tick:g}".lstrip("0") or "0") for tick in ticks] + [(OFF_PLACE, "off")]
    label = {"show": True, "position": "start", "formatter": "{b}", "color": GREY, "fontSize": 11, "opacity": 1}
    return [{"xAxis": x, "name": name, "lineStyle": {"opacity": 0}, "label": label} for x, name in names]


def _theta_marks(theta: float, own: float) -> list[dict[str, Any]]:
    """The run's own theta dashed, the one that is looked at in full; NaN is none."""
    looks = ((own, {"type": "dashed", "width": 1.5, "color": GREY}), (theta, {"width": 2, "color": ORANGE}))
    return [{"xAxis": mark_place(at), "lineStyle": look} for at, look in looks if not math.isnan(at)]


def _uprights(marks: list[dict[str, Any]]) -> dict[str, Any]:
    plain = {"lineStyle": {"type": "solid"}, "label": {"show": False}}
    return {"silent": True, "symbol": "none", "animation": False, "data": marks} | plain


def front_chart(table: pd.DataFrame, chosen: str, ground: Ground, top: int = 10) -> dict[str, Any]:
    """NDCG against nodes, a point a theta: filled where no other is better and as cheap; ringed: the one chosen."""
    drawn = colour_of("kept", ground)
    rows = zip(*(table[name].tolist() for name in ("nodes", "ndcg", "theta", "front")), strict=True)
    points = [_front_point(*row, ringed=row[2] == chosen, colour=drawn) for row in rows]
    middle = {"type": "value", "scale": True, "nameLocation": "middle"}
    return {
        "animation": False,
        "grid": {"left": 58, "right": 30, "top": 24, "bottom": 40, "outerBoundsMode": "none"},
        "tooltip": {"trigger": "item", "formatter": "θ {@[2]}: {@[0]} nodes, NDCG {@[1]}"},
        "xAxis": middle | {"name": "nodes a search", "nameGap": 24, "splitLine": {"show": False}},
        "yAxis": middle | {"name": f"NDCG@{top}", "nameGap": 44, "splitNumber": 4} | _FAINT,
        "series": [{"type": "scatter", "symbolSize": 11, "data": points}],
    }


def _front_point(nodes: float, ndcg: float, theta: str, front: bool, *, ringed: bool, colour: str) -> dict[str, Any]:
    ring = {"borderColor": ORANGE, "borderWidth": 3} if ringed else {"borderColor": colour, "borderWidth": 1.5}
    place = "bottom" if theta == "off" else "top"  # the two that matter often lie close together
    name = {"show": front or ringed, "position": place, "formatter": f"θ {theta}"}
    return {
        "value": [round(nodes, 1), round(ndcg, 4), theta],
        "symbol": "circle",
        "itemStyle": {"color": colour if front else "transparent"} | ring,
        "label": name,
    }
