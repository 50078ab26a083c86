"""What one node is: the code it chose, the items it still allows, the codes it competed with."""

from html import escape

import streamlit as st

from app.components.markup import table
from app.view_models.reasoning import NodeDetails

HEIGHT = 262


def node_summary(reason: str, facts: list[tuple[str, str]]) -> str:
    """The reason for the node's fate and its numbers; the space stays the same whatever it says."""
    cells = "".join(
        f'<div><div class="soft">{escape(label)}</div><div class="value">{escape(value)}</div></div>'
        for label, value in facts
    )
    return (
        f'<div class="r4"><div style="min-height:4.2em">{escape(reason)}</div>'
        f'<div class="r4-facts" style="margin-top:8px">{cells}</div></div>'
    )


def node_details(details: NodeDetails) -> None:
    """Three panels: what the code stands for, the items still allowed, the codes that were tried beside it.

    One piece of HTML, because the page pays for every element at every step.
    """
    rows, chosen = details.tried.drop(columns="chosen"), details.tried["chosen"].tolist()
    numbers = ("probability", "items", "score", "js")
    panels = (
        ("What this code stands for", _code_card(details)),
        (f"Items it still allows: {details.allowed_count}", table(details.allowed, numbers=("rank",), height=HEIGHT)),
        ("What it was weighed against", table(rows, numbers=numbers, chosen=chosen, height=HEIGHT)),
    )
    inner = "".join(f"<section><h5>{heading}</h5>{body}</section>" for heading, body in panels)
    st.html(f'<div class="r4-panels">{inner}</div>')


def _code_card(details: NodeDetails) -> str:
    """What the code stands for, read off the items that carry it."""
    if details.card is None:
        heading, about = "No code chosen yet", "Move on a step to see what the first code stands for."
        rows, typical = f"<tr><td>{about}</td></tr>", ""
    else:
        heading = f"code {details.card.code} · {details.card.load} items carry it"
        rows = "".join(f'<tr><td class="soft">{n}</td><td>{escape(text)}</td></tr>' for n, text in details.about)
        titles = "".join(f"<tr><td>{escape(title)}</td></tr>" for title in details.typical)
        typical = f'<div class="soft">Most bought of them</div><table class="r4-table">{titles}</table>'
    return (
        f'<div class="r4"><div><b>{escape(details.heading)}</b> <span class="soft">{heading}</span></div>'
        f'<div class="r4-scroll" style="height:{HEIGHT - 22}px" tabindex="0">'
        f'<table class="r4-table">{rows}</table>{typical}</div></div>'
    )
