"""The guided tour: six places worth seeing, each with a sentence that holds the real names and numbers of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.view_models.reasoning import VISIBLE_SHIFT, known, short_category
from app.view_models.tree import cut, node_name, path_key, percent
from reg4rec_core import (
    Catalog,
    DecodeConfig,
    Edit,
    Facets,
    Fate,
    HealthCheck,
    ReasoningTrace,
    SliceMetrics,
    TraceComparison,
    code_card,
    facet_letter,
    format_edits,
)

INVITATION = (
    "**New here?** A short tour follows a real shopper of this run: what is suggested, how the model got there, what "
    "it gave up on the way, what another history would have changed, and for whom it works."
)
NO_TOUR = "There is no tour through this run: it holds no user whose next purchase could be asked for."
TITLE_LENGTH = 60
THETAS = (0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.06, 0.03, 0.015, 0.005, 0.0)
"""Thresholds tried for one that prunes, from the most lenient."""
State = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class Stop:
    """One place of the tour."""

    page: str
    """As its address says: reasoning, codebooks, cohorts; overview for the first page."""
    heading: str
    caption: str
    state: State
    """What the address of the page says there."""


def stop_number(asked: str | None, count: int) -> int | None:
    """The stop that an address asks for, counted from 1; None where it asks for none that there is."""
    if asked is None or not asked.isascii() or not asked.isdigit() or len(asked) > 3:
        return None
    return int(asked) if 1 <= int(asked) <= count else None


def search_state(user: str, decode: DecodeConfig, *, theta: float | None = None, step: int, path: str = "") -> State:
    """The Reasoning page on a user; `theta` None is the run's own, which may be one for every step."""
    by_step = theta is None and bool(decode.thetas)
    theta = decode.theta if theta is None else theta
    pruning = by_step or bool(np.isfinite(theta))
    state: dict[str, str | int | float | bool] = {"user": user, "at": "test", "corp": pruning}
    state |= {"theta": float(theta)} if pruning and not by_step else {}
    state |= {"beam": decode.beam_width, "step": step, "fold": True}
    return state | ({"path": path} if path else {})


def history_stop(
    trace: ReasoningTrace, catalog: Catalog, decode: DecodeConfig, *, user: str, history: Sequence[int], target: int
) -> Stop | None:
    """A history and what is recommended for it; None where nothing is."""
    if len(trace.items) == 0 or trace.item_nodes[0] < 0:
        return None
    first, last = _title(catalog, int(trace.items[0])), _title(catalog, history[-1])
    count = f"{len(history)} products, the last of them" if len(history) > 1 else "one product,"
    caption = (
        f"Shopper {user} bought {count} {last}. From these alone the model lists {len(trace.items)} suggestions and "
        f"puts {first} first. {_truth(trace, catalog, target)}"
    )
    state = search_state(user, decode, step=int(trace.step.max()))
    return Stop("reasoning", "A shopper and the next suggestion", caption.strip(), state)


def _truth(trace: ReasoningTrace, catalog: Catalog, target: int) -> str:
    if target <= 0:
        return ""
    places = np.flatnonzero(trace.items == target)
    if len(places) == 0:
        return f"What was really bought next, {_title(catalog, target)}, is not among them: most of the time it is not."
    if places[0] == 0:
        return "And that is what was really bought next; the model had not seen it."
    return f"What was really bought next, {_title(catalog, target)}, is number {places[0] + 1}."


def facet_stop(trace: ReasoningTrace, facets: Facets, *, user: str) -> Stop:
    """The first code on the path to the first item that rules products out, on the Codebooks page."""
    node = _first_choice(trace)
    codebook, code = int(trace.codebook[node]), int(trace.code[node])
    card, item = code_card(facets, codebook, code), int(trace.items[0])
    letter, size = facet_letter(codebook), facets.ids.n_codebooks
    caption = (
        f"The model does not think in products but in codes: each product has {size}, one for every facet. For shopper "
        f"{user} it began with code {code} of facet {letter}, which stands for “{facets.name(codebook, code)}”: "
        f"{card.load:,} of {facets.catalog.n_items - 1:,} products carry it, {_title(facets.catalog, item)} among "
        "them. The card of the code stands further down."
    )
    return Stop("codebooks", "What the model thinks in", caption, {"facet": letter, "code": str(code)})


def _first_choice(trace: ReasoningTrace) -> int:
    path = trace.path(int(trace.item_nodes[0]))
    narrowing = [row for before, row in pairwise(path) if trace.items_left[row] < trace.items_left[before]]
    return narrowing[0] if narrowing else path[1]


def belief_stop(trace: ReasoningTrace, facets: Facets, decode: DecodeConfig, *, user: str) -> Stop | None:
    """The step on the way to the first item that moves the belief most; None where none moves it visibly."""
    if len(trace.items) == 0 or trace.item_nodes[0] < 0:
        return None
    leaf = int(trace.item_nodes[0])
    steps = [row for row in trace.path(leaf)[1:] if trace.js[row] >= VISIBLE_SHIFT]
    if not steps:
        return None
    node = max(steps, key=lambda row: trace.js[row])
    before, after = trace.beliefs[trace.parent[node]], trace.beliefs[node]
    category = int(np.argmax(after - before))
    name = short_category(facets.catalog.category_names[category])
    caption = (
        f"After every code the model says again what kind of product it is heading for. Step {trace.step[node]} adds "
        f"“{node_name(trace, facets, node)}”, and the belief in {name} goes from {percent(before[category])} to "
        f"{percent(after[category])}: a shift of {trace.js[node]:.3f} on a scale that ends at 0.693."
    )
    state = search_state(user, decode, step=int(trace.step[node]), path=path_key(trace, leaf))
    return Stop("reasoning", "The moment the belief moves", caption, state)


