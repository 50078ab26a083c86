"""Charts of the Rewards page: DataFrames in, Plotly figures out; and how its bars look."""

import pandas as pd
import plotly.graph_objects as go

from app.charts.palette import Ground, colour_of

TERM_COLOURS: dict[Ground, dict[str, str]] = {
    "light": {"step": "#0072B2", "category": "#E69F00", "consistency": "#8B929C", "path": "#009E73"},
    "dark": {"step": "#56B4E9", "category": "#E69F00", "consistency": "#8B929C", "path": "#1FBF93"},
}
"""Okabe and Ito's blue, orange and green, and grey for the reward that knows no purchase."""
TERM_STRIPES = {
    "step": "none",
    "category": "repeating-linear-gradient(45deg, transparent 0 3px, rgba(0,0,0,.28) 3px 5px)",
    "consistency": "repeating-linear-gradient(90deg, transparent 0 3px, rgba(0,0,0,.28) 3px 4px)",
    "path": "repeating-linear-gradient(-45deg, transparent 0 5px, rgba(0,0,0,.28) 5px 7px)",
}
"""Stripes over the colours, so that no reward is told by its colour alone."""
CURVE_HEIGHT = 210
GRID = "rgba(128, 128, 128, .25)"


def reward_curve(rows: pd.DataFrame, steps: int, ground: Ground) -> go.Figure:
    """The mean weighted reward of every step so far; the axis already reaches to the last step."""
    figure = go.Figure(
        go.Scatter(
            x=rows["step"],
            y=rows["reward"],
            mode="lines+markers",
            line={"color": colour_of("kept", ground), "width": 2},
            marker={"size": 6},
            hovertemplate="step %{x}: %{y:.3f}<extra></extra>",
        )
    )
    figure.update_layout(height=CURVE_HEIGHT, margin={"l": 8, "r": 8, "t": 8, "b": 4}, dragmode=False, showlegend=False)
    axis = {"range": [0.5, steps + 0.5], "dtick": max(1, steps // 10)}
    figure.update_xaxes(title="training step", fixedrange=True, showgrid=False, **axis)
    figure.update_yaxes(title="mean reward of a path", fixedrange=True, gridcolor=GRID)
    return figure
