"""Charts of the Cohorts page: DataFrames in, ECharts options out.

A row of data has the text of the cohort it stands for; a row whose cohort is marked wears a ring. Rows keep their
order, so that a click always means the same row.
"""

from typing import Any

import pandas as pd

from app.charts.palette import GREY, HEAT, HEAT_STRONG, HEAT_TEXT, Ground, colour_of
from app.view_models.cohorts import HeatTable

ROW = 28
RING = "#E69F00"
NAME_WIDTH = 200
HEAT_GRID = {"left": NAME_WIDTH + 12, "right": 8, "top": 26, "bottom": 26, "outerBoundsMode": "none"}
"""Pixels around the cells of a heat map."""


def row_height(rows: int, *, around: int = 70) -> int:
    """How high a chart of that many rows stands, in pixels."""
    return around + ROW * max(rows, 1)


def interval_chart(table: pd.DataFrame, reference: float, marked: str, ground: Ground) -> dict[str, Any]:
    """A dot with its interval for every row; dashed: the reference."""
    low = float(min(table["low"].min(), reference, 0))
    return {
        "animation": False,
        "grid": {"left": NAME_WIDTH + 12, "right": 24, "top": 22, "bottom": 26, "outerBoundsMode": "none"},
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "xAxis": {"type": "value", "min": _round_down(low), "splitNumber": 5},
        "yAxis": _names(table["name"].tolist()),
        "series": [
            *_spans(table["low"].tolist(), table["high"].tolist(), colour_of("kept", ground), thick=4),
            {
                "id": "rows",
                "type": "scatter",
                "symbolSize": 13,
                "z": 5,
                "selectedMode": "single",
                "select": {"itemStyle": {"borderColor": "transparent"}},
                "data": [
                    _dot(row["mean"], place, row["said"], colour_of("kept", ground), row["cohort"] == marked != "")
                    for place, row in enumerate(table.to_dict("records"))
                ],
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "label": {"show": False},
                    "lineStyle": {"type": "dashed", "color": GREY, "width": 1.5},
                    "data": [{"xAxis": reference}],
                },
            },
        ],
    }


def drift_chart(table: pd.DataFrame, names: tuple[str, str], marked: str, ground: Ground) -> dict[str, Any]:
    """Two shares of every category, circle and diamond, joined by a bar; at the right what the row adds."""
    low, high = table[["before", "after"]].min(axis=1), table[["before", "after"]].max(axis=1)
    kinds = (("before", names[0], "circle", "kept"), ("after", names[1], "diamond", "pruned"))
    rows = table.to_dict("records")
    return {
        "animation": False,
        "grid": {"left": NAME_WIDTH + 12, "right": 168, "top": 30, "bottom": 26, "outerBoundsMode": "none"},
        "legend": {"top": 0, "left": NAME_WIDTH + 6, "selectedMode": False, "data": list(names)},
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "xAxis": {"type": "value", "min": 0, "axisLabel": {"formatter": "{value} %"}},
        "yAxis": [
            _names(table["category"].tolist()),
            _names(table["adds"].tolist()) | {"position": "right"},
        ],
        "series": [
            *_spans((100 * low).tolist(), (100 * high).tolist(), GREY, thick=3),
            *(
                {
                    "id": column,
                    "name": name,
                    "type": "scatter",
                    "symbol": symbol,
                    "symbolSize": 13,
                    "z": 5,
                    "selectedMode": "single",
                    "select": {"itemStyle": {"borderColor": "transparent"}},
                    "itemStyle": {"color": colour_of(kind, ground)},
                    "data": [
                        _dot(
                            100 * row[column],
                            place,
                            f"{row['category']}: {row[column]:.1%} of {name}",
                            colour_of(kind, ground),
                            row[f"{column}_cohort"] == marked != "",
                        )
                        for place, row in enumerate(rows)
                    ],
                }
                for column, name, symbol, kind in kinds
            ),
        ],
    }


