"""What the user bought, oldest to newest, and what came next."""

from html import escape

import pandas as pd
import streamlit as st

from app.charts.palette import Ground, colour_of


def history_strip(cards: pd.DataFrame, ground: Ground, *, next_title: str, outcome: str, note: str) -> None:
    """Cards in a row that scrolls, the newest in view. Laid out in reverse so that scrolling starts at the newest.

    With a column `share` (from -1 to 1) every card has a bar from its middle, and `said` as its words.
    """
    target = (
        f'<div class="r4-card next"><div class="line">bought next</div><div class="name">{escape(next_title)}</div>'
        f'<div class="line">{escape(outcome)}</div></div>'
    )
    inner = target + "".join(_card(card, ground) for card in reversed(cards.to_dict("records")))
    st.html(
        f'<div class="r4"><div class="r4-strip" role="list" tabindex="0">{inner}</div>'
        f'<div class="soft">{escape(note)}</div></div>'
    )


def _card(card: dict, ground: Ground) -> str:
    maker = " · ".join(part for part in (card["brand"], card["category"]) if part)
    return (
        f'<div class="r4-card" role="listitem" title="{escape(card["title"])}">'
        f'<div class="name">{escape(card["title"])}</div>'
        f'<div class="line">{escape(maker)}</div><div class="line">{escape(card["date"])}</div>'
        f"{_bar(card, ground) if 'share' in card else ''}</div>"
    )


def _bar(card: dict, ground: Ground) -> str:
    """The signed influence as a bar from the middle, its number beside it."""
    width, against = abs(card["share"]) / 2, card["share"] < 0
    side, colour = ("right", colour_of("pruned", ground)) if against else ("left", colour_of("kept", ground))
    return (
        f'<div class="r4-influence"><div class="track" role="img" aria-label="{escape(card["said"])}" '
        f'title="{escape(card["said"])}"><div class="fill" style="{side}:50%;width:{width:.1%};background:{colour}">'
        f'</div></div><span class="num" aria-hidden="true">{card["influence"]:+.2f}</span></div>'
    )
