"""The Compare page in tables and sentences: two searches of one user, then two stored searches of all users."""

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd

from app.view_models.cohorts import SHOWN_USERS, tree_link, user_name
from app.view_models.reasoning import OTHERS, permalink, plain_markdown, short_category, weights_name
from app.view_models.step_thetas import limits
from app.view_models.tree import Focus, cut
from reg4rec_core import (
    Catalog,
    DecodeConfig,
    Facets,
    ReasoningTrace,
    SearchHabits,
    SliceDifference,
    StoreComparison,
    TraceComparison,
    UserRow,
    explain_beliefs,
    explain_parting,
    facet_letter,
    fate_changes,
)

INTRODUCTION = (
    "What does another model, or another setting, do otherwise? Two searches side by side: other runs, weights from "
    "before and after post-training, or another θ. First one shopper, A beside B; then many, where both searches are "
    "stored."
)
SAME = (
    "A and B ask for exactly the same search. Choose another run, other weights or another θ for one of them to see "
    "what changes."
)
OTHER_CATALOGUE = (
    "A and B were made from different catalogues, so their items cannot be compared. Choose two runs of the same data."
)
OTHER_CODES = (
    "A and B spell their items with different codes: their tokenizers differ. A node of one tree means nothing in the "
    "other, so only the lists and the beliefs are compared, and each tree follows a path of its own."
)
OTHER_USERS = "A and B know different users, so their searches cannot be compared user by user."
CHOICES = ("by", "metric", "load", "cohort")
"""Names of the page's further controls in the address bar."""
MANY_USERS = "All users, or a cohort of them"
DIFFERENCES = {"only": "only in this tree", "fate": "another fate in the other tree"}
"""What a ring around a node says."""
BELIEF_ROWS = 8
TITLE_LENGTH = 60


def node_differences(
    before: ReasoningTrace, after: ReasoningTrace, comparison: TraceComparison
) -> tuple[list[str], list[str]]:  # fmt: skip
    """For every node of both trees, a key of DIFFERENCES, "" where the other tree has it, too, with the same fate."""
    marks = ["" for _ in range(before.n_nodes)], ["" for _ in range(after.n_nodes)]
    for own, rows in zip(marks, (comparison.only_before, comparison.only_after), strict=True):
        for row in rows.tolist():
            own[row] = "only"
    for a, b in fate_changes(before, after, comparison).tolist():
        marks[0][a] = marks[1][b] = "fate"
    return marks


def what_differs(
    before: ReasoningTrace, after: ReasoningTrace, facets: Facets, comparison: TraceComparison, *, codes_agree: bool
) -> str:
    """The comparison in plain words: what differs first and why, then the lists."""
    first = explain_parting(before, after, facets, comparison) if codes_agree else OTHER_CODES
    beliefs = explain_beliefs(comparison, facets.catalog.category_names)
    return f"{first} {beliefs} {list_sentence(comparison)}"


def list_sentence(comparison: TraceComparison) -> str:
    """How the two lists differ."""
    if comparison.same_list:
        return "Both recommend the same list."
    parts = [
        f"{len(items)} {word}"
        for items, word in (
            (comparison.entered, "only B recommends"),
            (comparison.left, "only A recommends"),
            (comparison.moved, "stand in another place"),
        )
        if items
    ]
    return f"Of the items, {_and(parts)}."


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def list_rows(
    trace: ReasoningTrace, other: ReasoningTrace, catalog: Catalog, target: int, *, letters: tuple[str, str]
) -> pd.DataFrame:
    """One recommendation list, with the place of every item in the other one; `letters` are its own and the other's."""
    places = {int(item): place for place, item in enumerate(other.items, 1)}
    rows = []
    for place, item in enumerate(trace.items.tolist(), 1):
        star = "★ bought next · " if item == target else ""
        title = f"{star}{cut(catalog.titles[item], TITLE_LENGTH)}"
        rows.append(
            (place, title, f"{trace.item_scores[place - 1]:.2f}", movement(place, places.get(item), letters[1]))
        )
    return pd.DataFrame(rows, columns=["#", f"list of {letters[0]}", "score", f"in {letters[1]}"])


def movement(place: int, elsewhere: int | None, letter: str) -> str:
    """Where an item of one list stands in the other."""
    if elsewhere is None:
        return f"not in {letter}"
    if elsewhere == place:
        return "same place"
    return f"{'▲' if elsewhere < place else '▼'} {elsewhere}"


