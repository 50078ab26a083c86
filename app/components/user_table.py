"""Users as a table whose names lead to the tree of their search."""

from html import escape

import streamlit as st

HEIGHT = 560


def user_table(rows: list[dict[str, str]]) -> None:
    """One row a user; what a column has for nobody is left out."""
    numbers = ("purchases", "pruned")
    names = [name for name in ("purchases", "target", "pruned") if any(row[name] for row in rows)]
    heads = "".join(f'<th class="{"num" if name in numbers else ""}">{escape(name)}</th>' for name in names)
    body = "".join(_row(row, names, numbers) for row in rows)
    st.html(
        f'<div class="r4"><div class="r4-scroll" style="max-height:{HEIGHT}px" tabindex="0"><table class="r4-table">'
        f"<thead><tr><th>user</th>{heads}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )


def _row(row: dict[str, str], names: list[str], numbers: tuple[str, ...]) -> str:
    cells = "".join(f'<td class="{"num" if name in numbers else ""}">{escape(row[name])}</td>' for name in names)
    link = f'<a href="{escape(row["link"])}" title="See the tree of this search">{escape(row["user"])}</a>'
    return f"<tr><td>{link}</td>{cells}</tr>"
