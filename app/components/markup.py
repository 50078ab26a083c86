"""HTML that several components share. Everything inside comes escaped; colours mix from the page's own text colour."""

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.session_links import session_links

STYLE = """
<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-session_links), [class*="st-key-followed_"] { display: none; }
.r4 { --line: color-mix(in srgb, currentColor 16%, transparent);
      --tint: color-mix(in srgb, currentColor 4%, transparent);
      --soft: color-mix(in srgb, currentColor 62%, transparent); --accent: #2F8FCB;
      font-size: .92rem; line-height: 1.4; }
.r4 .soft { color: var(--soft); }
.r4 .num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.r4-why { min-height: 4.5em; font-size: 1rem; line-height: 1.5; max-width: 190ch; }
.r4-changes { min-height: 4.2em; line-height: 1.4; }
.r4-strip { display: flex; flex-direction: row-reverse; gap: 18px; overflow-x: auto;
            padding: 2px 2px 8px; }
.r4-card { flex: 0 0 auto; width: 172px; min-height: 92px; box-sizing: border-box; padding: 7px 10px;
           position: relative; border: 1px solid var(--line); border-radius: 6px; background: var(--tint);
           font-size: .86rem; line-height: 1.3; }
.r4-card:not(:last-child)::before { content: "→"; position: absolute; left: -16px; top: 32px; color: var(--soft); }
.r4-card .name { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden;
                 font-weight: 550; }
.r4-card .line { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; color: var(--soft); font-size: .8rem; }
.r4-card.next { border-style: dashed; border-color: var(--accent); background: none; width: 214px;
                margin-right: auto; }
.r4-influence { display: flex; align-items: center; gap: 8px; margin-top: 4px; }
.r4-influence .track { position: relative; flex: 1; height: 8px; background: var(--line); border-radius: 2px; }
.r4-influence .track::after { content: ""; position: absolute; left: 50%; top: -2px; bottom: -2px; width: 1px;
                              background: currentColor; }
.r4-influence .fill { position: absolute; top: 0; bottom: 0; }
.r4-influence .num { font-size: .8rem; min-width: 3em; }
.r4-legend { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; }
.r4-legend .glyph { font-size: 1.25em; line-height: 1; margin-right: 5px; }
.r4-scroll { overflow: auto; border-top: 1px solid var(--line); }
.r4-table { border-collapse: collapse; width: 100%; font-size: .86rem; }
.r4-table th { text-align: left; font-weight: 500; color: var(--soft); padding: 4px 8px 4px 0; }
.r4-table td { border-top: 1px solid var(--line); padding: 4px 8px 4px 0; vertical-align: top; }
.r4-table .num + td:last-child { white-space: nowrap; }
.r4-table tr.chosen td { font-weight: 650; }
.r4-heat { border-collapse: separate; border-spacing: 2px; width: 100%; font-size: .86rem; }
.r4-heat th { font-weight: 500; color: var(--soft); padding: 0 6px; }
.r4-heat th[scope=row] { width: 1%; white-space: nowrap; text-align: right; }
.r4-heat td { height: 26px; text-align: center; font-variant-numeric: tabular-nums; }
.r4-facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(118px, 1fr)); gap: 2px 16px; }
.r4-facts .value { font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.r4-panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 12px 24px; }
.r4-panels section { min-width: 0; }
.r4-panels .r4-scroll { height: 262px; }
.r4-panels .r4-carrier + .r4-scroll { height: 240px; }
.r4-panels h5 { margin: 0; padding: 0 0 10px; }
.r4-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 10px; margin-bottom: 6px; }
.r4-cards > div { border: 1px solid var(--line); border-radius: 6px; background: var(--tint); padding: 8px 12px; }
.r4-cards .value { font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.r4 [tabindex]:focus-visible, .r4 a:focus-visible, [data-testid="stTopNavLink"]:focus-visible {
  outline: 2px solid #2F8FCB !important; outline-offset: 1px; border-radius: 4px; }
.r4 a { color: var(--accent); text-decoration: underline; text-underline-offset: 2px; }
.r4-gauge { position: relative; height: 12px; border-radius: 6px; background: var(--line); margin: 4px 0 3px; }
.r4-gauge .fill { position: absolute; inset: 0 auto 0 0; border-radius: 6px; background: var(--kept); }
.r4-gauge .fill.far { background: var(--pruned); }
.r4-gauge .mark { position: absolute; top: -4px; bottom: -4px; width: 2px; background: currentColor; }
.r4-mixer { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 12px 32px; }
.r4-mixer input[type=range] { width: 100%; accent-color: var(--accent); cursor: pointer; }
.r4-mixer output { color: var(--accent); font-variant-numeric: tabular-nums; }
.r4-mixer .lock { cursor: pointer; }
.r4-mixer .lock input { accent-color: var(--accent); margin: 0 4px 0 0; vertical-align: -1px; }
.r4-mixer .soft { font-size: .8rem; }
.r4-mixer :focus-visible { outline: 2px solid #2F8FCB; outline-offset: 1px; }
.r4-stack { display: grid; gap: 14px; }
.r4-said { display: flex; justify-content: space-between; }
.r4-reason { min-height: 4.2em; }
.r4-reason + .r4-facts { margin-top: 8px; }
.r4-believed { min-height: 254px; }
.r4-names { display: flex; gap: 16px; font-size: .8rem; margin: 6px 0 8px; }
.r4-names i { display: inline-block; width: 16px; height: 9px; box-sizing: border-box; margin-right: 6px;
            border-radius: 2px; }
.r4-belief { display: grid; grid-template-columns: 134px 1fr; gap: 4px 8px; font-size: .8rem; line-height: 12px; }
.r4-belief .name { text-align: right; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
                   color: var(--soft); line-height: 15px; }
.r4-belief .now { display: flex; align-items: center; gap: 5px; font-variant-numeric: tabular-nums; }
.r4-belief .now i { height: 9px; border-radius: 1px; }
.r4-belief .before { display: block; height: 7px; box-sizing: border-box; margin-top: 1px; }
.r4-belief i.now, .r4-belief .now i, .r4-names .now { background: var(--kept); }
.r4-belief .before, .r4-names .before { border: 1px dashed var(--grey); }
.r4-belief .before.none { border: 0; }
.r4-scrubber { display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: 2px 8px;
               margin-bottom: 12px; }
.r4-scrubber output { grid-column: 1 / -1; font-size: .875rem; }
.r4-scrubber button { order: 1; width: 34px; height: 34px; color: inherit; background: none; cursor: pointer;
                      border: 1px solid var(--line); border-radius: 8px; }
.r4-scrubber input { order: 1; width: 100%; accent-color: var(--accent); cursor: pointer; }
.r4-scrubber button:hover { border-color: var(--accent); }
.r4-scrubber :focus-visible { outline: 2px solid #2F8FCB; outline-offset: 1px; }
[data-testid="stColumn"]:has(> * .st-key-listed_users) { position: sticky; top: 4rem; align-self: flex-start; }
@media (min-height: 1150px) {
  [data-testid="stColumn"]:has(> * .st-key-theta_explorer) { position: sticky; top: 4rem; align-self: flex-start; }
}
</style>
"""


