"""The spread of the gate's weights, an expert a column."""

import pandas as pd
import plotly.graph_objects as go

from app.charts.palette import GREY, Ground, colour_of

HEIGHT = 200


def gate_boxes(rows: pd.DataFrame, even: float, chosen: int, ground: Ground) -> go.Figure:
    """Line: 90 % of the items; bar: half of them; stroke: median; the chosen expert stands out. The axis is cut."""
    colours = [colour_of("pruned" if place == chosen else "kept", ground) for place in range(len(rows))]
    ink = {"light": "#1F2328", "dark": "#E6E9ED"}[ground]
    line = go.Bar(x=rows["facet"], y=rows["highest"] - rows["lowest"], base=rows["lowest"], width=0.06)
    half = go.Bar(x=rows["facet"], y=rows["upper"] - rows["lower"], base=rows["lower"], width=0.5)
    figure = go.Figure([bar.update(marker={"color": colours, "line": {"width": 0}}) for bar in (line, half)])
    stroke = {"symbol": "line-ew", "size": 26, "color": ink, "line": {"width": 3, "color": ink}}
    figure.add_trace(go.Scatter(x=rows["facet"], y=rows["middle"], mode="markers", marker=stroke))
    figure.update_traces(customdata=rows["detail"], hovertemplate="%{customdata}<extra></extra>")
    figure.add_hline(y=even, line={"dash": "dash", "width": 1, "color": GREY}, annotation_text="even share")
    figure.update_layout(
        height=HEIGHT, barmode="overlay", margin={"l": 8, "r": 8, "t": 8, "b": 4}, dragmode=False, showlegend=False
    )
    room = 0.08 * len(rows)  # at the right, for the word beside the dashed line
    figure.update_xaxes(type="category", fixedrange=True, showgrid=False, range=(-0.5, len(rows) - 0.5 + room))
    low, high = min(rows["lowest"].min(), even), max(rows["highest"].max(), even)
    margin = 0.1 * (high - low) + 0.002
    figure.update_yaxes(title="gate weight", tickformat=".1%", range=(low - margin, high + margin), fixedrange=True)
    return figure
