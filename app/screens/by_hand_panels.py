"""What was changed by hand on the Reasoning page, and the controls that steer."""

import streamlit as st

from app.components import edited_history, steering
from app.session import by_hand as hand
from app.session import open_runs, searches
from app.view_models import by_hand as words
from app.view_models import catalog, history
from app.view_models.tree import Focus, path_key
from reg4rec_core import Fate, ReasoningTrace


def banners(by_hand: words.ByHand, run: open_runs.OpenRun, searched: searches.Searched) -> None:
    """One for every way in which this is not the plain search, with the way back."""
    if by_hand.edits:
        undo = hand.undo_edit if len(by_hand.edits) > 1 else None
        edited_history.banner(
            history.edit_banner(by_hand.edits), key="restore", icon=":material/edit:", back="Restore the history",
            on_back=hand.restore_history, on_undo=undo,
        )  # fmt: skip
    if by_hand.steering.rules:
        allowed = run.facets.catalog.n_items - 1 - len(searched.barred)
        undo = hand.undo_rule if len(by_hand.steering.rules) > 1 else None
        edited_history.banner(
            words.steering_banner(by_hand.steering, run.facets, allowed), key="stop_steering", icon=":material/tune:",
            back="Stop steering", on_back=hand.stop_steering, about=words.ABOUT_STEERING, on_undo=undo,
        )  # fmt: skip
    if by_hand.branch:
        edited_history.banner(
            words.branch_banner(by_hand.branch, run.facets), key="back_to_root", icon=":material/restore:",
            back="Search from the start", on_back=hand.back_to_root, about=words.ABOUT_BRANCHES,
        )  # fmt: skip


def steering_row(trace: ReasoningTrace, run: open_runs.OpenRun, focus: Focus) -> None:
    """What can be asked by hand about the chosen node and the catalogue."""
    node = focus.node
    dropped = int(trace.fate[node]) in (Fate.PRUNED, Fate.BEAM_CUT)
    with st.container(horizontal=True, vertical_alignment="center", key="steering_row"):
        steering.code_controls(
            code=path_key(trace, node).split("-")[-1],
            can_go_on=dropped,
            on_steer=hand.steer,
            on_go_on=lambda: hand.go_on_from(path_key(trace, node)),
        )
        steering.group_picker(find=lambda query: catalog.found_groups(run.facets.catalog, query), on_steer=hand.steer)


def way_back() -> None:
    """To the plain search, from what was changed by hand."""
    if hand.is_by_hand():
        edited_history.back_button("Back to the plain search", key="restore", on_back=hand.restore_all)
