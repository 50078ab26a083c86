"""Health checks as a list: a sign and a word for the verdict, the number against its bound, and the reason."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from app.charts.palette import Ground, colour_of

COLOURS = {"passed": "regenerated", "failed": "pruned", "unknown": "unknown"}
"""Verdict -> the meaning that has its colour."""
STYLE = """
<style>
.r4-checks { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 0; }
.r4-checks > div { border-top: 1px solid var(--line); padding: 6px 14px 6px 0; }
.r4-checks .about { grid-column: 1 / -1; border-top: none; padding: 10px 0 2px; color: var(--soft); font-size: .8rem;
                    text-transform: uppercase; letter-spacing: .06em; }
.r4-checks .verdict { font-weight: 650; white-space: nowrap; }
.r4-checks .name { font-weight: 550; }
.r4-checks .soft { font-size: .86rem; }
.r4-checks .held { padding-right: 0 !important; text-align: right; font-variant-numeric: tabular-nums;
                   white-space: nowrap; }
</style>
"""


def check_list(rows: Sequence[dict[str, str]], ground: Ground) -> None:
    """One check a line, under the part of the system that it is about."""
    parts, about = [], ""
    for row in rows:
        if row["about"] != about:
            about = row["about"]
            parts.append(f'<div class="about" role="presentation">{escape(about)}</div>')
        parts.append(_line(row, ground))
    st.html(f'{STYLE}<div class="r4"><div class="r4-checks">{"".join(parts)}</div></div>')


def _line(row: dict[str, str], ground: Ground) -> str:
    colour = colour_of(COLOURS[row["verdict"]], ground)
    return (
        f'<div class="verdict" style="color:{colour}">{row["sign"]} {row["word"]}</div>'
        f'<div><div class="name">{escape(row["name"])}</div><div class="soft">{escape(row["reason"])}</div></div>'
        f'<div class="held"><div>{escape(row["value"])}</div><div class="soft">{escape(row["bound"])}</div></div>'
    )
