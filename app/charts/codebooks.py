"""Charts of the Codebooks page: heat maps and bars by Plotly, the map and the flow by ECharts."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

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

HEAT_ROW = 30
MAP_HEIGHT = 520
FLOW_HEIGHT = 380


def heat_map(values: pd.DataFrame, details: pd.DataFrame, ground: Ground) -> go.Figure:
    """A matrix with its numbers in the cells; `details` is what a cell says when one points at it."""
    top = float(values.max(axis=None, skipna=True)) if values.notna().any(axis=None) else 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values.to_numpy(),
            x=values.columns.tolist(),
            y=values.index.tolist(),
            customdata=details.to_numpy(),
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            colorscale=[[0, HEAT[ground][0]], [1, HEAT[ground][1]]],
            zmin=0,
            zmax=max(top, 0.05),
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    figure.add_trace(_cell_numbers(values, max(top, 0.05), ground))
    figure.update_layout(height=HEAT_ROW * len(values) + 40, margin={"l": 8, "r": 8, "t": 28, "b": 4}, dragmode=False)
    figure.update_xaxes(side="top", fixedrange=True, showgrid=False, ticks="")
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, ticks="", automargin=True)
    return figure


def _cell_numbers(values: pd.DataFrame, top: float, ground: Ground) -> go.Scatter:
    """The numbers in the cells, readable on the colour beneath them."""
    cells = [(column, row, values.loc[row, column]) for row in values.index for column in values.columns]
    drawn = [cell for cell in cells if pd.notna(cell[2])]
    on_weak, on_strong, strong = *HEAT_TEXT[ground], top * HEAT_STRONG[ground]
    return go.Scatter(
        x=[column for column, _, _ in drawn],
        y=[row for _, row, _ in drawn],
        text=[f"{value:.2f}" for _, _, value in drawn],
        textfont={"color": [on_strong if value > strong else on_weak for _, _, value in drawn], "size": 12},
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )


def load_bars(rows: pd.DataFrame, even: float, chosen: int, ground: Ground) -> go.Figure:
    """Items a code, from the largest code to the smallest; the chosen one stands out; dashed: an even share."""
    colours = [colour_of("pruned" if code == chosen else "kept", ground) for code in rows["code"]]
    figure = go.Figure(
        go.Bar(
            x=rows["place"],
            y=rows["items"],
            customdata=rows[["code", "name"]].to_numpy(),
            hovertemplate="code %{customdata[0]}: %{customdata[1]}<br>%{y} items<extra></extra>",
            marker={"color": colours, "line": {"width": 0}},
        )
    )
    figure.add_hline(y=even, line={"dash": "dash", "width": 1, "color": GREY}, annotation_text="even share")
    figure.update_layout(
        height=170, bargap=0.1, margin={"l": 8, "r": 8, "t": 8, "b": 4}, dragmode=False, showlegend=False
    )
    figure.update_xaxes(title="codes, from the largest to the smallest", fixedrange=True, showgrid=False)
    figure.update_yaxes(title="items", fixedrange=True)
    return figure


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
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in RISING[ground]]
    shares = [index / max(count - 1, 1) for index in range(count)]
    mixed = [[round(low + (high - low) * share) for low, high in zip(*ends, strict=True)] for share in shares]
    return ["#{:02X}{:02X}{:02X}".format(*colour) for colour in mixed]


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