def pruned_stop(trace: ReasoningTrace, facets: Facets, decode: DecodeConfig, *, user: str) -> Stop | None:
    """The likeliest pruned branch in whose step another took a freed place; None where there is none."""
    stepped_in = (trace.fate == Fate.KEPT) & (trace.attempt > 0)
    refilled = np.unique(trace.step[stepped_in])
    pruned = np.flatnonzero((trace.fate == Fate.PRUNED) & np.isin(trace.step, refilled))
    if len(pruned) == 0:
        return None
    node = int(pruned[np.argmax(trace.log_prob[pruned])])
    others = np.flatnonzero(stepped_in & (trace.step == trace.step[node]))
    other = int(others[np.argmax(trace.score[others])])
    limit = trace.theta_at(int(trace.step[node]))
    caption = (
        f"The branch “{node_name(trace, facets, node)}” ends at step {trace.step[node]}: it would have moved the "
        f"belief by {trace.js[node]:.3f}, more than the limit θ = {limit:.3f} set here. The search went back, "
        f"and “{node_name(trace, facets, other)}”, the best of what had not been tried, took a freed place (triangle)."
    )
    theta = None if trace.thetas else trace.theta
    state = search_state(user, decode, theta=theta, step=int(trace.step[node]), path=path_key(trace, node))
    return Stop("reasoning", "A branch that was pruned", caption, state)


def edited_stop(
    comparison: TraceComparison,
    catalog: Catalog,
    decode: DecodeConfig,
    *,
    user: str,
    left_out: int,
    edit: Edit,
    step: int,
) -> Stop | None:
    """The list without the purchase that spoke most for its first item; None where that changes too little to show."""
    fallen = next((move for move in (*comparison.left, *comparison.moved) if move.before == 1), None)
    if fallen is None or not comparison.entered:
        return None
    new = comparison.entered[0]
    went = f"falls to place {fallen.after}" if fallen.after else "leaves the list"
    caption = (
        f"What if shopper {user} had never bought {_title(catalog, left_out)}? Searched again without it, "
        f"{_title(catalog, fallen.item)} {went}, and {_title(catalog, new.item)} enters at place {new.after}. The bars "
        "under the purchases say how much each one speaks for the suggestion."
    )
    state = dict(search_state(user, decode, step=step)) | {"edit": format_edits([edit])}
    return Stop("reasoning", "Another history, another list", caption, state)


def cohort_stop(slices: Sequence[SliceMetrics], *, store: str, by: str) -> Stop | None:
    """Who is served best and worst, on the Cohorts page; None where there are no two groups to compare."""
    enough = [part for part in slices if part.users >= max(20, 0.01 * sum(other.users for other in slices))]
    if len(enough) < 2:
        return None
    best = max(enough, key=lambda part: part.metrics["recall@10"].mean)
    worst = min(enough, key=lambda part: part.metrics["recall@10"].mean)
    caption = (
        f"The model does not serve everyone alike. Cut by {by}, it finds the next purchase among its first ten for "
        f"{best.metrics['recall@10'].mean:.0%} of the {best.users:,} users with {best.name}, but for "
        f"{worst.metrics['recall@10'].mean:.0%} of the {worst.users:,} with {worst.name}. "
        "A click on a dot lists the users behind it."
    )
    state: State = {"store": store, "by": by, "metric": "recall@10", "cohort": ""}
    return Stop("cohorts", "For whom it works", caption, state)


def health_stop(checks: Sequence[HealthCheck], recall: float | None, users: int) -> Stop:
    """Whether the run is healthy, on the first page."""
    failed = [f"“{check.name}”" for check in checks if check.verdict == "failed"]
    known = sum(check.verdict != "unknown" for check in checks)
    measured = f"For {recall:.1%} of {users:,} users the next purchase is among the first ten. " if recall else ""
    caption = (
        f"{measured}{known - len(failed)} of {known} health checks pass"
        + (f"; these deserve a look: {'; '.join(failed)}." if failed else ".")
        + " Every number on this page says what it is held against."
    )
    return Stop("overview", "Can this model be trusted?", caption, {})


WATCHED = {
    "user": "the shopper",
    "at": "the purchase to predict",
    "theta": "θ",
    "corp": "whether to prune",
    "beam": "the beam width",
    "weights": "the weights",
    "edit": "the history",
    "steer": "the steering",
    "from": "the branch to go on from",
    "facet": "the facet",
    "code": "the code",
    "store": "the stored search",
    "by": "the cut",
    "metric": "the metric",
    "cohort": "the cohort",
}
"""What a caption speaks of, and what people call it; walking through the tree makes no caption untrue."""


def changed_since(stop: Stop, now: Mapping[str, str]) -> str:
    """What of a stop has been changed, in a sentence; "" where the caption is still true of what is seen.

    `now` says what the address says of the names in `WATCHED`; a name that is left out is as the stop set it.
    """
    set_to = {name: url_text(value) for name, value in stop.state.items()}
    changed = [name for name in WATCHED if name in now and now[name] != set_to.get(name, "")]
    if not changed:
        return ""
    said = [f"{WATCHED[name]} ({set_to[name]} at this stop)" if name == "theta" and name in set_to else WATCHED[name]
            for name in changed]  # fmt: skip
    return f"You have changed {_listed(said)} since: the text speaks of the view before that."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def url_text(value: str | int | float | bool) -> str:
    """A choice as the address spells it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def progress(number: int, count: int) -> str:
    return f"{number} of {count}"


def _title(catalog: Catalog, item: int) -> str:
    title = known(catalog.titles[item])
    return f"“{cut(title, TITLE_LENGTH)}”" if title else "a product without a title"