def target_sentence(catalog: Catalog, target: int, before: ReasoningTrace, after: ReasoningTrace) -> str:
    """What was really bought, and where each list has it."""
    if target < 0:
        return "What comes next is not known."
    places = [np.flatnonzero(trace.items == target) for trace in (before, after)]
    said = [f"number {found[0] + 1}" if len(found) else "missed" for found in places]
    return f"Bought next: “{catalog.titles[target]}”. A: {said[0]}. B: {said[1]}."


def belief_rows(
    before: ReasoningTrace, after: ReasoningTrace, focuses: tuple[Focus, Focus], names: Sequence[str]
) -> pd.DataFrame:
    """The beliefs of A (now) and B (before) after the chosen step of their paths: categories with most of either."""
    beliefs = [believed(trace, focus) for trace, focus in zip((before, after), focuses, strict=True)]
    top = np.argsort(-np.maximum(*beliefs), kind="stable")[:BELIEF_ROWS]
    rows = [(short_category(names[c]), float(beliefs[1][c]), float(beliefs[0][c])) for c in top]
    if len(names) > len(top):
        rows.append((OTHERS, *(float(1 - belief[top].sum()) for belief in beliefs[::-1])))
    return pd.DataFrame(rows, columns=["category", "before", "now"])


def believed(trace: ReasoningTrace, focus: Focus) -> np.ndarray:
    """The last belief along a path up to the chosen step."""
    rows = [row for row in focus.rows if trace.step[row] <= focus.step and not np.isnan(trace.beliefs[row]).any()]
    return trace.beliefs[rows[-1] if rows else 0]


def side_words(letter: str, name: str, weights: str, pruning: str) -> str:
    """A side in a few words, for Markdown; `pruning` says its thresholds."""
    return f"{letter}: {plain_markdown(name)}, {weights_name(weights)} weights, {plain_markdown(pruning)}"


def trace_command(path: str, weights: str, *, decode: DecodeConfig, at: str, own: DecodeConfig, preset: str) -> str:
    """The command that stores the searches of a side for all users; `own` is how its run decodes anyway.

    What no option can say is read from the file `preset`, "" where there is none.
    """
    parts = [f"reg4rec trace --run {quote(path)} --weights {weights}"]
    parts += [f"--split {at}"] if at != "test" else []
    if preset:
        return " ".join([*parts, f"--decode {quote(preset)}"])
    parts += [f"--theta {decode.theta:g}"] if not decode.thetas and (own.thetas or decode.theta != own.theta) else []
    parts += [f"--beam {decode.beam_width}"] if decode.beam_width != own.beam_width else []
    parts += [f"--check-from {decode.check_from}"] if decode.check_from != own.check_from else []
    return " ".join(parts)


def needs_preset(decode: DecodeConfig, own: DecodeConfig, count: int) -> bool:
    """Whether a search has thresholds by step that are not its run's own: the command line reads them from a file."""
    return bool(decode.thetas) and limits(decode, count) != limits(own, count)


NO_STORES = (
    "The comparison of all users needs the searches of both sides, made once and kept beside the run; what is missing "
    "is made by the commands below (`--users 500`, given to both, is a quick sample). Then reload the page."
)
PRESETS = (
    "Thresholds by step travel as a preset: save the file below and start the command in the folder where it lies."
)


def stores_sentence(comparison: StoreComparison, first: str, second: str) -> str:
    """How many users both stored searches share, and whom only one of them serves."""
    return (
        f"A is the first search ({first}), B the second ({second}). {comparison.users:,} users are in both. Only B "
        f"finds the next purchase of {comparison.gained:,} of them, only A that of {comparison.lost:,}."
    )


SLICES_NOTE = (
    "Dot: how much more often (or higher) B's first ten hold what was bought next, for the users of the slice; bar: "
    "its 95 % interval. Right of the dashed zero B is better; a bar that touches zero could be chance. n counts users."
)


def slices_table(slices: Sequence[SliceDifference], metric: str) -> pd.DataFrame:
    """One row a slice: its name, how many hits were gained and lost, the change of the metric and its interval."""
    rows = []
    for part in slices:
        change = part.differences[metric]
        name = f"{short_category(part.name)}  (n {part.users:,})"
        said = (
            f"{short_category(part.name)}: {metric} {change.mean:+.4f}, 95 % {change.low:+.4f} to {change.high:+.4f}; "
            f"{part.gained:,} gained, {part.lost:,} lost of {part.users:,} users"
        )
        rows.append({"name": name, "mean": change.mean, "low": change.low, "high": change.high, "said": said,
                     "cohort": ""})  # fmt: skip
    return pd.DataFrame(rows, columns=["name", "mean", "low", "high", "said", "cohort"])