def heat_chart(table: HeatTable, marked: str, ground: Ground) -> dict[str, Any]:
    """A cell a column and row, darker (on a dark ground lighter) for more, with its share as text."""
    cells = table.cells.to_dict("records")
    top = max((cell["value"] for cell in cells), default=1.0) or 1.0
    return {
        "animation": False,
        "grid": HEAT_GRID,
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "xAxis": [
            _columns(list(table.columns), "bottom"),
            _columns(list(table.above), "top"),
        ],
        "yAxis": _names(list(table.rows)),
        "visualMap": {
            "show": False,
            "seriesIndex": 0,
            "min": 0,
            "max": top,
            "dimension": 2,
            "inRange": {"color": list(HEAT[ground])},
        },
        "series": [
            {
                "id": "rows",
                "type": "heatmap",
                "selectedMode": "single",
                "data": [_heat_cell(cell, top, ground) for cell in cells],
            },
            {  # over the cells, whose neighbours would hide parts of a ring of their own
                "id": "ring",
                "type": "heatmap",
                "silent": True,
                "z": 5,
                "itemStyle": {"color": "transparent", "borderColor": RING, "borderWidth": 3},
                "data": [[cell["column"], cell["row"], 0] for cell in cells if cell["cohort"] == marked != ""],
            },
        ],
    }


def _heat_cell(cell: dict[str, Any], top: float, ground: Ground) -> dict[str, Any]:
    on_weak, on_strong = HEAT_TEXT[ground]
    frame = {"borderColor": HEAT[ground][0], "borderWidth": 1}
    return {
        "name": cell["said"],
        "value": [cell["column"], cell["row"], round(cell["value"], 4)],
        "itemStyle": frame,
        "select": {"itemStyle": frame},
        "label": {
            "show": bool(cell["text"]),
            "formatter": cell["text"],
            "color": on_strong if cell["value"] > HEAT_STRONG[ground] * top else on_weak,
        },
    }


def _dot(x: float, place: int, said: str, colour: str, ringed: bool) -> dict[str, Any]:
    style = {"color": colour, "borderColor": RING if ringed else "transparent", "borderWidth": 4 if ringed else 0}
    return {"name": said, "value": [x, place], "itemStyle": style, "select": {"itemStyle": style}}


def _names(names: list[str]) -> dict[str, Any]:
    """A row for each name, the first at the top."""
    return {
        "type": "category",
        "inverse": True,
        "data": names,
        "axisTick": {"show": False},
        "axisLine": {"show": False},
        "axisLabel": {"width": NAME_WIDTH - 4, "overflow": "truncate", "interval": 0},
    }


def _columns(names: list[str], position: str) -> dict[str, Any]:
    return {
        "type": "category",
        "data": names,
        "position": position,
        "axisTick": {"show": False},
        "axisLine": {"show": False},
        "axisLabel": {"interval": 0, "hideOverlap": True},
    }


def _spans(lows: list[float], highs: list[float], colour: str, *, thick: int) -> list[dict[str, Any]]:
    """A bar from low to high in every row: stacked on one that is not seen; below zero it begins at the high end."""
    common = {"type": "bar", "barWidth": thick, "silent": True, "barGap": "-100%"}
    parts: list[dict[str, Any]] = []
    for stack, sign in (("right", 1), ("left", -1)):
        near = [max(min(sign * low, sign * high), 0.0) for low, high in zip(lows, highs, strict=True)]
        far = [max(sign * low, sign * high, 0.0) for low, high in zip(lows, highs, strict=True)]
        unseen = {"itemStyle": {"color": "transparent"}, "data": [sign * value for value in near]}
        seen = {
            "itemStyle": {"color": colour, "opacity": 0.45},
            "data": [sign * (end - start) for start, end in zip(near, far, strict=True)],
        }
        parts += [common | {"stack": stack} | unseen, common | {"stack": stack} | seen]
    return parts


def _round_down(value: float) -> float:
    """A tenth below a negative value, so that its interval does not touch the frame; 0 stays."""
    return round(1.1 * value, 4)
