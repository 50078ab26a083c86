"""What an address asks for that a page cannot do: a sentence for every choice that another one took the place of."""

import math
from collections.abc import Mapping

_THETA, _SWITCH, _STEP = "a number from 0 to 0.7", "true or false", "a step of the search but the last"
_RUN, _OFFERED = "a run that this application knows", "one of those that its control offers"
RULES = {
    "run": _RUN,
    "run_b": _RUN,
    "at": "test, valid or now",
    "theta": _THETA,
    "theta_b": _THETA,
    "corp": _SWITCH,
    "corp_b": _SWITCH,
    "fold": _SWITCH,
    "check_from": _STEP,
    "check_from_b": _STEP,
    "from": _STEP,
    "beam": "a whole number of paths from 1 to 40",
    "step": "a step of the search",
    "path": "a path of this search",
    "above": _THETA,
    "top": "10 or 5",
    "steps": "a whole number from 1 to 500",
    "batch": "a whole number from 2 to 512",
    "draw": "a whole number from 0 on",
} | dict.fromkeys(("by", "metric", "load", "against", "rollouts"), _OFFERED)
"""What a choice must be, by its name in an address."""
SEARCH = ("run", "at", "theta", "corp", "fold", "check_from", "beam", "step")
CHOICES = {
    "reasoning": (*SEARCH, "above", "path"),
    "compare": (*SEARCH, "run_b", "theta_b", "corp_b", "check_from_b", "by", "metric", "load"),
    "tuning": ("run", "at", "from", "top", "against"),
    "rewards": ("run", "steps", "batch", "draw", "rollouts"),
}
"""The choices that controls of a page hold; what a page reads from its address itself it refuses itself."""
LONGEST = 40
"""Letters of a value that a sentence repeats."""


def replaced(page: str, asked: Mapping[str, str], taken: Mapping[str, object]) -> list[str]:
    """A sentence for every choice of a page that its address `asked` for and that is not the one `taken`."""
    names = [name for name in CHOICES.get(page, ()) if name in asked and taken.get(name) is not None]
    return [
        f"The address asks for {name}={asked[name][:LONGEST]}, but {name} must be "
        f"{RULES[name]}; {_text(taken[name])} is taken instead."
        for name in names
        if not is_same(asked[name], taken[name])
    ]


def is_same(asked: str, taken: object) -> bool:
    """Whether the text of an address means a value."""
    if isinstance(taken, bool):
        return asked.strip().lower() == _text(taken)
    if not isinstance(taken, int | float):
        return asked == taken
    try:
        return math.isclose(float(asked), taken, rel_tol=1e-6, abs_tol=1e-9)
    except ValueError:
        return False


def _text(value: object) -> str:
    """A value as an address writes it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
