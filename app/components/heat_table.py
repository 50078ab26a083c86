"""A small matrix as a table whose cells are the stronger coloured the larger their number."""

from html import escape

import pandas as pd
import streamlit as st

from app.charts.codebooks import heat_colours
from app.charts.palette import Ground


def heat_table(values: pd.DataFrame, details: pd.DataFrame, ground: Ground, *, alt: str) -> None:
    """Numbers in their cells; `details` is what a cell says when one points at it. A NaN leaves its cell empty."""
    st.html(heat_markup(values, details, ground, alt=alt))


def heat_markup(values: pd.DataFrame, details: pd.DataFrame, ground: Ground, *, alt: str) -> str:
    """The table as HTML."""
    numbers = values.to_numpy(dtype=float)
    top = max((float(number) for number in numbers.flat if number == number), default=0.0)
    heads = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in values)
    rows = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th>{"".join(_cell(*cell, top, ground) for cell in cells)}</tr>'
        for name, cells in zip(
            values.index, (zip(*row, strict=True) for row in zip(numbers, details.to_numpy(), strict=True)), strict=True
        )
    )
    return (
        f'<div class="r4"><table class="r4-heat" aria-label="{escape(alt)}"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cell(value: float, said: str, top: float, ground: Ground) -> str:
    if value != value:
        return "<td></td>"
    background, text = heat_colours(value, top, ground)
    return f'<td style="background:{background};color:{text}" title="{escape(said)}">{value:.2f}</td>'
