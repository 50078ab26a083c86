"""Users of a stored search to look at one by one."""

from collections.abc import Sequence
from typing import Any

from app.view_models.cohorts.conditions import cohort_sentence
from app.view_models.links import page_link
from app.view_models.step_thetas import text_of
from reg4rec_core import Cohort, UserRow

SHOWN_USERS = 60


def users_title(count: int, *, marked: bool) -> str:
    return f"{count:,} {'user' if count == 1 else 'users'} {'behind the mark' if marked else 'of this cohort'}"


def users_note(shown: Cohort, count: int, *, marked: bool) -> str:
    """Who is listed, how many of them, and what a click does."""
    who = f"{cohort_sentence(shown)}. " if marked else "Click a mark in a chart to list the users behind it. "
    if not count:
        return f"{who}Nobody meets all of this."
    cut = f"The first {SHOWN_USERS} are listed. " if count > SHOWN_USERS else ""
    return f"{who}{cut}A name opens the tree of that user's search."


def user_name(row: UserRow) -> str:
    """The user's key, or the row where the store has no keys."""
    return row.key if row.key is not None else str(row.user)


def users_table(rows: Sequence[UserRow], links: Sequence[str]) -> list[dict[str, str]]:
    """Users to look at, each with the link to the tree of their search; numbers that a store lacks stay empty."""
    return [
        {
            "user": user_name(row),
            "link": link,
            "purchases": _number(row.history_length),
            "target": _place(row),
            "pruned": _number(row.pruned),
        }
        for row, link in zip(rows, links, strict=True)
    ]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _place(row: UserRow) -> str:
    if row.target is None:
        return ""
    if row.place is not None:
        return f"found, place {row.place}"
    return "missed" if row.pruned_target is None else f"missed, pruned at step {row.pruned_target}"


def tree_link(address: str, run: str, key: str, settings: dict[str, Any]) -> str:
    """The Reasoning page on a user, with the weights and the settings of the stored search."""
    decode = settings.get("decode", {})
    theta, thetas = decode.get("theta"), decode.get("thetas") or ()
    off = decode and theta is None and not thetas
    state = {
        "run": run,
        "user": key,
        "weights": settings.get("weights", ""),
        "at": settings.get("split", ""),
        "theta": "" if theta is None or thetas else f"{theta:g}",
        "thetas": text_of(thetas),
        "check_from": str(decode.get("check_from", "")),
        "corp": "false" if off else "",
        "beam": str(decode.get("beam_width", "")),
    }
    return page_link(address, "reasoning", state)
