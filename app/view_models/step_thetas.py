"""A theta for every step: what a link asks for, and how it is written and told."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.view_models.theta_tree import HIGHEST_THETA
from reg4rec_core import DecodeConfig, InputError

ONE = "one"
"""What a link says where one theta holds for all steps although the run has one for each."""
RULES = {"one": "one θ for all steps", "steps": "a θ for every step"}
HELP = (
    "The first codes move the belief by nature, later ones should not, so a step may have a threshold of its own. "
    "0.7 prunes nothing at that step."
)


def read_thetas(text: str, own: DecodeConfig, count: int, *, theta_asked: bool) -> tuple[float, ...]:
    """The thresholds of steps 1 to `count` that a link asks for, () for one of all steps; InputError for nonsense.

    Where the link says nothing they are the run's own, unless it names a theta (`theta_asked`).
    """
    if text == ONE or (not text and theta_asked):
        return ()
    if not text:
        return whole(own.thetas, count)
    try:
        thetas = tuple(float(part) for part in text.split(","))
    except ValueError:
        thetas = ()
    if len(thetas) != count or not all(0 <= theta <= HIGHEST_THETA for theta in thetas):
        raise InputError(
            f"thetas must be {count} numbers from 0 to {HIGHEST_THETA:g} with commas between them, one for each step "
            f"but the last, or {ONE}, got {text[:60]!r}; leave them out for the run's own"
        )
    return thetas


def whole(thetas: Sequence[float], count: int) -> tuple[float, ...]:
    """A threshold for each of `count` steps, the last one repeated, none above the highest; () for none."""
    if not thetas:
        return ()
    long = [*thetas, *[thetas[-1]] * count][:count]
    return tuple(min(theta, HIGHEST_THETA) for theta in long)


def link_text(thetas: Sequence[float], own: DecodeConfig) -> str:
    """The thresholds as a link writes them; "" where the run has none of its own either."""
    return text_of(thetas) if thetas else ONE if own.thetas else ""


def text_of(thetas: Sequence[float | None]) -> str:
    """Thresholds with commas; null, as files write infinity, and whatever is larger reads the highest."""
    plain = (HIGHEST_THETA if theta is None else min(theta, HIGHEST_THETA) for theta in thetas)
    return ",".join(repr(float(theta)).removesuffix(".0") for theta in plain)


def with_step(thetas: Sequence[float], step: int, theta: float) -> tuple[float, ...]:
    """The thresholds with another one at a step, counted from 1."""
    return tuple(theta if place == step else one for place, one in enumerate(thetas, 1))


def with_thetas(decode: DecodeConfig, thetas: Sequence[float]) -> DecodeConfig:
    """The settings with these thresholds; one that no divergence can exceed prunes nothing."""
    return replace(decode, thetas=tuple(math.inf if theta >= HIGHEST_THETA else float(theta) for theta in thetas))


def limits(decode: DecodeConfig, count: int) -> tuple[float, ...]:
    """What a branch may move the belief by at steps 1 to `count`, infinite where no divergence can be too large."""
    found = [decode.theta_at(step) if step >= decode.check_from else math.inf for step in range(1, count + 1)]
    return tuple(math.inf if theta >= HIGHEST_THETA else theta for theta in found)


def stored_limits(decode: Mapping[str, Any], count: int) -> tuple[float, ...]:
    """The same of settings as a stored search keeps them, where null is infinity."""
    read = [math.inf if theta is None else float(theta) for theta in (decode.get("theta"), *decode.get("thetas", ()))]
    usual = DecodeConfig().check_from
    asked = DecodeConfig(theta=read[0], thetas=tuple(read[1:]), check_from=int(decode.get("check_from", usual)))
    return limits(asked, count)


def limit_words(decode: DecodeConfig, count: int, own_start: int) -> str:
    """The thresholds of a search in a few words; the first compared step where it is not `own_start`, the run's own."""
    if decode.thetas:
        return summary(whole(decode.thetas, count), decode.check_from)
    if math.isinf(decode.theta):
        return "no pruning"
    return f"θ {decode.theta:g}" + (f" from step {decode.check_from} on" if decode.check_from != own_start else "")


def summary(thetas: Sequence[float], check_from: int) -> str:
    """The thresholds of the steps that are compared, in short."""
    shown = [f"{min(theta, HIGHEST_THETA):.3g}" for theta in thetas[check_from - 1 :]]
    return f"θ from step {check_from} on: {' · '.join(shown)}"
