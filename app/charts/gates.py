"""The spread of the gate's weights, an expert a column."""

from typing import Any

import pandas as pd

from app.charts.palette import GREY, Ground, colour_of

HEIGHT = 200


def gate_boxes(rows: pd.DataFrame, even: float, chosen: int, ground: Ground) -> dict[str, Any]:
    """Line: 90 % of the items; box: half of them; stroke: median; the chosen expert stands out. The axis is cut."""
    quantiles = rows[["lowest", "lower", "middle", "upper", "highest"]].to_numpy().tolist()
    boxes = [
        {
            "name": detail,
            "value": [round(value, 6) for value in values],
            "itemStyle": {"borderColor": colour_of("pruned" if place == chosen else "kept", ground)},
        }
        for place, (detail, values) in enumerate(zip(rows["detail"].tolist(), quantiles, strict=True))
    ]
    low, high = min(rows["lowest"].min(), even), max(rows["highest"].max(), even)
    margin = 0.1 * (high - low) + 0.002
    even_share = {"yAxis": round(even, 6), "name": "even share"}
    line = {"lineStyle": {"type": "dashed", "width": 1, "color": GREY}, "label": {"formatter": "{b}", "color": GREY}}
    return {
        "animation": False,
        "grid": {"left": 56, "right": 76, "top": 10, "bottom": 22, "outerBoundsMode": "none"},
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "xAxis": {"type": "category", "data": rows["facet"].tolist(), "axisTick": {"show": False}},
        "yAxis": {
            "type": "value",
            "name": "gate weight",
            "nameLocation": "middle",
            "nameGap": 42,
            "min": round(low - margin, 3),
            "max": round(high + margin, 3),
            "splitNumber": 4,
        },
        "series": [
            {
                "id": "gates",
                "type": "boxplot",
                "data": boxes,
                "itemStyle": {"color": "transparent", "borderWidth": 2},
                "boxWidth": [14, 36],
                "markLine": {"silent": True, "symbol": "none", "data": [even_share]} | line,
            }
        ],
    }
