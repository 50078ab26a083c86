"""The paths of one history as a table whose bars show which reward speaks for and against each of them."""

from html import escape
from typing import Any

import pandas as pd

from app.charts.palette import Ground, colour_of
from app.charts.rewards import TERM_COLOURS, TERM_STRIPES
from app.components.html_part import html_part
from app.view_models.rewards import TERMS, VERDICTS

STYLE = """
<style>
.r4-parts { position: relative; height: 14px; width: 24vw; min-width: 200px; max-width: 460px; }
.r4-parts .zero { position: absolute; left: 50%; top: -3px; bottom: -3px; width: 1px; background: currentColor; opacity: .5; }
.r4-parts .part { position: absolute; top: 1px; bottom: 1px; }
.r4-parts .sum { position: absolute; top: -2px; bottom: -2px; width: 3px; background: currentColor; }
.r4-paths td { white-space: nowrap; }
.r4-paths td.name { white-space: normal; min-width: 150px; }
.r4-paths td.name > span { display: -webkit-box; -webkit-line-clamp: 1; -webkit-box-orient: vertical; overflow: hidden; }
.r4-key { display: inline-block; width: 18px; height: 11px; margin-right: 5px; }
</style>
"""  # noqa: E501


def path_table(rows: pd.DataFrame, scale: float, ground: Ground, *, alt: str) -> None:
    """Draw the table; the black line of a bar is the advantage, the sum of its parts."""
    heads = ["path ends at", "", *TERMS, "total", "for (right) and against (left)", "advantage", "verdict", ""]
    numbers = {*TERMS, "total", "advantage"}
    head = "".join(f'<th class="{"num" if name in numbers else ""}">{escape(name)}</th>' for name in heads)
    body = "".join(_row(row, scale, ground) for row in rows.to_dict("records"))
    html_part(
        f'{STYLE}<div class="r4">{_legend(ground)}<div class="r4-scroll" tabindex="0">'
        f'<table class="r4-table r4-paths" aria-label="{escape(alt)}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></div>",
        key="reward_paths",
    )


def _legend(ground: Ground) -> str:
    keys = "".join(f"<span>{_key(term, ground)}{escape(term)}</span>" for term in TERMS)
    return f'<div class="r4-legend">{keys}<span class="soft">▏ the advantage: the sum of the parts</span></div>'


def _key(term: str, ground: Ground) -> str:
    return f'<span class="r4-key" style="{_paint(term, ground)}"></span>'


def _paint(term: str, ground: Ground) -> str:
    return f"background-color:{TERM_COLOURS[ground][term]};background-image:{TERM_STRIPES[term]}"


def _row(row: dict[str, Any], scale: float, ground: Ground) -> str:
    item = escape(row["item"])
    cells = [f'<td class="name" title="{item}"><span>{item}</span></td><td class="soft">{escape(row["mark"])}</td>']
    cells += [f'<td class="num">{row[name]:.2f}</td>' for name in (*TERMS, "total")]
    cells.append(f"<td>{_bar(row, scale, ground)}</td>")
    cells.append(f'<td class="num">{row["advantage"]:+.2f}</td>')
    kind = {VERDICTS[1]: "regenerated", VERDICTS[-1]: "pruned"}.get(row["verdict"], "")
    cells.append(f'<td style="color:{colour_of(kind, ground)};font-weight:600">{escape(row["verdict"])}</td>')
    cells.append(f'<td class="soft">{escape(row["changed"])}</td>')
    return f'<tr class="{"chosen" if row["changed"] else ""}">{"".join(cells)}</tr>'


def _bar(row: dict[str, Any], scale: float, ground: Ground) -> str:
    """Parts above 0 grow from the middle to the right, those below to the left, in the order of the rewards."""
    drawn, ends = "", {True: 0.0, False: 0.0}
    said = ", ".join(f"{name} {row[f'part_{name}']:+.2f}" for name in TERMS)
    for name in TERMS:
        part = float(row[f"part_{name}"])
        width, start = 50 * abs(part) / scale, 50 * ends[part > 0] / scale
        left = 50 + start if part > 0 else 50 - start - width
        ends[part > 0] += abs(part)
        drawn += f'<span class="part" style="left:{left:.2f}%;width:{width:.2f}%;{_paint(name, ground)}"></span>'
    place = 50 + 50 * float(row["advantage"]) / scale
    return (
        f'<div class="r4-parts" role="img" aria-label="{said}" title="{said}">{drawn}<span class="zero"></span>'
        f'<span class="sum" style="left:calc({place:.2f}% - 1px)"></span></div>'
    )
