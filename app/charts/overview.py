"""Charts of the Overview page: tables in, Plotly figures out."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts.palette import GROUP_COLOURS, Ground, colour_of
from app.view_models.overview import FORMAT_ORDER, Panel

DASHES = ("solid", "dash", "dot")
STROKES = ("━", "╍", "┈")
PANEL_HEIGHT = 180
WINDOW = 10
"""A running mean covers a tenth of a curve."""
LAYER_ROW = 20
SIGNS = {"fp32": "32", "bf16": "16", "fp8": "8"}
"""What a cell of the plan says besides its colour."""


def curves(panels: Sequence[Panel], ground: Ground, *, columns: int) -> go.Figure:
    """Small multiples: every panel on its own scale, lines told apart by colour and dash."""
    rows = -(-len(panels) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=[_title(panel, ground) for panel in panels],
        horizontal_spacing=0.22 / columns, vertical_spacing=0.38 / rows,
    )  # fmt: skip
    for place, panel in enumerate(panels):
        for line in _lines(panel, ground):
            figure.add_trace(line, row=place // columns + 1, col=place % columns + 1)
    height = PANEL_HEIGHT * rows + 30
    figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 40, "b": 8}, showlegend=False, dragmode=False)
    figure.update_xaxes(fixedrange=True, showgrid=False, automargin=True, tickformat="d", nticks=6)
    figure.update_yaxes(fixedrange=True, automargin=True, nticks=5)
    figure.update_annotations(font={"size": 13})
    return figure


def _lines(panel: Panel, ground: Ground) -> list[go.Scatter]:
    drawn = []
    names = list(dict.fromkeys(panel.lines["line"]))
    for place, name in enumerate(names):
        points = panel.lines[panel.lines["line"] == name]
        colour = GROUP_COLOURS[ground][place]
        look = {"color": colour, "dash": DASHES[place % len(DASHES)], "width": 2}
        values = points["y"]
        if panel.smooth:
            drawn.append(_line(panel, name, points["x"], values, {"color": colour, "width": 1}, opacity=0.35))
            values = values.rolling(max(len(values) // WINDOW, 1), center=True, min_periods=1).mean()
        drawn.append(_line(panel, name, points["x"], values, look))
    return drawn


def _line(
    panel: Panel, name: str, x: pd.Series, y: pd.Series, look: dict[str, object], *, opacity: float = 1.0
) -> go.Scatter:
    mode = "lines+markers" if len(x) <= 30 else "lines"
    hover = f"{name}, {panel.along} %{{x}}: %{{y:.4g}}<extra></extra>"
    return go.Scatter(
        x=x, y=y, mode=mode, line=look, marker={"size": 5}, opacity=opacity, hovertemplate=hover
    )  # fmt: skip


def _title(panel: Panel, ground: Ground) -> str:
    """What the panel shows; its lines by name, drawn as they look, where there are several."""
    names = list(dict.fromkeys(panel.lines["line"]))
    if len(names) == 1:
        return panel.title
    colours = GROUP_COLOURS[ground]
    keys = [f'<span style="color:{colours[i]}">{STROKES[i]} {name}</span>' for i, name in enumerate(names)]
    return f"{panel.title}<br><sup>{'  '.join(keys)}</sup>"


def precision_map(table: pd.DataFrame, ground: Ground) -> go.Figure:
    """Layers down, plans along; colour and number say the format."""
    plans, layers = list(dict.fromkeys(table["plan"])), list(dict.fromkeys(table["layer"]))
    wide = table.pivot(index="layer", columns="plan", values="format").reindex(index=layers, columns=plans)
    shades = [colour_of(name, ground) for name in ("kept", "fallback", "pruned")]
    steps = [(place / 3, shade) for place, shade in enumerate(shades)]
    steps += [((place + 1) / 3, shade) for place, shade in enumerate(shades)]
    figure = go.Figure(
        go.Heatmap(
            z=wide.map(lambda name: FORMAT_ORDER.index(name) if name in FORMAT_ORDER else None).to_numpy(),
            x=plans,
            y=layers,
            text=wide.map(lambda name: SIGNS.get(name, "")).to_numpy(),
            texttemplate="%{text}",
            customdata=wide.to_numpy(),
            hovertemplate="%{y}<br>%{x}: %{customdata}<extra></extra>",
            colorscale=sorted(steps),
            zmin=-0.5,
            zmax=2.5,
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    figure.update_layout(height=LAYER_ROW * len(layers) + 60, margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode=False)
    figure.update_xaxes(fixedrange=True, showgrid=False)
    figure.update_yaxes(fixedrange=True, showgrid=False, autorange="reversed", automargin=True)
    return figure
