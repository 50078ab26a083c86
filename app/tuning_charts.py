"""Charts of the Tuning page: plain values in; drawings of the tree that follows theta, and Plotly figures out."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import GREY, MARKS, ORANGE, Ground, colour_of
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
    profile: dict[str, Any], *, name: str, theta: str, own_theta: float, target: int, ground: Ground
) -> dict[str, Any]:
    """A profile as the component draws it; `name` tells whether it is the one that is drawn already."""
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
        }
    )


TICKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
CURVE_HEIGHT, FRONT_HEIGHT = 220, 250
COSTS = (
    ("nodes", "nodes", "kept", "circle", "solid"),
    ("pruned", "pruned", "pruned", "diamond", "dash"),
    ("fallback", "fallbacks", "fallback", "square-open", "dot"),
    ("wrong", "wrong prunes", "regenerated", "triangle-up", "dashdot"),
)
"""Column, name, colour, symbol and dash of what a search costs."""


def quality_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground) -> go.Figure:
    """Recall@10 and NDCG@10 by theta, side by side, each with its band."""
    figure = make_subplots(rows=1, cols=2, subplot_titles=("recall@10", "NDCG@10"), horizontal_spacing=0.14)
    for column, name in enumerate(("recall", "ndcg"), start=1):
        _band(figure, table, name, ground, column)
        figure.add_trace(_line(table, name, "kept", "circle", "solid", ground), row=1, col=column)
    return _by_theta(figure, theta, own, CURVE_HEIGHT).update_annotations(font_size=13)


def cost_chart(table: pd.DataFrame, theta: float, own: float, ground: Ground) -> go.Figure:
    """Nodes, and the branches pruned, pruned wrongly or kept as a last resort, by theta; means over users."""
    names = [name for _, name, *_ in COSTS]
    figure = make_subplots(rows=1, cols=4, subplot_titles=names, horizontal_spacing=0.075)
    for place, (column, _, colour, symbol, dash) in enumerate(COSTS, start=1):
        figure.add_trace(_line(table, column, colour, symbol, dash, ground), row=1, col=place)
    figure = _by_theta(figure, theta, own, CURVE_HEIGHT - 30)
    figure.update_xaxes(
        tickvals=[0.0, theta_place(0.1), theta_place(0.3), OFF_PLACE], ticktext=["0", ".1", ".3", "off"]
    )
    return figure.update_annotations(font_size=13)


def _band(figure: go.Figure, table: pd.DataFrame, name: str, ground: Ground, column: int) -> None:
    x = [*table["x"], *table["x"][::-1]]
    y = [*table[f"{name}_high"], *table[f"{name}_low"][::-1]]
    band = go.Scatter(x=x, y=y, fill="toself", mode="none", fillcolor=colour_of("kept", ground), opacity=0.18)
    figure.add_trace(band.update(hoverinfo="skip", showlegend=False), row=1, col=column)


def _line(table: pd.DataFrame, name: str, colour: str, symbol: str, dash: str, ground: Ground) -> go.Scatter:
    drawn = colour_of(colour, ground)
    return go.Scatter(
        x=table["x"],
        y=table[name],
        mode="lines+markers",
        line={"color": drawn, "dash": dash, "width": 2},
        marker={"symbol": symbol, "size": 7, "color": drawn},
        customdata=table["theta"],
        hovertemplate="θ %{customdata}: %{y:.4f}<extra></extra>",
        showlegend=False,
    )


def _by_theta(figure: go.Figure, theta: float, own: float, height: int) -> go.Figure:
    """The axis of the slider under every panel, with the theta that is looked at and the run's own."""
    marks = (mark_place(own), {"dash": "dash", "width": 1.5, "color": GREY}), (mark_place(theta), {"color": ORANGE})
    for x, line in marks:
        figure.add_vline(x=x, line=line, layer="below")
    figure.update_xaxes(
        range=[-0.03, OFF_PLACE + 0.05],
        tickvals=[*(theta_place(tick) for tick in TICKS), OFF_PLACE],
        ticktext=[*(f"{tick:g}".lstrip("0") or "0" for tick in TICKS), "off"],
        fixedrange=True,
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(fixedrange=True, tickfont_size=11, nticks=5)
    margin = {"l": 8, "r": 8, "t": 26, "b": 4}
    return figure.update_layout(height=height, margin=margin, dragmode=False, showlegend=False)


def front_chart(table: pd.DataFrame, chosen: str, ground: Ground) -> go.Figure:
    """NDCG@10 against nodes, a point a theta: filled where no other is better and as cheap; ringed: the one chosen."""
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
            hovertemplate="θ %{customdata}: %{x:.1f} nodes, NDCG@10 %{y:.4f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="nodes a search", fixedrange=True, showgrid=False)
    figure.update_yaxes(title="NDCG@10", fixedrange=True, nticks=5)
    margin = {"l": 8, "r": 24, "t": 24, "b": 4}
    return figure.update_layout(height=FRONT_HEIGHT, margin=margin, dragmode=False, showlegend=False)
