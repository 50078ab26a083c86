"""The tree of a search beside the belief at the chosen step: the hero of the Reasoning page."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts import reasoning as charts
from app.components import controls
from app.components.followed_path import followed_path
from app.components.node_panel import node_panel
from app.components.search_tree import KEY, legend, search_tree
from app.screens.found import Found
from app.session import focus_user, replaced, theme
from app.view_models import tree
from app.view_models.reasoning import NOT_IN_TREE


@dataclass(frozen=True)
class TreePlace:
    """Where the tree is drawn, and how."""

    legend: DeltaGenerator
    tree: DeltaGenerator
    fold: bool
    show: tree.Show

    @property
    def whole(self) -> bool:
        """Whether all nodes are shown, whatever path is followed."""
        return self.show.what == tree.SHOWN[0]


def tree_place(found: Found, followed: dict[str, Any]) -> TreePlace:
    """What a step leaves as it is: the controls, what is told of the nodes, and the tree where all of it is shown."""
    left, right = st.columns([7, 3], gap="medium")
    with left:
        said, fold_box, *boxes = st.columns([5.5, 1.4, 1.5, 0.8], vertical_alignment="center", gap="xsmall")
        with fold_box:
            fold = controls.fold_control()
        show = controls.show_control(*boxes)
    place, ground = TreePlace(said, left, fold, show), theme.ground()
    if place.whole:
        with left:
            search_tree(whole_drawing(found, fold), followed=followed)
    with right:
        node_panel(found.searched.told, ground, followed=followed, tree=KEY)
    if place.whole:
        with said:
            legend(tree.fate_counts(found.trace), ground)
    return place


def whole_drawing(found: Found, fold: bool) -> dict[str, Any]:
    """The tree with all its nodes, made once."""
    drawings, look = found.searched.drawings, (fold, theme.ground())
    if look not in drawings:
        drawings[look] = drawing(found, fold, None)
    return drawings[look]


def drawing(found: Found, fold: bool, hidden: np.ndarray | None) -> dict[str, Any]:
    """The tree without what is hidden."""
    trace, facets = found.trace, found.asked.run.facets
    nodes = tree.search_tree(found.searched.nodes, trace, facets, found.target, fold=fold, hidden=hidden)
    columns, alt = tree.tree_columns(trace, fold=fold), tree.tree_summary(trace, hidden)
    return charts.search_tree(nodes, columns, theme.ground(), alt=alt)


def look_along(found: Found) -> tree.Focus:
    """The path and the step that the address names."""
    trace = found.trace
    step = focus_user.chosen_step(int(trace.step.max()), default=trace.check_from)
    focus = tree.find_focus(trace, focus_user.chosen_path(), step)
    if not focus.found:
        replaced.taken_instead("path", tree.path_key(trace, focus.rows[-1]))
    return focus


def followed_in(found: Found, focus: tree.Focus) -> dict[str, Any]:
    """The same as the browser knows it."""
    label, note = tree.end_label(found.trace, found.asked.run.facets, focus), "" if focus.found else NOT_IN_TREE
    return charts.followed(found.searched.id, focus, path=focus_user.chosen_path(), label=label, note=note)


def follow(place: TreePlace, found: Found) -> tree.Focus:
    """Follow the path that the address names; returns it."""
    focus = look_along(found)
    followed = followed_in(found, focus)
    followed_path(followed, tree=KEY, on_move=focus_user.move)
    if not place.whole:
        hidden = tree.hidden_nodes(found.trace, focus, place.show)
        with place.legend:
            legend(tree.fate_counts(found.trace), theme.ground(), note=tree.hidden_note(hidden))
        with place.tree:
            search_tree(drawing(found, place.fold, hidden), followed=followed)
    return focus
