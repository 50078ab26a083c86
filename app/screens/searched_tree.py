"""The tree of a search beside the belief at the chosen step: the hero of the Reasoning page."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts import reasoning as charts
from app.components import belief, controls, node_panel
from app.components.markup import stack
from app.components.search_tree import legend, search_tree
from app.screens.found import Found
from app.session import focus_user, replaced, theme
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
    whole: dict[str, Any] | None
    """The drawing where all nodes are shown, whatever path is followed; None where it depends on the path."""


def tree_place(found: Found) -> TreePlace:
    """What a step leaves as it is, controls and the whole tree, and the places of what it draws anew."""
    left, right = st.columns([7, 3], gap="medium")
    with left:
        said, fold_box, *boxes = st.columns([5.5, 1.4, 1.5, 0.8], vertical_alignment="center", gap="xsmall")
        with fold_box:
            fold = controls.fold_control()
        show = controls.show_control(*boxes)
    if show.what != tree.SHOWN[0]:
        return TreePlace(said, left, right, fold, show, None)
    ground, drawings = theme.ground(), found.searched.drawings
    with said:
        legend(tree.fate_counts(found.trace), ground)
    if (fold, ground) not in drawings:
        drawings[fold, ground] = drawing(found, fold, None)
    return TreePlace(said, left, right, fold, show, drawings[fold, ground])


def drawing(found: Found, fold: bool, hidden: np.ndarray | None) -> dict[str, Any]:
    """The tree without what is hidden."""
    trace, facets = found.trace, found.asked.run.facets
    nodes = tree.search_tree(found.searched.nodes, trace, facets, found.target, fold=fold, hidden=hidden)
    columns, alt = tree.tree_columns(trace, fold=fold), tree.tree_summary(trace, hidden)
    return charts.search_tree(nodes, columns, theme.ground(), alt=alt)


def searched_tree(place: TreePlace, found: Found) -> tree.Focus:
    """The tree beside the belief at the chosen step; returns the path that is followed."""
    trace, facets, ground = found.trace, found.asked.run.facets, theme.ground()
    with place.belief:
        step = controls.step_scrubber(int(trace.step.max()), default=trace.check_from, set_step=focus_user.set_step)
    focus = tree.find_focus(trace, focus_user.chosen_path(), step)
    if not focus.found:
        replaced.taken_instead("path", tree.path_key(trace, focus.rows[-1]))
    drawn = place.whole
    if drawn is None:
        hidden = tree.hidden_nodes(trace, focus, place.show)
        drawn = drawing(found, place.fold, hidden)
        with place.legend:
            legend(tree.fate_counts(trace), ground, note=tree.hidden_note(hidden))
    with place.tree:
        followed = charts.followed(drawn, focus, label=tree.end_label(trace, facets, focus))
        search_tree(drawn, followed, on_choose=focus_user.choose_node)
    with place.belief:
        title, rows = view.belief_title(trace, focus), view.belief_rows(trace, facets.catalog, focus)
        reason = view.node_reason(trace, focus, given=len(found.by_hand.branch))
        stack(
            belief.belief_bars(rows, ground, title=title),
            belief.js_gauge(view.belief_shift(trace, focus.node), ground),
            node_panel.node_summary(reason, view.node_facts(trace, focus.node)),
        )
    return focus
