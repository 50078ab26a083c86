"""Two search trees side by side, and the path that is followed through both."""

import streamlit as st

from app.charts import reasoning as charts
from app.components import controls
from app.components.followed_path import followed_path
from app.components.search_tree import legend, search_tree
from app.screens.compared_lists import both_steps
from app.session import compared, focus_user, theme
from app.session.compared import Side
from app.session.searches import Searched
from app.view_models import comparison as view
from app.view_models import tree
from reg4rec_core import TraceComparison

Pair = tuple[Searched, Searched]


def two_trees(
    sides: tuple[Side, Side], searched: Pair, target: int, comparison: TraceComparison | None
) -> dict[str, str]:
    """Both trees, without marks where their codes differ; returns the followed path as a link says it."""
    before, after = (one.trace for one in searched)
    fold_box, step_box = st.columns([1, 3], vertical_alignment="center", gap="large")
    with fold_box:
        fold = controls.fold_control()
    with step_box:
        last = int(max(before.step.max(), after.step.max()))
        step = controls.step_scrubber(last, default=before.check_from, set_step=focus_user.set_step)
    paths = [focus_user.chosen_path() if comparison else compared.chosen_path(side.letter) for side in sides]
    focuses = tuple(tree.find_focus(one.trace, path, step) for one, path in zip(searched, paths, strict=True))
    marks = view.node_differences(before, after, comparison) if comparison else ([], [])
    for column, side, one, focus, own in zip(
        st.columns(2, gap="large"), sides, searched, focuses, marks, strict=True
    ):  # fmt: skip
        with column:
            _tree(side, one, focus, target, own, fold=fold, shared=comparison is not None)
    both_steps(sides, searched, focuses)
    followed = {"step": str(step), "path": tree.path_key(before, focuses[0].rows[-1])}
    return followed if comparison else followed | {"path_b": tree.path_key(after, focuses[1].rows[-1])}


def _tree(
    side: Side, searched: Searched, focus: tree.Focus, target: int, marks: list[str], *, fold: bool, shared: bool
) -> None:
    """One tree under the words for its side; nodes that the other tree lacks or treats otherwise wear a ring."""
    trace, facets, ground = searched.trace, side.run.facets, theme.ground()
    st.markdown(f"**{view.side_words(side.letter, side.run.name, side.run.weights, side.pruning)}**")
    rings = {said: marks.count(kind) for kind, said in view.DIFFERENCES.items()} if marks else {}
    legend(tree.fate_counts(trace), ground, rings=rings)
    nodes = tree.search_tree(searched.nodes, trace, facets, target, fold=fold)
    nodes = nodes.assign(difference=marks) if marks else nodes
    summary = f"{side.letter}: {tree.tree_summary(trace)}"
    drawing = charts.search_tree(nodes, tree.tree_columns(trace, fold=fold), ground, alt=summary)
    own_path = side.letter == "B" and not shared
    choose = compared.choose_node if own_path else focus_user.choose_node
    label, path = tree.end_label(trace, facets, focus), tree.path_key(trace, focus.rows[-1])
    followed, key = charts.followed(drawing["id"], focus, path=path, label=label), f"tree_{side.letter.lower()}"
    search_tree(drawing, followed=followed, key=key)
    followed_path(followed, tree=key, on_move=lambda path, step: choose(path))
