"""The tree of the Tuning page that follows theta, as its component draws it: plain values in and out."""

from typing import Any

from app.charts.palette import MARKS, Ground, colour_of
from app.view_models.theta_tree import HIGHEST_THETA, LIVES, STATES
from app.view_models.tree import KINDS, MEANINGS

EXPLORER_HEIGHT = 430
"""Of the tree alone, pixels."""


def explorer_kinds(ground: Ground) -> dict[str, list]:
    """How each kind of node looks, and which of them each state of a node is."""
    kinds = [_kind(kind, meaning, ground) for kind, meaning in MEANINGS.items()]
    order = list(MEANINGS)
    drawn = [-1, 0, *(order.index(state) for state in STATES[2:])]
    return {"kinds": kinds, "kind_of": drawn, "lives": LIVES.tolist()}


def _kind(kind: str, meaning: str, ground: Ground) -> dict[str, Any]:
    mark = MARKS[kind]
    return {
        "name": KINDS[kind],
        "meaning": meaning,
        "symbol": mark.symbol,
        "hollow": not mark.filled,
        "colour": colour_of(kind, ground),
        "dash": [] if mark.dash == "none" else [int(part) for part in mark.dash.split()],
    }


def explorer_drawing(
    profile: dict[str, Any], *, name: str, theta: str, own_theta: float, target: int, ground: Ground, fixed: str = ""
) -> dict[str, Any]:
    """A profile as the component draws it; `name` tells whether it is the one that is drawn already.

    `fixed` says in words what stands in the place of a slider that cannot be dragged.
    """
    return (
        profile
        | explorer_kinds(ground)
        | {
            "id": f"{name}|{ground}",
            "height": EXPLORER_HEIGHT,
            "high": HIGHEST_THETA,
            "theta": theta,
            "own_theta": own_theta if own_theta <= HIGHEST_THETA else None,
            "target": target,
            "fixed": fixed,
        }
    )
