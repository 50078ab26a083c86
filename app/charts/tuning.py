"""Charts of the Tuning page: plain values in; drawings of the tree that follows theta, and Plotly figures out."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts.palette import GREY, MARKS, ORANGE, Ground, colour_of
from app.view_models.theta_cohort import OFF_PLACE, mark_place, theta_place
from app.view_models.theta_tree import HIGHEST_THETA, LIVES, STATES
from app.view_models.tree import KINDS, MEANINGS

EXPLORER_HEIGHT = 430
"""Of the tree alone, pixels."""


def explorer_kinds(ground: Ground) -> dict[str, list]:
    """How each kind of node looks, and which of them each state of a node is."""
    kinds = [_kind(kind, meaning, ground) for kind, meaning in MEANINGS.items()]
    order = list(MEANINGS)
    drawn = [-1, 0, *(order.index(state) for state in STATES[2:])]
    return {"kinds": kinds, "kind_of": drawn, "lives": LIVES.tolist()}


def _kind(kind: str, meaning: str, ground: Ground) -> dict[str, Any]:
    mark = MARKS[kind]
    return {
        "name": KINDS[kind],
        "meaning": meaning,
        "symbol": mark.symbol,
        "hollow": not mark.filled,
        "colour": colour_of(kind, ground),
        "dash": [] if mark.dash == "none" else [int(part) for part in mark.dash.split()],
    }


def explorer_drawing(
    profile: dict[str, Any], *, name: str, theta: str, own_theta: float, target: int, ground: Ground, fixed: str = ""
) -> dict[str, Any]:
    """A profile as the component draws it; `name` tells whether it is the one that is drawn already.

    `fixed` says in words what stands in the place of a slider that cannot be dragged.
    """
    return (
        profile
        | explorer_kinds(ground)
        | {
            "id": f"{name}|{ground}",
            "height": EXPLORER_HEIGHT,
            "high": HIGHEST_THETA,
            "theta": theta,
            "own_theta": own_theta if own_theta <= HIGHEST_THETA else None,
            "target": target,
            "fixed": fixed,
        }
    )


TICKS, FEW_TICKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7), (0.0, 0.1, 0.3)
CURVE_HEIGHT, FRONT_HEIGHT = 220, 250
COSTS = (
    ("nodes", "nodes", "kept", "circle", "solid"),
    ("pruned", "pruned", "pruned", "diamond", "dash"),
    ("regenerated", "regenerated", "regenerated", "cross", "longdash"),
    ("fallback", "fallbacks", "fallback", "square-open", "dot"),
    ("wrong", "wrong prunes", "pruned", "triangle-up", "dashdot"),
)
"""Column, name, colour, symbol and dash of what a search costs."""
LISTS = (
    ("coverage", "catalogue covered", "kept", "circle", "solid"),
    ("distinctness", "distinct from others", "regenerated", "diamond", "dash"),
    ("categories", "categories in a list", "fallback", "square-open", "dot"),
)
"""The same of how varied the lists are."""


def quality_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground, top: int = 10) -> go.Figure:
    """Recall and NDCG among the first `top` by theta, side by side, each with its band."""
    panels = {
        title: [_band(table, name, ground), _line(table, name, "kept", "circle", "solid", ground)]
        for title, name in ((f"recall@{top}", "recall"), (f"NDCG@{top}", "ndcg"))
    }
    return _by_theta(panels, theta, own, ticks=TICKS, gap=0.14, height=CURVE_HEIGHT)


def cost_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground) -> go.Figure:
    """Nodes, and the branches pruned, pruned wrongly or kept as a last resort, by theta; means over users."""
    panels = {name: [_line(table, column, *look, ground)] for column, name, *look in COSTS}
    return _by_theta(panels, theta, own, ticks=FEW_TICKS, gap=0.075, height=CURVE_HEIGHT - 30)


def lists_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground) -> go.Figure:
    """How varied the lists are, by theta."""
    panels = {name: [_line(table, column, *look, ground)] for column, name, *look in LISTS}
    return _by_theta(panels, theta, own, ticks=FEW_TICKS, gap=0.1, height=CURVE_HEIGHT - 30)


def _band(table: pd.DataFrame, name: str, ground: Ground) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [*table["x"], *table["x"][::-1]],
        "y": [*table[f"{name}_high"], *table[f"{name}_low"][::-1]],
        "fill": "toself",
        "mode": "none",
        "fillcolor": colour_of("kept", ground),
        "opacity": 0.18,
        "hoverinfo": "skip",
    }


def _line(table: pd.DataFrame, name: str, colour: str, symbol: str, dash: str, ground: Ground) -> dict[str, Any]:
    drawn = colour_of(colour, ground)
    return {
        "type": "scatter",
        "x": table["x"].tolist(),
        "y": table[name].tolist(),
        "mode": "lines+markers",
        "line": {"color": drawn, "dash": dash, "width": 2},
        "marker": {"symbol": symbol, "size": 7, "color": drawn},
        "customdata": table["theta"].tolist(),
        "hovertemplate": "θ %{customdata}: %{y:.4f}<extra></extra>",
    }


def _by_theta(
    panels: dict[str, list[dict[str, Any]]],
    theta: float,
    own: float,
    *,
    ticks: tuple[float, ...],
    gap: float,
    height: int,
) -> go.Figure:
    """Panels side by side over the slider's axis, with the theta that is looked at and the run's own in each.

    Made in one go: Plotly's own subplots take a tenth of a second.
    """
    width = (1 - gap * (len(panels) - 1)) / len(panels)
    layout = {"height": height, "margin": {"l": 8, "r": 8, "t": 26, "b": 4}, "dragmode": False, "showlegend": False}
    layout |= {"annotations": [], "shapes": []}
    data = []
    for place, (title, traces) in enumerate(panels.items()):
        left, number = place * (width + gap), str(place + 1) if place else ""
        data += [trace | {"xaxis": f"x{number}", "yaxis": f"y{number}"} for trace in traces]
        layout[f"xaxis{number}"] = _theta_axis(ticks) | {"domain": [left, left + width], "anchor": f"y{number}"}
        layout[f"yaxis{number}"] = {"anchor": f"x{number}", "fixedrange": True, "tickfont": {"size": 11}, "nticks": 5}
        layout["annotations"].append(_title(title, left + width / 2))
        marks = ((own, {"dash": "dash", "width": 1.5, "color": GREY}), (theta, {"width": 2, "color": ORANGE}))
        layout["shapes"] += [_upright(mark_place(at), number, look) for at, look in marks if not math.isnan(at)]
    return go.Figure({"data": data, "layout": layout})


def _theta_axis(ticks: tuple[float, ...]) -> dict[str, Any]:
    return {
        "range": [-0.03, OFF_PLACE + 0.05],
        "tickvals": [*map(theta_place, ticks), OFF_PLACE],
        "ticktext": [*(f"{tick:g}".lstrip("0") or "0" for tick in ticks), "off"],
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
    }


def _title(text: str, x: float) -> dict[str, Any]:
    place = {"x": x, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
    return place | {"text": text, "showarrow": False, "font": {"size": 13}}


def _upright(x: float, panel: str, line: dict[str, Any]) -> dict[str, Any]:
    place = {"x0": x, "x1": x, "y0": 0, "y1": 1, "xref": f"x{panel}", "yref": f"y{panel} domain"}
    return place | {"type": "line", "layer": "below", "line": line}


def front_chart(table: pd.DataFrame, chosen: str, ground: Ground, top: int = 10) -> go.Figure:
    """NDCG against nodes, a point a theta: filled where no other is better and as cheap; ringed: the one chosen."""
    drawn = colour_of("kept", ground)
    rings = [name == chosen for name in table["theta"]]
    named = [front or ring for front, ring in zip(table["front"], rings, strict=True)]
    figure = go.Figure(
        go.Scatter(
            x=table["nodes"],
            y=table["ndcg"],
            mode="markers+text",
            text=("θ " + table["theta"]).where(named, ""),
            textposition="top center",
            cliponaxis=False,
            marker={
                "symbol": ["circle" if front else "circle-open" for front in table["front"]],
                "size": 11,
                "color": drawn,
                "line": {
                    "width": [3.0 if ring else 1.5 for ring in rings],
                    "color": [ORANGE if ring else drawn for ring in rings],
                },
            },
            customdata=table["theta"],
            hovertemplate="θ %{customdata}: %{x:.1f} nodes, NDCG %{y:.4f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="nodes a search", fixedrange=True, showgrid=False)
    figure.update_yaxes(title=f"NDCG@{top}", fixedrange=True, nticks=5)
    margin = {"l": 8, "r": 24, "t": 24, "b": 4}
    return figure.update_layout(height=FRONT_HEIGHT, margin=margin, dragmode=False, showlegend=False)