def page_heading(title: str, introduction: str) -> DeltaGenerator:
    """Once a page, before any other component: style, title, and beside it the place for what rules the whole page."""
    st.html(STYLE)
    session_links()
    heading, choice = st.columns([5.6, 2.6], vertical_alignment="bottom")
    heading.markdown(f"### {title}\n{introduction}")
    return choice.container(horizontal=True, horizontal_alignment="right", vertical_alignment="bottom")


def paragraph(text: str) -> None:
    """A paragraph that keeps its room whatever it says."""
    st.html(f'<div class="r4"><div class="r4-why">{escape(text)}</div></div>')


def number_cards(cards: Sequence[tuple[str, str, str]]) -> None:
    """Name, number, and what to compare it with, side by side."""
    cells = "".join(
        f'<div><div class="soft">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="soft">{escape(beside)}</div></div>'
        for name, value, beside in cards
    )
    st.html(f'<div class="r4"><div class="r4-cards">{cells}</div></div>')


def table(rows: pd.DataFrame, *, numbers: Sequence[str] = (), chosen: Sequence[bool] = (), height: int) -> str:
    """A plain table that scrolls inside its height; columns in `numbers` are set flush right."""
    heads = "".join(
        f'<th class="num">{escape(name)}</th>' if name in numbers else f"<th>{escape(name)}</th>" for name in rows
    )
    marks = list(chosen) or [False] * len(rows)
    body = "".join(
        _row([str(value) for value in record], list(rows), numbers, mark)
        for record, mark in zip(rows.itertuples(index=False), marks, strict=True)
    )
    inner = f'<table class="r4-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="r4"><div class="r4-scroll" style="height:{height}px" tabindex="0">{inner}</div></div>'


def _row(values: list[str], names: list[str], numbers: Sequence[str], chosen: bool) -> str:
    cells = "".join(
        f'<td class="num">{escape(value)}</td>' if name in numbers else f"<td>{escape(value)}</td>"
        for name, value in zip(names, values, strict=True)
    )
    return f'<tr class="chosen">{cells}</tr>' if chosen else f"<tr>{cells}</tr>"
