"""What one node is: the code it chose, the items it still allows, the codes it competed with."""

from html import escape

import streamlit as st

from app.components.markup import table
from app.view_models.reasoning import NodeDetails

LIST_HEIGHT = 262


def node_summary(reason: str, facts: list[tuple[str, str]]) -> None:
    """The reason for the node's fate and its numbers; the space stays the same whatever it says."""
    cells = "".join(
        f'<div><div class="soft">{escape(label)}</div><div class="value">{escape(value)}</div></div>'
        for label, value in facts
    )
    st.html(
        f'<div class="r4"><div style="min-height:4.2em">{escape(reason)}</div>'
        f'<div class="r4-facts" style="margin-top:8px">{cells}</div></div>'
    )


def node_details(details: NodeDetails) -> None:
    """Three panels: what the code stands for, the items still allowed, the codes that were tried beside it."""
    code, items, scores = st.columns(3, gap="medium")
    with code:
        st.markdown("##### What this code stands for")
        _code_card(details)
    with items:
        st.markdown(f"##### Items it still allows: {details.allowed_count}")
        st.html(table(details.allowed, numbers=("rank",), height=LIST_HEIGHT))
    with scores:
        st.markdown("##### What it was weighed against")
        rows = details.tried.drop(columns="chosen")
        chosen = details.tried["chosen"].tolist()
        st.html(table(rows, numbers=("probability", "items", "score", "js"), chosen=chosen, height=LIST_HEIGHT))


def _code_card(details: NodeDetails) -> None:
    """What the code stands for, read off the items that carry it."""
    if details.card is None:
        heading, about = "No code chosen yet", "Move on a step to see what the first code stands for."
        rows, typical = f"<tr><td>{about}</td></tr>", ""
    else:
        heading = f"code {details.card.code} · {details.card.load} items carry it"
        rows = "".join(f'<tr><td class="soft">{n}</td><td>{escape(text)}</td></tr>' for n, text in details.about)
        titles = "".join(f"<tr><td>{escape(title)}</td></tr>" for title in details.typical)
        typical = f'<div class="soft">Most bought of them</div><table class="r4-table">{titles}</table>'
    st.html(
        f'<div class="r4"><div><b>{escape(details.heading)}</b> <span class="soft">{heading}</span></div>'
        f'<div class="r4-scroll" style="height:{LIST_HEIGHT - 22}px" tabindex="0">'
        f'<table class="r4-table">{rows}</table>{typical}</div></div>'
    )
