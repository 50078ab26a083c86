"""What theta does to everybody, from stored sweeps: curves as tables, words beside them, and who flips."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.view_models.reasoning import permalink
from app.view_models.theta_tree import HIGHEST_THETA, slider_place
from reg4rec_core import Flips, InputError, ThetaCurve, ThetaPoint, ThetaSuggestion, ThetaSweep

OFF_PLACE = 1.1
"""Where "no pruning" stands beside the slider's thetas, which end at 1."""
SPLITS = {"valid": "validation", "test": "test"}
QUICK_THETAS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, math.inf)
"""What a sweep made in the page tries."""
QUICK_USERS = (50, 200, 1000)
SAMPLE_NOTE = "A sample of 200 takes minutes on a small machine. What is finished is stored in the run."
LISTED_FLIPS = 100
QUALITY = (("recall", "recall"), ("ndcg", "NDCG"))
"""Columns of quality, and how they are called."""
COHORTS = {
    "": "everybody",
    "history_1~4": "short histories: up to 4 purchases",
    "history_10~": "long histories: 10 purchases or more",
    "seen_0~4": "rare next items: training saw them 4 times at most",
    "seen_20~": "popular next items: training saw them 20 times or more",
    "active_0~30": "new shoppers: a month from first to last purchase at most",
}
"""Cohorts to choose from, as links write them, in words; any other may be typed."""
LEAST_USERS = 30
"""Of fewer, curves show nothing but luck."""
TOPS = (10, 5)
"""Lengths of list that quality is measured at."""
COHORT_HELP = (
    "Whose results the curves show, of the users that the sweep searched. Choose one or type another as the Cohorts "
    "page writes it, for example history_5~20.outcome_miss."
)
CURVE_NOTE = (
    "Lines: means over users; bands: their 95 % intervals, drawn from the users again and again. The upright line is "
    "the θ of the slider and follows it, the dashed one the run's own; “off” prunes nothing."
)
COST_NOTE = (
    "What the search pays: nodes are states that the network is asked about; regenerated is what was tried in a pruned "
    "branch's place; a fallback is a branch kept although it is inconsistent; a wrong prune would have led to the item "
    "that was really bought."
)
LISTS_NOTE = (
    "How varied the lists are: the share of the catalogue that is in anybody's list; how much of a list is in no other "
    "user's, over all pairs; and the categories in one list."
)
NO_COUNTS = (
    "This sweep was made before the costs and the lists of every user were kept, so they cannot be told for some of "
    "its users; call the same reg4rec sweep again under another --name to keep them."
)
BY_STEP_NOTE = (
    "These curves are of one θ for all steps. The setting on the left has a θ for every step and is no point of them; "
    "reg4rec sweep --theta-quantile .9,.95 measures such settings."
)
FRONT_NOTE = "Filled: no other θ ranks better with as few nodes. Up is better, left is cheaper."
NO_SWEEP = (
    "How θ changes the results of all users is not stored for these weights yet. This searches the validation users "
    "under several values of θ (the second command the test users), and the page shows it here:"
)


NO_VALID = "A θ is chosen on validation users; only test users were swept. Sweep the validation split, too."


def sweep_commands(run: str, weights: str) -> str:
    """How to make what is missing, for validation and for test users."""
    thetas = ",".join(f"{theta:g}" for theta in QUICK_THETAS)
    lines = (f"reg4rec sweep --run {run} --weights {weights} --over theta={thetas} --split {split}" for split in SPLITS)
    return "\n".join(lines)


def sweeps_of(sweeps: Sequence[ThetaSweep], weights: str) -> dict[str, ThetaSweep]:
    """The sweeps of one stage's weights by name: those of validation users and of most users first."""
    mine = [sweep for sweep in sweeps if sweep.weights == weights]
    return {sweep.name: sweep for sweep in sorted(mine, key=lambda sweep: (sweep.split != "valid", -sweep.users))}


def chosen_sweep(sweeps: dict[str, ThetaSweep], name: str) -> ThetaSweep:
    """The sweep that a URL names, the first for none; InputError for one that is not there."""
    if name and name not in sweeps:
        raise InputError(
            f"these weights have no theta sweep {name[:60]!r}; choose one of {', '.join(sweeps)} or make it"
        )
    return sweeps[name or next(iter(sweeps))]


def of_split(sweeps: dict[str, ThetaSweep], chosen: ThetaSweep, split: str) -> ThetaSweep | None:
    """The chosen sweep where it is of that split, else that of most users that is."""
    if chosen.split == split:
        return chosen
    return max((one for one in sweeps.values() if one.split == split), key=lambda one: one.users, default=None)


def sweep_label(sweep: ThetaSweep) -> str:
    whom = f" of the cohort {sweep.cohort}" if sweep.cohort else ""
    return f"{sweep.users:,} {SPLITS[sweep.split]} users{whom} ({sweep.name})"


