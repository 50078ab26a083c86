"""What the user bought, oldest to newest, and what came next."""

from html import escape

import pandas as pd
import streamlit as st


def history_strip(cards: pd.DataFrame, *, next_title: str, outcome: str) -> None:
    """Cards in a row that scrolls, the newest in view. Laid out in reverse so that scrolling starts at the newest."""
    target = (
        f'<div class="r4-card next"><div class="line">bought next</div><div class="name">{escape(next_title)}</div>'
        f'<div class="line">{escape(outcome)}</div></div>'
    )
    inner = target + "".join(_card(card) for card in reversed(cards.to_dict("records")))
    st.html(f'<div class="r4"><div class="r4-strip" role="list" tabindex="0">{inner}</div></div>')


def _card(card: dict[str, str]) -> str:
    maker = " · ".join(part for part in (card["brand"], card["category"]) if part)
    return (
        f'<div class="r4-card" role="listitem" title="{escape(card["title"])}">'
        f'<div class="name">{escape(card["title"])}</div>'
        f'<div class="line">{escape(maker)}</div><div class="line">{escape(card["date"])}</div></div>'
    )
