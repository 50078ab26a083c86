"""Sentences about a search, made from its trace alone: nothing in them that the trace does not hold."""

from collections.abc import Collection
from itertools import pairwise

import numpy as np

from reg4rec_core.analysis.facets import Facets
from reg4rec_core.types import Fate, ReasoningTrace

Codes = Collection[tuple[int, int]]
"""(codebook, code) of some codes."""


def facet_letter(codebook: int) -> str:
    """How people call a codebook: facet A is codebook 0, facet Z codebook 25, then F26 and so on."""
    return chr(ord("A") + codebook) if codebook < 26 else f"F{codebook}"


def explain_item(trace: ReasoningTrace, facets: Facets, rank: int = 0, *, given: Codes = ()) -> str:
    """Why the item at `rank` stands where it stands: the codes that narrowed it down, the belief, what was dropped.

    Codes of the path that are among `given` were given by hand; the model chose the others.
    """
    title = facets.catalog.titles[trace.items[rank]]
    place = "is first" if rank == 0 else f"is number {rank + 1}"
    leaf = int(trace.item_nodes[rank])
    if leaf < 0:
        return f"“{title}” {place} only as a neighbour: no path led to it, it resembles the best path's item."
    sentences = [f"“{title}” {place}: {_choices(trace, facets, leaf, given)}.", _belief_move(trace, facets, leaf)]
    return " ".join(sentence for sentence in [*sentences, _search_summary(trace)] if sentence)


def deciding_steps(trace: ReasoningTrace, leaf: int) -> list[int]:
    """The rows of the path whose code still narrowed the items down, in path order."""
    return [row for before, row in pairwise(trace.path(leaf)) if trace.items_left[row] < trace.items_left[before]]


def count_fates(trace: ReasoningTrace) -> dict[str, int]:
    """How many nodes met each fate, and how many of the kept ones took a pruned one's place ("regenerated")."""
    counts = {fate.label: int((trace.fate == fate).sum()) for fate in Fate}
    counts["regenerated"] = int(((trace.fate == Fate.KEPT) & (trace.attempt > 0)).sum())
    return counts


def beam_cut(trace: ReasoningTrace, step: int) -> float:
    """The lowest score that entered the beam at a step on its own merit (no fallback), nats; -inf where none did."""
    entered = (trace.step == step) & (trace.fate == Fate.KEPT)
    return float(trace.score[entered].min()) if entered.any() else float("-inf")


def was_checked(trace: ReasoningTrace, node: int) -> bool:
    """Whether CORP compared the node's belief with its parent's: from `check_from` on, where both have beliefs."""
    step = int(trace.step[node])
    return bool(step >= trace.check_from and np.isfinite(trace.theta_at(step)) and not np.isnan(trace.js[node]))


def explain_node(trace: ReasoningTrace, node: int) -> str:
    """Why a node met its fate: its js against theta, its score against the beam's cut."""
    return _explanation(trace, node, beam_cut(trace, int(trace.step[node])))


def explain_nodes(trace: ReasoningTrace) -> list[str]:
    """The same of every node, in trace order."""
    cuts = [beam_cut(trace, step) for step in range(int(trace.step.max()) + 1)]
    return [_explanation(trace, node, cuts[step]) for node, step in enumerate(trace.step.tolist())]


def _explanation(trace: ReasoningTrace, node: int, cut: float) -> str:
    if trace.parent[node] < 0:
        return "The start: every item is still possible."
    step, fate, js = int(trace.step[node]), Fate(int(trace.fate[node])), float(trace.js[node])
    score = float(trace.score[node])
    theta = _threshold(trace, step)
    if fate == Fate.PRUNED:
        return f"Pruned: its belief moved by js {js:.3f}, more than {theta}, so the search rolled back."
    if fate == Fate.FALLBACK:
        return f"Kept as a last resort: js {js:.3f} exceeds {theta}, but nothing else could take its place."
    if fate == Fate.BEAM_CUT:
        return f"Out-scored: its score {score:.2f} lies below {cut:.2f}, the lowest that entered the beam."
    attempt = int(trace.attempt[node])
    entry = f"Regenerated in round {attempt} in a pruned branch's place" if attempt else "Kept"
    return f"{entry}: {_check_passed(trace, node)}; score {score:.2f}, the beam's cut was {cut:.2f}."