def cohort_labels(chosen: str) -> dict[str, str]:
    """The cohorts to choose from, the chosen one among them."""
    return COHORTS if chosen in COHORTS else COHORTS | {chosen: chosen}


def cohort_note(curve: ThetaCurve, searched: int, words: str) -> str:
    """Whom the curves are about."""
    few = f"; too few to say anything, {LEAST_USERS} is the least" if too_few(curve) else ""
    return f"{words}: {curve.users:,} of the {searched:,} users that this sweep searched{few}."


def too_few(curve: ThetaCurve) -> bool:
    return curve.users < LEAST_USERS


def time_note(curve: ThetaCurve) -> str:
    """How long the sweep took; "" where that is not known."""
    seconds = sum(point.seconds for point in curve.points)
    if not math.isfinite(seconds):
        return ""
    each = 1000 * seconds / len(curve.points) / max(curve.users, 1)
    return (
        f"The {len(curve.points)} settings took {seconds:,.0f} s together, {each:.0f} ms a user and setting; they are "
        "searched at once, so nodes tell what one costs beside another."
    )


def theta_label(theta: float) -> str:
    return "off" if math.isinf(theta) else f"{theta:g}"


def named(label: str) -> str:
    """A theta in words, from its label."""
    return "no pruning" if label == "off" else f"θ {label}"


def value_words(label: str, value: float, low: float = math.nan, high: float = math.nan) -> str:
    """One point of a curve, with its interval where it has one."""
    interval = "" if math.isnan(low) else f" (95 %: {low:.4g} to {high:.4g})"
    return f"{named(label)}: {value:.4g}{interval}"


def theta_place(theta: float) -> float:
    """Where a theta stands in the charts: as on the slider, no pruning behind its end."""
    return OFF_PLACE if theta > HIGHEST_THETA else float(slider_place(np.array(theta)))


def mark_place(theta: float) -> float:
    """Where the slider's theta stands in the charts: at its end nothing is pruned."""
    return OFF_PLACE if theta >= HIGHEST_THETA else theta_place(theta)


def curve_table(curve: ThetaCurve, top: int = 10) -> pd.DataFrame:
    """One row a theta: quality with its interval, what it costs, and whether another theta is better and cheaper."""
    rows = [_point(point, top) for point in curve.points]
    table = pd.DataFrame(rows)
    return table.assign(front=on_front(table["nodes"].tolist(), table["ndcg"].tolist()))


def _point(point: ThetaPoint, top: int) -> dict[str, float | str]:
    recall, ndcg = point.metrics[f"recall@{top}"], point.metrics[f"ndcg@{top}"]
    return {
        "theta": theta_label(point.theta),
        "x": theta_place(point.theta),
        "recall": recall.mean,
        "recall_low": recall.low,
        "recall_high": recall.high,
        "ndcg": ndcg.mean,
        "ndcg_low": ndcg.low,
        "ndcg_high": ndcg.high,
        "nodes": point.nodes,
        "pruned": point.pruned,
        "regenerated": point.regenerated,
        "wrong": point.wrong_prunes,
        "fallback": point.fallback,
        "coverage": point.coverage,
        "distinctness": point.distinctness,
        "categories": point.categories_per_list,
    }


def on_front(costs: Sequence[float], gains: Sequence[float]) -> list[bool]:
    """Whether nothing else is at least as good for at most the cost, and better in one of the two."""
    pairs = list(zip(costs, gains, strict=True))
    return [not any((c <= cost and g >= gain) and (c < cost or g > gain) for c, g in pairs) for cost, gain in pairs]


def nearest_theta(curve: ThetaCurve, theta: float) -> float:
    """The swept theta that stands nearest on the slider; at the slider's end nothing is pruned, which is "off"."""
    return min(curve.thetas, key=lambda one: abs(theta_place(one) - mark_place(theta)))


def point_sentence(curve: ThetaCurve, theta: float, check_from: int) -> str:
    """What the theta nearest to that of the slider gives all users."""
    point = curve.points[curve.line(theta)]
    recall, ndcg = point.metrics["recall@10"], point.metrics["ndcg@10"]
    whom = f"{curve.users:,} users" + (" of the cohort" if curve.cohort else "")
    where = "Without pruning" if math.isinf(theta) else f"At θ = {theta:g}, the swept value nearest to the slider's"
    pruned = f"{point.pruned:.2f} branches are pruned, {point.wrong_prunes:.4f} of them wrongly"
    pruned = pruned if point.pruned else "nothing is pruned"
    cost = f" A search takes {point.nodes:.0f} nodes; {pruned}." if math.isfinite(point.nodes) else ""
    other = "" if check_from == curve.check_from else f" (this sweep compares from step {curve.check_from} on)"
    return (
        f"{where}{other}, {recall.mean:.2%} of {whom} find their next item among ten "
        f"(95 %: {recall.low:.2%} to {recall.high:.2%}); NDCG@10 is {ndcg.mean:.4f}.{cost}"
    )