HABITS_NOTE = (
    "Per user and step: candidates pruned because they moved the belief by more than θ, those taken in their place, "
    "inconsistent ones kept as a last resort, and how far a kept step moves the belief on average (js, nats)."
)
LOAD_NOTE = (
    "Which facet the search asks at this step: circle, its share of the kept branches in A; diamond, in B. At the "
    "first step every branch of a user asks the same facet; later ones may part."
)


def habits_table(a: SearchHabits, b: SearchHabits) -> pd.DataFrame:
    """One row a step: pruned, regenerated and last resorts per user, and the mean jump of the belief, A beside B."""
    rows = []
    for step in range(min(len(a.steps), len(b.steps))):
        row: dict[str, str] = {"step": str(step + 1)}
        for letter, habits in (("A", a), ("B", b)):
            row[f"pruned {letter}"] = per_user(int(habits.pruned[step].sum()), habits.users)
        for letter, habits in (("A", a), ("B", b)):
            row[f"regenerated {letter}"] = per_user(int(habits.regenerated[step]), habits.users)
        for letter, habits in (("A", a), ("B", b)):
            row[f"last resorts {letter}"] = per_user(int(habits.fallback[step]), habits.users)
        for letter, habits in (("A", a), ("B", b)):
            row[f"js {letter}"] = "–" if np.isnan(habits.js[step]) else f"{habits.js[step]:.4f}"
        rows.append(row)
    return pd.DataFrame(rows)


def per_user(count: int, users: int) -> str:
    return f"{count / max(users, 1):.2f}"


def habits_sentence(a: SearchHabits, b: SearchHabits) -> str:
    """Who prunes more, and whose beliefs jump further."""
    pruned = [habits.pruned.sum() / max(habits.users, 1) for habits in (a, b)]
    jumps = [float(np.nanmax(habits.js)) if (~np.isnan(habits.js)).any() else float("nan") for habits in (a, b)]
    said = f"A prunes {pruned[0]:.2f} candidates a user, B {pruned[1]:.2f}."
    if np.isnan(jumps).any():
        return said
    steps = [int(np.nanargmax(habits.js)) + 1 for habits in (a, b)]
    return (
        f"{said} The largest mean jump of the belief is js {jumps[0]:.3f} in A (step {steps[0]}) and js {jumps[1]:.3f} "
        f"in B (step {steps[1]})."
    )


def load_table(a: SearchHabits, b: SearchHabits, step: int) -> pd.DataFrame:
    """Each facet's share of the kept branches at a step (from 1), A and B, for the chart of two shares a row."""
    loads = [habits.load[step - 1] for habits in (a, b)]
    rows = []
    for codebook in range(min(map(len, loads))):
        before, after = (float(load[codebook]) for load in loads)
        said = f"{100 * (after - before):+.1f} points"
        rows.append({"category": f"facet {facet_letter(codebook)}", "before": before, "after": after, "adds": said,
                     "before_cohort": "", "after_cohort": ""})  # fmt: skip
    return pd.DataFrame(rows)


def flips_title(kind: str, count: int) -> str:
    """How many users only one of the searches serves."""
    whose = "Only B finds" if kind == "gained" else "Only A finds"
    cut_off = f"; the first {SHOWN_USERS} are listed" if count > SHOWN_USERS else ""
    return f"{whose} the next purchase of {count:,} {'user' if count == 1 else 'users'}{cut_off}"


def flip_rows(
    before: Sequence[UserRow], after: Sequence[UserRow], *, links: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """Users who gained or lost a hit: what became of it in A and in B, and the links to their trees."""
    places = {row.user: row for row in after}
    return [
        {"user": user_name(row), "A": _place(row), "B": _place(places[row.user]), **link}
        for row, link in zip(before, links, strict=True)
    ]


def _place(row: UserRow) -> str:
    if row.place is not None:
        return f"place {row.place}"
    return "missed" if row.pruned_target is None else f"pruned at step {row.pruned_target}"


def flip_links(
    address: str, state: Mapping[str, str], key: str, runs: tuple[str, str], settings: Sequence[dict[str, Any]]
) -> dict[str, str]:
    """The comparison on one user, and the Reasoning page on each of the two searches."""
    return {
        "link": permalink(address, {**state, "user": key}),
        "link_a": tree_link(address, runs[0], key, settings[0]),
        "link_b": tree_link(address, runs[1], key, settings[1]),
    }
