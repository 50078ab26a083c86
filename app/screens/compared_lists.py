"""What two searches say at the chosen step, and the two lists they end in."""

import streamlit as st

from app.components import belief
from app.components.markup import table
from app.session import theme
from app.session.compared import Side
from app.session.searches import Searched
from app.view_models import comparison as view
from app.view_models import reasoning, tree
from reg4rec_core import Catalog, ReasoningTrace

ROW = 30


def both_steps(sides: tuple[Side, Side], searched: tuple[Searched, Searched], focuses: tuple[tree.Focus, ...]) -> None:
    """Why the chosen node met its fate in each search, between them what both believe."""
    left, middle, right = st.columns([3, 4, 3], gap="large")
    for column, side, one, focus in zip((left, right), sides, searched, focuses, strict=True):
        with column:
            name = tree.node_name(one.trace, side.run.facets, focus.node)
            st.markdown(f"**{side.letter}, step {one.trace.step[focus.node]}: {reasoning.plain_markdown(name)}**")
            shift = reasoning.shift_document(reasoning.belief_shift(one.trace, focus.node))
            reason, facts = reasoning.node_reason(one.trace, focus), reasoning.node_facts(one.trace, focus.node)
            belief.belief_shift(shift, reason, facts, theme.ground(), key=f"shift_{side.letter.lower()}")
    with middle:
        names = sides[0].run.facets.catalog.category_names
        rows = view.belief_rows(searched[0].trace, searched[1].trace, focuses, names)
        title = f"What kind of item comes next, after step {focuses[0].step} of the followed path"
        belief.belief_bars(rows, theme.ground(), title=title, names=("A", "B"), key="both_beliefs")


def two_lists(before: ReasoningTrace, after: ReasoningTrace, catalog: Catalog, target: int) -> None:
    """Both lists, each item with its place in the other one."""
    pairs = ((before, after, ("A", "B")), (after, before, ("B", "A")))
    for column, (own, other, letters) in zip(st.columns(2, gap="large"), pairs, strict=True):
        rows = view.list_rows(own, other, catalog, target, letters=letters)
        hits = [item == target for item in own.items.tolist()]
        with column:
            st.html(table(rows, numbers=("#", "score"), chosen=hits, height=ROW * (len(rows) + 1)))