def suggestion_words(suggestion: ThetaSuggestion) -> tuple[str, str]:
    """What validation says, which alone chooses; and what the test users say of the same theta, if anything."""
    ndcg = suggestion.valid.ndcg
    value = "no pruning" if math.isinf(suggestion.theta) else f"θ = {suggestion.theta:g}"
    valid = (
        f"Validation NDCG@10 is highest with {value}, compared from step {suggestion.check_from}: {ndcg.mean:.4f} "
        f"(95 %: {ndcg.low:.4f} to {ndcg.high:.4f}). {suggestion.sentence}"
    )
    if suggestion.test is None:
        return valid, "No test sweep has searched this value and no pruning, so the test users are not heard."
    test = suggestion.test
    numbers = f"NDCG@10 {test.ndcg.mean:.4f} (95 %: {test.ndcg.low:.4f} to {test.ndcg.high:.4f})"
    compared = "" if math.isinf(suggestion.theta) else f" {test.sentence}"
    return valid, f"The test users had no part in the choice; with it: {numbers}.{compared}"


def comparable(valid: ThetaCurve, test: ThetaCurve | None) -> ThetaCurve | None:
    """The test sweep where it was searched with the same settings, the same cohort among them."""
    settings = [(one.weights, one.check_from, one.cohort) for one in (valid, test or valid)]
    same = test is not None and settings[0] == settings[1]
    return test if same else None


def take_label(suggestion: ThetaSuggestion) -> str:
    return "Take it: no pruning" if math.isinf(suggestion.theta) else f"Take θ = {suggestion.theta:g}"


def slider_theta(theta: float) -> float:
    """A suggested theta as the slider has it: nothing is pruned at its end."""
    return min(theta, HIGHEST_THETA)


def flip_sentence(flips: Flips, first: float, second: float) -> str:
    """Who gains and who loses a hit between two thetas."""
    names = ["no pruning" if math.isinf(theta) else f"θ = {theta:g}" for theta in (first, second)]
    if first == second:
        return f"Both sides are {names[0]}; move the slider or choose another value to see who flips."
    gained, lost = (
        _users(len(users), *verbs) for users, *verbs in ((flips.gained, "gains", "gain"), (flips.lost, "loses", "lose"))
    )
    listed = " A name opens that user's tree." if len(flips.gained) + len(flips.lost) else ""
    return f"From {names[0]} to {names[1]}, {gained} and {lost} the next item among ten.{listed}"


def _users(count: int, one: str, many: str) -> str:
    return f"{count:,} {'user ' + one if count == 1 else 'users ' + many}"


def flip_rows(
    curve: ThetaCurve, flips: Flips, first: float, second: float, user_keys: Sequence[str], links: dict[str, str]
) -> list[dict[str, str]]:
    """The users who flip, gained first; `links` leads from a user's key to their tree."""
    row_of = {int(row): place for place, row in enumerate(curve.user_rows)}
    rows = []
    for what, users in (("gained", flips.gained), ("lost", flips.lost)):
        for user in users.tolist():
            places = [int(curve.places[curve.line(theta)][row_of[user]]) for theta in (first, second)]
            said = [f"place {place}" if place else "missed" for place in places]
            key = user_keys[user]
            target = f"{what}: {said[0]} → {said[1]}"
            rows.append({"user": key, "link": links[key], "purchases": "", "target": target, "pruned": ""})
    return rows


def shown_flips(flips: Flips) -> Flips:
    """As many as a table lists, both kinds in proportion."""
    total = len(flips.gained) + len(flips.lost)
    if total <= LISTED_FLIPS:
        return flips
    gained = round(LISTED_FLIPS * len(flips.gained) / total)
    return Flips(flips.gained[:gained], flips.lost[: LISTED_FLIPS - gained])


def user_links(address: str, state: dict[str, str], flips: Flips, user_keys: Sequence[str]) -> dict[str, str]:
    """For every user who flips, this page on them, everything else as it is."""
    keys = [user_keys[user] for user in (*flips.gained.tolist(), *flips.lost.tolist())]
    return {key: permalink(address, state | {"user": key}) for key in keys}


def sample_words(sweep: ThetaSweep, asked: Mapping[str, Any]) -> str:
    """How the users of a sweep were drawn; `asked` is what its folder says of it."""
    who = f"{sweep.users:,} {SPLITS[sweep.split]} users"
    return (
        f"swept: all {who}"
        if asked.get("users") is None
        else f"swept: {who} drawn at random, seed {asked.get('seed', 0)}"
    )
