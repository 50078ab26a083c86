"""Curves over theta as their component draws them: plain values in and out, none of which the slider changes."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from app.charts.palette import Ground, colour_of
from app.view_models import theta_cohort as view
from app.view_models.theta_tree import HIGHEST_THETA
from reg4rec_core import ThetaCurve

TICKS, FEW_TICKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7), (0.0, 0.1, 0.3)
CURVE_HEIGHT, COST_HEIGHT, FRONT_HEIGHT = 220, 170, 250
"""Pixels."""


class Look(NamedTuple):
    """A column of the curves' table as a panel: its name, and how its line looks."""

    column: str
    name: str
    colour: str
    symbol: str
    hollow: bool
    dash: str
    """As SVG's stroke-dasharray."""


COSTS = (
    Look("nodes", "nodes", "kept", "circle", False, "none"),
    Look("pruned", "pruned", "pruned", "diamond", False, "6 4"),
    Look("regenerated", "regenerated", "regenerated", "triangle", False, "10 4"),
    Look("fallback", "fallbacks", "fallback", "rect", True, "2 3"),
    Look("wrong", "wrong prunes", "pruned", "diamond", True, "8 3 2 3"),
)
"""What a search costs."""
LISTS = (
    Look("coverage", "catalogue covered", "kept", "circle", False, "none"),
    Look("distinctness", "distinct from others", "regenerated", "triangle", False, "6 4"),
    Look("categories", "categories in a list", "fallback", "rect", True, "2 3"),
)
"""How varied the lists are."""


def curves_drawing(curve: ThetaCurve, *, top: int, theta: float, check_from: int, ground: Ground) -> dict[str, Any]:
    """All that a sweep measured, and what is said at each of its thetas.

    `theta` is where the slider stands at first, NaN where every step has a theta of its own.
    """
    table = view.curve_table(curve, top)
    return {
        "theta": None if math.isnan(theta) else theta,
        "high": HIGHEST_THETA,
        "off": view.OFF_PLACE,
        "own": None if math.isnan(curve.own_theta) else view.mark_place(curve.own_theta),
        "places": table["x"].tolist(),
        "said": [view.point_sentence(curve, one, check_from) for one in curve.thetas],
        "by_step": view.BY_STEP_NOTE,
        "charts": _charts(table, curve, top, ground),
    }


def _charts(table: pd.DataFrame, curve: ThetaCurve, top: int, ground: Ground) -> list[dict[str, Any]]:
    """Quality; then, where they were kept, what it costs, the one against the other, and how varied the lists are."""
    kept = not table["nodes"].isna().any()
    looks = {name: Look(name, f"{title}@{top}", "kept", "circle", False, "none") for name, title in view.QUALITY}
    quality = _chart(
        "quality", "Quality by θ", CURVE_HEIGHT, view.CURVE_NOTE if kept else f"{view.CURVE_NOTE} {view.NO_COUNTS}"
    )
    quality["panels"] = [_panel(table, look, TICKS, ground, banded=True) for look in looks.values()]
    if not kept:
        return [quality]
    cost = _chart("cost", "What a search costs by θ", COST_HEIGHT, f"{view.COST_NOTE} {view.time_note(curve)}".strip())
    cost["panels"] = [_panel(table, look, FEW_TICKS, ground) for look in COSTS]
    front = _chart("front", "Quality against cost", FRONT_HEIGHT, view.FRONT_NOTE)
    front["panels"] = [_front(table, looks["ndcg"].name, ground)]
    lists = _chart("lists", "How varied the lists are by θ", COST_HEIGHT, view.LISTS_NOTE)
    lists["panels"] = [_panel(table, look, FEW_TICKS, ground) for look in LISTS]
    return [quality, cost, front, lists]


def _chart(name: str, alt: str, height: int, note: str) -> dict[str, Any]:
    return {"name": name, "alt": alt, "height": height, "note": note}


def _panel(
    table: pd.DataFrame, look: Look, ticks: Sequence[float], ground: Ground, *, banded: bool = False
) -> dict[str, Any]:
    """One line over the slider's axis, with its band where there is one."""
    ends = [f"{look.column}_low", f"{look.column}_high"] if banded else []
    rows = zip(*(table[name].tolist() for name in ("theta", "x", look.column, *ends)), strict=True)
    points = [[x, value, view.value_words(theta, value, *interval)] for theta, x, value, *interval in rows]
    reach = table[ends or [look.column]]
    return {
        "title": look.name,
        "alt": f"{look.name}. {'; '.join(tip for *_, tip in points)}.",
        "colour": colour_of(look.colour, ground),
        "symbol": look.symbol,
        "hollow": look.hollow,
        "dash": look.dash,
        "x": {"low": -0.03, "high": view.OFF_PLACE + 0.05, "ticks": _theta_ticks(ticks)},
        "y": axis(reach.min().min(), reach.max().max()),
        "points": points,
        "band": table[["x", *ends]].to_numpy().tolist() if banded else [],
    }


def _theta_ticks(ticks: Sequence[float]) -> list[list[Any]]:
    """Where thetas stand on the slider, in short; "off" behind its end."""
    named = [[view.theta_place(tick), f"{tick:g}".lstrip("0") or "0"] for tick in ticks]
    return [*named, [view.OFF_PLACE, "off"]]


def _front(table: pd.DataFrame, quality: str, ground: Ground) -> dict[str, Any]:
    """Quality against nodes, a point a theta: filled where no other is better and as cheap."""
    rows = list(zip(*(table[name].tolist() for name in ("nodes", "ndcg", "theta", "front")), strict=True))
    tips = [f"{view.named(theta)}: {nodes:.1f} nodes, {quality} {ndcg:.4g}" for nodes, ndcg, theta, _ in rows]
    return {
        "title": "",
        "alt": f"{quality} against nodes. {'; '.join(tips)}.",
        "colour": colour_of("kept", ground),
        "symbol": "circle",
        "x": axis(table["nodes"].min(), table["nodes"].max(), parts=6) | {"name": "nodes a search"},
        "y": axis(table["ndcg"].min(), table["ndcg"].max()) | {"name": quality},
        "points": [[row[0], row[1], tip] for row, tip in zip(rows, tips, strict=True)],
        "labels": [f"θ {row[2]}" for row in rows],
        "front": [row[3] for row in rows],
    }


def axis(low: float, high: float, *, parts: int = 4) -> dict[str, Any]:
    """An axis around values, from one round number to another, with about `parts` parts between its ticks."""
    if not high > low:
        room = abs(low) / 2 or 1.0
        low, high = low - room if low else 0.0, low + room
    step = _round_step((high - low) / parts)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [[round(place * step, digits), f"{place * step:,.{digits}f}"] for place in range(first, last + 1)]
    return {"low": ticks[0][0], "high": ticks[-1][0], "ticks": ticks}


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is at least as large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
