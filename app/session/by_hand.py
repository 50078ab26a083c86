"""What is changed by hand, as the URL says: the history, the steering, the branch to go on from."""

import streamlit as st

from app.view_models.by_hand import ByHand
from reg4rec_core import Edit, Steering, format_edits, format_steering, parse_branch, parse_edits, parse_steering


def chosen_by_hand() -> ByHand:
    """What the URL changes; InputError when it says something that makes no sense."""
    texts = {name: st.query_params.get(name, "") for name in ("edit", "steer", "from")}
    return ByHand(parse_edits(texts["edit"]), parse_steering(texts["steer"]), parse_branch(texts["from"]))


def is_by_hand() -> bool:
    """Whether the URL asks for another search than the plain one, sensible or not."""
    return any(st.query_params.get(name) for name in ("edit", "steer", "from"))


def edit_history(*edits: Edit) -> None:
    """Change the history further; places are those of the history as it then stands, the oldest is 1."""
    _write("edit", format_edits((*parse_edits(st.query_params.get("edit", "")), *edits)))


def undo_edit() -> None:
    """Take the last edit back."""
    _write("edit", format_edits(parse_edits(st.query_params.get("edit", ""))[:-1]))


def restore_history() -> None:
    """Back to what the user really bought."""
    _write("edit", "")


def steer(kind: str, name: str) -> None:
    """Ask one thing more of the items that may be recommended."""
    _write("steer", format_steering(parse_steering(st.query_params.get("steer", "")).with_rule(kind, name)))


def undo_rule() -> None:
    """Take the last steering rule back."""
    rules = parse_steering(st.query_params.get("steer", "")).rules
    _write("steer", format_steering(Steering(rules[:-1])))


def stop_steering() -> None:
    _write("steer", "")


def go_on_from(path: str) -> None:
    """Search from a node on, and follow the best path below it."""
    _write("from", path)
    st.query_params["path"] = path


def back_to_root() -> None:
    """Search from the root again, looking at the branch that was restored."""
    path = st.query_params.get("from", "")
    _write("from", "")
    if path:
        st.query_params["path"] = path


def restore_all() -> None:
    """Back to the plain search of the real history."""
    for name in ("edit", "steer", "from"):
        _write(name, "")


def _write(name: str, text: str) -> None:
    """Change one of the texts; the path looked at belongs to the search before."""
    if text:
        st.query_params[name] = text
    else:
        st.query_params.pop(name, None)
    st.query_params.pop("path", None)
