"""Users who are served least, a line a group; a name leads to them where they can be looked at."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from app.view_models.overview import Slice


def slice_table(rows: Sequence[Slice]) -> None:
    heads = '<th>who</th><th class="num">users</th><th class="num">Recall@10</th><th class="num">95 % interval</th>'
    body = "".join(
        f'<tr><td>{_name(row)}</td><td class="num">{row.users:,}</td><td class="num"><b>{row.recall:.3f}</b></td>'
        f'<td class="num">{escape(row.interval)}</td></tr>'
        for row in rows
    )
    st.html(
        f'<div class="r4"><table class="r4-table"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _name(row: Slice) -> str:
    if not row.link:
        return escape(row.who)
    return f'<a href="{escape(row.link)}" title="Look at these users">{escape(row.who)}</a>'
