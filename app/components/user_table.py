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


def flip_table(rows: list[dict[str, str]]) -> None:
    """Users whose hit only one of two searches has: a name leads to both trees side by side, a place to its own."""
    body = "".join(
        f'<tr><td><a href="{escape(row["link"])}" title="See both trees side by side">{escape(row["user"])}</a></td>'
        + "".join(
            f'<td><a href="{escape(row[link])}" title="See the tree of {side} alone">{escape(row[side])}</a></td>'
            for side, link in (("A", "link_a"), ("B", "link_b"))
        )
        + "</tr>"
        for row in rows
    )
    st.html(
        f'<div class="r4"><div class="r4-scroll" style="max-height:{HEIGHT // 2}px" tabindex="0">'
        f'<table class="r4-table"><thead><tr><th>user</th><th>in A</th><th>in B</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div></div>"
    )
