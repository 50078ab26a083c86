"""`reg4rec profile`"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reg4rec_core.cli.options import json_option, moment_option, reading_run_option, user_option, weights_option
from reg4rec_core.cli.output import emit
from reg4rec_core.types import InputError

if TYPE_CHECKING:
    from reg4rec_core.analysis.theta_profile import ThetaProfile
    from reg4rec_core.types import Catalog


@click.command("profile")
@reading_run_option
@user_option
@moment_option
@click.option("--theta", default="0:0.2", show_default=True, help="LOW:HIGH, the thetas from LOW to below HIGH.")
@weights_option
@json_option
def command(run: Path, user: str, at: Any, theta: str, weights: str, as_json: bool) -> None:
    """Give every result that any theta of a range has for one user.

    The result is constant between breakpoints: one interval after the other, with its list, the nodes of its search and
    how many of them were pruned.
    """
    from time import perf_counter

    from reg4rec_core.analysis.theta_profile import profile_document, profile_theta, theta_intervals
    from reg4rec_core.cli.search_text import history_of_user
    from reg4rec_core.recommender import Recommender

    low, high = read_range(theta)
    recommender = Recommender.load(run, weights=weights)
    question = recommender.question(history_of_user(recommender, user, at), recommender.decode)
    started = perf_counter()
    next(theta_intervals(question, low, high, start=low))
    first = perf_counter() - started
    profile = profile_theta(question, low, high)
    seconds = perf_counter() - started - first
    document = profile_document(recommender.catalog, user, profile)
    document |= {"searches": profile.searches, "seconds": seconds, "first_seconds": first}
    emit(document, text=to_text(recommender.catalog, profile, document), as_json=as_json)


def read_range(text: str) -> tuple[float, float]:
    """LOW:HIGH as two numbers."""
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise InputError(f"--theta reads LOW:HIGH, two numbers such as 0:0.2, got {text!r}") from None
    return low, high


def to_text(catalog: "Catalog", profile: "ThetaProfile", document: dict[str, Any]) -> str:
    """The list at the smallest theta, and what changes in it where."""
    from reg4rec_core.analysis.theta_profile import theta_changes

    first, last = profile.intervals[0], profile.intervals[-1]
    lines = [f"theta from {first.low:g}: {', '.join(catalog.item_keys[item] for item in first.items)}"]
    for change in theta_changes(profile):
        if not change.same_list:
            signs = [f"+{catalog.item_keys[move.item]}" for move in change.entered]
            signs += [f"-{catalog.item_keys[move.item]}" for move in change.left]
            lines.append(f"{change.theta:12.6f}  {' '.join(signs) or 'another order'}")
    count, changed = len(profile.intervals), len(lines) - 1
    lines.append(f"theta below {last.high:g}: {count:,} different searches, {changed:,} changes of the list")
    return "\n".join([*lines, f"{document['seconds']:.2f} s, {profile.beams:,} beams expanded once each"])
