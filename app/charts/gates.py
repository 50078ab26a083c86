"""The spread of the gate's weights, an expert a column."""

import pandas as pd
import plotly.graph_objects as go

from app.charts.palette import GREY, Ground, colour_of

HEIGHT = 200


def gate_boxes(rows: pd.DataFrame, even: float, chosen: int, ground: Ground) -> go.Figure:
    """Line: 90 % of the items; bar: half of them; stroke: median; diamond: mean; the chosen expert stands out."""
    colours = [colour_of("pruned" if place == chosen else "kept", ground) for place in range(len(rows))]
    ink = {"light": "#1F2328", "dark": "#E6E9ED"}[ground]
    line = go.Bar(x=rows["facet"], y=rows["highest"] - rows["lowest"], base=rows["lowest"], width=0.06)
    half = go.Bar(x=rows["facet"], y=rows["upper"] - rows["lower"], base=rows["lower"], width=0.5)
    figure = go.Figure([bar.update(marker={"color": colours, "line": {"width": 0}}) for bar in (line, half)])
    for column, symbol, size in (("middle", "line-ew", 22), ("mean", "diamond-open", 8)):
        marker = {"symbol": symbol, "size": size, "color": ink, "line": {"width": 2, "color": ink}}
        figure.add_trace(go.Scatter(x=rows["facet"], y=rows[column], mode="markers", marker=marker))
    figure.update_traces(customdata=rows["detail"], hovertemplate="%{customdata}<extra></extra>")
    figure.add_hline(y=even, line={"dash": "dash", "width": 1, "color": GREY}, annotation_text="even share")
    figure.update_layout(
        height=HEIGHT, barmode="overlay", margin={"l": 8, "r": 8, "t": 8, "b": 4}, dragmode=False, showlegend=False
    )
    figure.update_xaxes(type="category", fixedrange=True, showgrid=False)
    figure.update_yaxes(title="gate weight", tickformat=".0%", rangemode="tozero", fixedrange=True)
    return figure
