"""Charts of the Cohorts page: DataFrames in, Plotly figures out. They are looked at, not selected in."""

import pandas as pd
import plotly.graph_objects as go

BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#8B929C"
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}


def slice_chart(table: pd.DataFrame, metric: str) -> go.Figure:
    """A metric of every slice with its interval; the dashed line is the whole cohort."""
    slices = table.iloc[1:]
    errors = {
        "type": "data",
        "array": slices[f"{metric} high"] - slices[metric],
        "arrayminus": slices[metric] - slices[f"{metric} low"],
    }
    names = [f"{row.slice} ({row.users:,})" for row in slices.itertuples()]
    figure = go.Figure(
        go.Scatter(x=slices[metric], y=names, mode="markers", error_x=errors, marker={"color": BLUE, "size": 9})
    )
    if len(table):
        figure.add_vline(x=float(table[metric].iloc[0]), line={"color": GREY, "dash": "dash"})
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(margin=MARGIN, height=90 + 26 * len(slices), xaxis_title=metric, xaxis_rangemode="tozero")
    return figure


def drift_chart(table: pd.DataFrame) -> go.Figure:
    """Share of each category in the histories (circles) and in the lists (diamonds)."""
    figure = go.Figure()
    for column, symbol, colour in (("history", "circle", BLUE), ("recommended", "diamond", VERMILLION)):
        marker = {"symbol": symbol, "color": colour, "size": 10}
        figure.add_scatter(x=table[column], y=table["category"], mode="markers", name=column, marker=marker)
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(
        margin=MARGIN, height=90 + 26 * len(table), xaxis_tickformat=".1%", legend={"orientation": "h"}
    )
    return figure


def step_chart(table: pd.DataFrame) -> go.Figure:
    """Mean belief: categories down, steps across, darker is more."""
    figure = go.Figure(go.Heatmap(z=table.to_numpy(), x=list(table.columns), y=list(table.index), colorscale="Blues"))
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(margin=MARGIN, height=90 + 26 * len(table), xaxis_title="step", xaxis_dtick=1)
    return figure


def time_chart(table: pd.DataFrame) -> go.Figure:
    """Divergence of every period's mix from the period before."""
    figure = go.Figure(go.Scatter(x=table["start"], y=table["js"], mode="lines+markers", line={"color": BLUE}))
    figure.update_layout(margin=MARGIN, height=260, yaxis_title="js, nats", yaxis_rangemode="tozero")
    return figure
