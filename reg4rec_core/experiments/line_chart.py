"""A light line chart as SVG text: no library, no script, readable on white and on dark pages."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 62.0, 16.0, 56.0, 44.0
"""Margins around the plot area, pixels."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe-Ito: told apart by readers who see colours differently; dashes tell them apart in print."""
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4", "10 4", "4 4")
PALE = f'fill="{COLOURS[0]}" fill-opacity="0.15"'
"""How a band is filled."""
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Line:
    """One named series of points, x rising."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Band:
    """The room between a lower and an upper value, x rising."""

    name: str
    points: tuple[tuple[float, float, float], ...]
    """x, lower, upper."""


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Round numbers from at most `low` to at least `high`, around `about` of them."""
    span = high - low or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(span / about))
    step = next(size * factor for factor in STEPS if size * factor * about >= span)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, max(last, first + 1) + 1)]


def line_chart(
    title: str, x_name: str, y_name: str, lines: Sequence[Line], *, band: Band | None = None, mark: float | None = None
) -> str:
    """The SVG document of a chart with at most seven lines, a `band` behind them, and an upright `mark` at an x."""
    if not 1 <= len(lines) <= len(COLOURS) or any(not line.points for line in lines):
        raise ValueError(f"a chart has 1 to {len(COLOURS)} lines with points, got {len(lines)}")
    values = [point for line in lines for point in line.points]
    values += [(x, y) for x, *ends in (band.points if band else ()) for y in ends]
    x_ticks, y_ticks = (ticks(min(axis), max(axis)) for axis in zip(*values, strict=True))
    x_of = scale(x_ticks[0], x_ticks[-1], LEFT, WIDTH - RIGHT)
    y_of = scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        label(LEFT, 18.0, title, size=14),
        *axes(x_ticks, y_ticks, x_of, y_of, x_name, y_name),
        *legend([line.name for line in lines], band.name if band else ""),
        *(filled(band, x_of, y_of) if band else []),
        *(upright(x_of(mark)) if mark is not None and x_ticks[0] <= mark <= x_ticks[-1] else []),
    ]
    for number, line in enumerate(lines):
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline points="{path}" fill="none" {stroke(number)}/>')
        dots = (f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="2.5"/>' for x, y in line.points)
        parts.append(f'<g fill="{COLOURS[number]}">{"".join(dots)}</g>')
    return "\n".join([*parts, "</svg>", ""])


def filled(band: Band, x_of: Callable[[float], float], y_of: Callable[[float], float]) -> list[str]:
    """A band as one pale shape."""
    there = [f"{x_of(x):.1f},{y_of(low):.1f}" for x, low, _ in band.points]
    back = [f"{x_of(x):.1f},{y_of(high):.1f}" for x, _, high in reversed(band.points)]
    return [f'<polygon points="{" ".join(there + back)}" {PALE}/>']


def upright(x: float) -> list[str]:
    """A level that runs from top to bottom."""
    return [f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#777" stroke-dasharray="3 3"/>']


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Values from low to high onto pixels from start to end."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def stroke(number: int) -> str:
    return f'stroke="{COLOURS[number]}" stroke-width="1.8" stroke-dasharray="{DASHES[number] or "none"}"'


def label(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, extra: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} fill="#333"{extra}>{escape(text)}</text>'


def axes(
    x_ticks: list[float],
    y_ticks: list[float],
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
    x_name: str,
    y_name: str,
) -> list[str]:
    """Grid lines, numbers and names of both axes."""
    rows = [f'<path d="M{LEFT} {y_of(y):.1f}H{WIDTH - RIGHT}" stroke="#e3e3e3"/>' for y in y_ticks]
    rows += [label(LEFT - 6, y_of(y) + 4, f"{y:g}", anchor="end") for y in y_ticks]
    rows += [label(x_of(x), HEIGHT - BOTTOM + 16, f"{x:g}", anchor="middle") for x in x_ticks]
    rows.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8.0, x_name, anchor="middle"))
    turned = f' transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2:.1f})"'
    return [*rows, label(14.0, (TOP + HEIGHT - BOTTOM) / 2, y_name, anchor="middle", extra=turned)]


def legend(names: Sequence[str], band: str = "") -> list[str]:
    """The lines' names with their colours and dashes in one row under the title, the band's name last."""
    rows, x = [], LEFT
    for number, name in enumerate(names):
        rows.append(f'<path d="M{x:.1f} 38h22" {stroke(number)}/>')
        rows.append(label(x + 27, 42.0, name))
        x += 44 + 6.3 * len(name)
    if band:
        rows += [f'<rect x="{x:.1f}" y="32" width="22" height="12" {PALE}/>', label(x + 27, 42.0, band)]
    return rows
