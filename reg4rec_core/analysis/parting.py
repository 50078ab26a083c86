"""Where two searches part, in words: the first branch that one of them treats otherwise, and why."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from reg4rec_core.analysis.counterfactual import TraceComparison
from reg4rec_core.analysis.explanation import count_fates, explain_node, facet_letter
from reg4rec_core.analysis.facets import Facets
from reg4rec_core.types import Fate, ReasoningTrace

SAME_JS = 1e-6
"""Divergences closer than this are the same, nats: the last bits of a network's arithmetic."""
VISIBLE = 0.005
"""A share of the belief that is worth a word."""


@dataclass(frozen=True)
class Parting:
    """The first branch that two searches treat otherwise."""

    step: int
    before: int
    """Row in the first trace, -1 where it lacks the branch."""
    after: int
    minor: bool
    """Whether the trees differ in out-scored candidates only: everything kept or pruned is the same."""


def fate_changes(
    before: ReasoningTrace, after: ReasoningTrace, comparison: TraceComparison
) -> Int[np.ndarray, "n two"]:
    """Rows of the shared nodes that met another fate, or became what they are in another way (regenerated)."""
    pairs = comparison.shared.tolist()
    changed = [pair for pair in pairs if _fate(before, pair[0]) != _fate(after, pair[1])]
    return np.array(changed, np.int64).reshape(len(changed), 2)


def find_parting(before: ReasoningTrace, after: ReasoningTrace, comparison: TraceComparison) -> Parting | None:
    """The earliest difference, of several the likeliest branch; None where the trees are the same.

    What became of a branch counts first; candidates that no beam ever held count only where nothing else differs.
    """
    pairs = [(int(a), int(b)) for a, b in fate_changes(before, after, comparison)]
    pairs += [(row, -1) for row in comparison.only_before.tolist()] + [
        (-1, row) for row in comparison.only_after.tolist()
    ]
    grave = [pair for pair in pairs if _standing(before, pair[0]) != _standing(after, pair[1])]
    chosen = _first(grave or pairs, before, after)
    if chosen is None:
        return None
    a, b = chosen
    return Parting(int(before.step[a] if a >= 0 else after.step[b]), a, b, minor=not grave)


def explain_parting(
    before: ReasoningTrace,
    after: ReasoningTrace,
    facets: Facets,
    comparison: TraceComparison,
    *,
    names: tuple[str, str] = ("A", "B"),
) -> str:
    """What differs first between two searches with the same codes, at which step, and why."""
    parting = find_parting(before, after, comparison)
    if parting is None:
        return f"{names[0]} and {names[1]} search alike: both trees have the same nodes, and each met the same fate."
    if parting.minor:
        return (
            f"{names[0]} and {names[1]} keep and prune the same branches; from step {parting.step} on they differ only "
            "in candidates that were out-scored anyway."
        )
    trace, row = (before, parting.before) if parting.before >= 0 else (after, parting.after)
    sentences = [f"The first difference is at step {parting.step}, at {_branch(trace, facets, row)}."]
    for name, own, own_row in zip(names, (before, after), (parting.before, parting.after), strict=True):
        told = _told(own, own_row) if own_row >= 0 else _absent(own, trace, row, comparison, first=own is before)
        sentences.append(f"In {name} it {told}")
    return " ".join([*sentences, *_same_jump(before, after, parting), _prunes(before, after, names)])


def explain_beliefs(
    comparison: TraceComparison, category_names: Iterable[str], *, names: tuple[str, str] = ("A", "B")
) -> str:
    """How far the two beliefs lie apart before any code, and which category differs most."""
    change = comparison.belief_change
    category = int(np.abs(change).argmax())
    if abs(change[category]) < VISIBLE:
        return f"Before any code, {names[0]} and {names[1]} expect the same kinds of item."
    name = " > ".join(level.strip() for level in list(category_names)[category].split(">")[-2:])
    believer = names[1] if change[category] > 0 else names[0]
    return (
        f"Before any code their beliefs lie js {comparison.belief_js:.3f} apart: {believer} expects “{name}” more, by "
        f"{100 * abs(change[category]):.0f} points."
    )


def _fate(trace: ReasoningTrace, row: int) -> tuple[int, bool]:
    return int(trace.fate[row]), bool(trace.attempt[row] > 0)


def _standing(trace: ReasoningTrace, row: int) -> str:
    """What a branch is to its search: the beam went on from it, it was pruned, or it never mattered."""
    if row < 0 or trace.fate[row] == Fate.BEAM_CUT:
        return "out"
    return "pruned" if trace.fate[row] == Fate.PRUNED else "in"


def _first(
    pairs: list[tuple[int, int]], before: ReasoningTrace, after: ReasoningTrace
) -> tuple[int, int] | None:  # fmt: skip
    def order(pair: tuple[int, int]) -> tuple[int, float]:
        a, b = pair
        chances = [float(trace.log_prob[row]) for trace, row in ((before, a), (after, b)) if row >= 0]
        return int(before.step[a] if a >= 0 else after.step[b]), -max(chances)

    return min(pairs, key=order, default=None)


def _branch(trace: ReasoningTrace, facets: Facets, row: int) -> str:
    codebook, code = int(trace.codebook[row]), int(trace.code[row])
    return f"the code {facet_letter(codebook)}{code} “{facets.name(codebook, code)}”"


def _told(trace: ReasoningTrace, row: int) -> str:
    said = explain_node(trace, row)
    return f"is {said[0].lower()}{said[1:]}"


def _absent(
    trace: ReasoningTrace, other: ReasoningTrace, row: int, comparison: TraceComparison, *, first: bool
) -> str:  # fmt: skip
    """Why a search lacks a branch of the other one."""
    mine, theirs = (0, 1) if first else (1, 0)
    places = {int(pair[theirs]): int(pair[mine]) for pair in comparison.shared}
    parent = places.get(int(other.parent[row]), -1)
    children = np.flatnonzero(trace.parent == parent) if parent >= 0 else np.zeros(0, np.int64)
    if len(children) == 0:
        return "was never within reach: the branch before it was not followed."
    facets = sorted(set(trace.codebook[children].tolist()))
    if int(other.codebook[row]) not in facets:
        letters = " and ".join(facet_letter(codebook) for codebook in facets)
        return f"was never tried: there the search goes on with facet {letters}."
    return "was not even among the candidates that came close to the beam: others were likelier."


def _same_jump(before: ReasoningTrace, after: ReasoningTrace, parting: Parting) -> list[str]:
    """That only the threshold differs, where that is so."""
    same = (before.theta, before.thetas) == (after.theta, after.thetas)
    if parting.before < 0 or parting.after < 0 or same:
        return []
    jumps = float(before.js[parting.before]), float(after.js[parting.after])
    if np.isnan(jumps).any() or abs(jumps[0] - jumps[1]) > SAME_JS:
        return []
    return ["Its belief moves alike in both; only θ differs."]


def _prunes(before: ReasoningTrace, after: ReasoningTrace, names: tuple[str, str]) -> str:
    counts = [count_fates(trace)["pruned"] for trace in (before, after)]
    if not any(counts):
        return "Neither prunes anything."
    return f"In all, {names[0]} prunes {counts[0]:,} and {names[1]} {counts[1]:,} candidates."
