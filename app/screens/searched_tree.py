"""The tree of a search beside the belief at the chosen step: the hero of the Reasoning page."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts import reasoning as charts
from app.components import belief, controls, node_panel
from app.components.search_tree import legend, search_tree
from app.session import focus_user, open_runs, searches, theme
from app.view_models import reasoning as view
from app.view_models import tree


@dataclass(frozen=True)
class TreePlace:
    """Where the tree and the belief are drawn, and how."""

    legend: DeltaGenerator
    tree: DeltaGenerator
    belief: DeltaGenerator
    fold: bool
    show: tree.Show


def tree_place() -> TreePlace:
    """The controls of the tree, which a step leaves as they are, and the places of what it draws anew."""
    left, right = st.columns([7, 3], gap="medium")
    with left:
        said, fold_box, *show = st.columns([5.5, 1.4, 1.5, 0.8], vertical_alignment="center", gap="xsmall")
        with fold_box:
            fold = controls.fold_control()
        return TreePlace(said, left, right, fold, controls.show_control(*show))


def searched_tree(
    place: TreePlace, run: open_runs.OpenRun, searched: searches.Searched, target: int, *, given: int
) -> tree.Focus:
    """The tree beside the belief at the chosen step; returns the path that is followed.

    The first `given` codes of every path were given by hand.
    """
    trace, ground = searched.trace, theme.ground()
    with place.belief:
        step = controls.step_scrubber(int(trace.step.max()), default=trace.check_from, set_step=focus_user.set_step)
    focus = tree.find_focus(trace, focus_user.chosen_path(), step)
    hidden = tree.hidden_nodes(trace, focus, place.show)
    with place.legend:
        legend(tree.fate_counts(trace), ground, note=tree.hidden_note(hidden))
    with place.tree:
        nodes = tree.search_tree(searched.nodes, trace, run.facets, focus, target, fold=place.fold, hidden=hidden)
        summary = tree.tree_summary(trace, run.facets, focus, hidden)
        drawing = charts.search_tree(nodes, tree.tree_columns(trace, fold=place.fold), ground, alt=summary)
        search_tree(drawing, on_choose=focus_user.choose_node)
    with place.belief:
        title = view.belief_title(trace, focus)
        belief.belief_chart(charts.belief_bars(view.belief_rows(trace, run.facets.catalog, focus), ground), title=title)
        belief.js_gauge(view.belief_shift(trace, focus.node), ground)
        node_panel.node_summary(view.node_reason(trace, focus, given=given), view.node_facts(trace, focus.node))
    return focus