def _check_passed(trace: ReasoningTrace, node: int) -> str:
    if was_checked(trace, node):
        return f"its belief moved by js {trace.js[node]:.3f}, within {_threshold(trace, int(trace.step[node]))}"
    if not trace.prunes:
        return "consistency checks are off"
    if np.isnan(trace.js[node]):
        return "the last code needs no belief"
    if trace.step[node] >= trace.check_from:
        return f"this step has no θ (js {trace.js[node]:.3f})"
    return f"beliefs are compared from step {trace.check_from} on (js {trace.js[node]:.3f})"


def _threshold(trace: ReasoningTrace, step: int) -> str:
    """The threshold of a step in words, told to be its own where every step has one."""
    return f"θ {trace.theta_at(step):.3f}" + (f" of step {step}" if trace.thetas else "")


def _choices(trace: ReasoningTrace, facets: Facets, leaf: int, given: Codes) -> str:
    steps = deciding_steps(trace, leaf)
    if not steps:
        return "it was the only item left from the start"
    codes = [(int(trace.codebook[row]), int(trace.code[row])) for row in steps]
    by_hand = [_named(facets, code) for code in codes if code in given]
    chosen = [_named(facets, code) for code in codes if code not in given]
    parts = [f"{_then(by_hand)} {'was' if len(by_hand) == 1 else 'were'} given by hand"] if by_hand else []
    parts += [f"the model chose {_then(chosen)}"] if chosen else []
    items = int(trace.items_left[steps[-1]])
    left = "1 item" if items == 1 else f"{items:,} items"
    return f"{', '.join(parts)}, which left {left} of {trace.items_left[0]:,}"


def _named(facets: Facets, code: tuple[int, int]) -> str:
    return f"facet {facet_letter(code[0])} “{facets.name(*code)}”"


def _then(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f", then {parts[-1]}"


def _belief_move(trace: ReasoningTrace, facets: Facets, leaf: int) -> str:
    """What the belief settled on along the path, from the root's to the last one the search made."""
    believed = [row for row in trace.path(leaf) if not np.isnan(trace.beliefs[row]).any()]
    if len(believed) < 2:
        return ""
    first, last = trace.beliefs[believed[0]], trace.beliefs[believed[-1]]
    category = int(last.argmax())
    verb = "rose" if last[category] >= first[category] else "fell"
    name = " > ".join(level.strip() for level in facets.catalog.category_names[category].split(">")[-2:])
    return f"Along the way its belief in {name} {verb} from {first[category]:.0%} to {last[category]:.0%}."


def _search_summary(trace: ReasoningTrace) -> str:
    counts = count_fates(trace)
    limit = "the θ of its step" if trace.thetas else f"θ = {trace.theta:g}"
    if not trace.prunes:
        return "Consistency checks were off."
    if counts["pruned"] == counts["fallback"] == 0:
        return f"No branch that was checked moved its belief by more than {limit}, so none was pruned."
    if counts["pruned"] == 0:
        many = "branches that" if counts["fallback"] > 1 else "branch that"
        stayed = f"{counts['fallback']} {many} moved the belief by more than {limit}"
        return f"No branch was pruned for good; {stayed} had to stay."
    plural = "branches were" if counts["pruned"] > 1 else "branch was"
    text = f"{counts['pruned']} {plural} pruned for moving the belief by more than {limit}"
    if counts["regenerated"]:
        text += f", and {counts['regenerated']} regenerated in {'their' if counts['pruned'] > 1 else 'its'} place"
    if counts["fallback"]:
        text += f"; {counts['fallback']} inconsistent one{'s' if counts['fallback'] > 1 else ''} had to stay"
    return text + "."
