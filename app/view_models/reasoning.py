"""The Reasoning page in tables: traces and catalogues in, DataFrames and strings out."""

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd

from app.view_models.tree import (
    KINDS,
    Focus,
    node_fate,
    node_kind,
    path_key,
    percent,
)
from reg4rec_core import (
    HISTORY_LENGTH,
    UNKNOWN,
    Catalog,
    CodeCard,
    DecodeConfig,
    Facets,
    FoundUser,
    Interactions,
    ReasoningTrace,
    TransitionSource,
    count_fates,
    explain_item,
    facet_letter,
    score_parts,
    search_document,
    was_checked,
)

CHOICES = ("fold", "show", "above", "smallest")
"""Controls of the page that its link keeps beside the search."""
INTRODUCTION = (
    "For one shopper the model spells out its recommendations code by code. Each column of the tree is one more code; "
    "a branch is kept, out-scored, or pruned because it changed the model's idea of what kind of item comes next "
    "by more than θ."
)
OTHERS = "all others"
"""Categories that are not shown by name."""
NOT_IN_TREE = "The chosen path is not in this tree; this is the part of it that is. "
VISIBLE_SHIFT = 0.02
"""A Jensen-Shannon divergence that one sees in the bars, nats."""


def why(trace: ReasoningTrace, facets: Facets, focus: Focus, given: Collection[tuple[int, int]] = frozenset()) -> str:
    """Why the followed item stands where it stands; the first item when the followed path leads to none.

    Codes that are `given` by hand are not said to be chosen.
    """
    ranks = np.flatnonzero(trace.item_nodes == focus.rows[-1])
    if len(trace.items) == 0:
        return "Nothing is recommended: no path led to an item outside the history."
    return explain_item(trace, facets, int(ranks[0]) if len(ranks) else 0, given=given)


def weights_name(stage: str) -> str:
    """A training stage as an adjective of its weights: "pre-trained"."""
    return {"pretrained": "pre-trained", "post_trained": "post-trained"}.get(stage, stage)


def whose_search(stage: str, stages: Sequence[str]) -> str:
    """Which weights are shown, where there is a choice: the beginning of the explanation."""
    return f"With the {weights_name(stage)} weights: " if len(stages) > 1 else ""


@dataclass(frozen=True)
class Shift:
    """How far the belief moved at a node, against what CORP allows."""

    js: float
    theta: float
    verdict: str
    too_far: bool
    """Whether the step was checked and failed."""


def belief_shift(trace: ReasoningTrace, node: int) -> Shift:
    js, theta = float(trace.js[node]), trace.theta_at(max(int(trace.step[node]), 1))
    if np.isnan(js):
        return Shift(js, theta, "nothing to compare", False)
    if was_checked(trace, node):
        too_far = js > theta
        return Shift(js, theta, "too far: inconsistent" if too_far else "consistent", too_far)
    return Shift(js, theta, "not checked at this step" if trace.prunes else "checks are off", False)


def shift_document(shift: Shift) -> dict[str, Any]:
    """The same as plain JSON: null where nothing is compared or nothing is pruned."""
    return {
        "js": None if math.isnan(shift.js) else round(shift.js, 6),
        "theta": None if math.isinf(shift.theta) else round(shift.theta, 6),
        "verdict": shift.verdict,
        "too_far": shift.too_far,
    }


def node_facts(trace: ReasoningTrace, node: int) -> list[tuple[str, str]]:
    """The numbers of one node, as label and value."""
    parent = max(int(trace.parent[node]), 0)
    return [
        ("items left", f"{trace.items_left[parent]:,} → {trace.items_left[node]:,}"),
        ("score", f"{trace.score[node]:.2f}"),
        ("probability of the code", percent(trace.confidence[node])),
        ("of the path so far", percent(np.exp(trace.log_prob[node]))),
    ]


def node_reason(trace: ReasoningTrace, focus: Focus, *, given: int = 0) -> str:
    """Why the node met its fate; says so where the branch ended before the chosen step or left the tree."""
    reason = node_fate(trace, focus.node, given=given)
    if not focus.found:
        return NOT_IN_TREE + reason
    return branch_ended(int(trace.step[focus.node])) + reason if focus.ended else reason


def branch_ended(step: int) -> str:
    """Before the reason for the fate of a node that a path does not go on from."""
    return f"The branch ended at step {step}. "


def card_lines(card: CodeCard) -> list[tuple[str, str]]:
    """What a code stands for, a kind of attribute a line: "words", "nail 82 %, polish 45 %"."""
    kinds = (("categories", card.categories), ("brands", card.brands), ("words", card.words))
    texts = [", ".join(f"{a.name} {a.share:.0%}" for a in attributes[:4]) for _, attributes in kinds]
    return [(name, text or "none stands out") for (name, _), text in zip(kinds, texts, strict=True)]


def recommendations(
    trace: ReasoningTrace, facets: Facets, target: int, sources: Sequence[Sequence[TransitionSource]]
) -> list[dict]:
    """The final list, best first; every entry with the codes of its path, and what its score is made of."""
    return [
        _recommendation(trace, facets, target, rank) | _score(trace, facets.catalog, rank, sources[rank])
        for rank in range(len(trace.items))
    ]


def _score(trace: ReasoningTrace, catalog: Catalog, rank: int, sources: Sequence[TransitionSource]) -> dict:
    parts = score_parts(trace, rank)
    counted = [("bought next", parts.transitions)] if trace.item_evidence.any() else []  # older runs count nothing
    shown = [("learnt", parts.learnt), *counted, ("reasoning", parts.reasoning)]
    told = [f"“{catalog.titles[source.item]}” ({source.share:.0%})" for source in sources[:3]]
    return {
        "score": f"{trace.item_scores[rank]:.2f}",
        "parts": [{"name": name, "value": f"{value:+.2f}".replace("-", "−")} for name, value in shown],
        "sources": f"other shoppers bought it soon after {', '.join(told)}" if told else "no shopper's history tells",
    }


def _recommendation(trace: ReasoningTrace, facets: Facets, target: int, rank: int) -> dict:
    item, leaf = int(trace.items[rank]), int(trace.item_nodes[rank])
    catalog = facets.catalog
    path = trace.path(leaf)[1:] if leaf >= 0 else []
    return {
        "rank": rank + 1,
        "title": catalog.titles[item],
        "brand": known(catalog.brands[item]),
        "category": short_category(catalog.category_names[catalog.categories[item]]),
        "hit": item == target,
        "end": leaf,
        "path": path_key(trace, leaf) if leaf >= 0 else "",
        "codes": [_chip(trace, facets, row) for row in path],
    }


def _chip(trace: ReasoningTrace, facets: Facets, row: int) -> dict:
    codebook, code = int(trace.codebook[row]), int(trace.code[row])
    left, before = int(trace.items_left[row]), int(trace.items_left[trace.parent[row]])
    return {
        "facet": facet_letter(codebook),
        "name": facets.name(codebook, code),
        "decides": left < before,
        "detail": f"step {trace.step[row]}: code {code}, {before:,} → {left:,} items, {KINDS[node_kind(trace, row)]}",
    }


def history_cards(catalog: Catalog, interactions: Interactions, user: int, length: int) -> pd.DataFrame:
    """What the model sees of a user's first `length` purchases: the newest of them, oldest first."""
    start = max(0, length - HISTORY_LENGTH)
    items = interactions.sequence(user)[start:length]
    return pd.DataFrame(
        {
            "title": [catalog.titles[item] for item in items],
            "brand": [known(catalog.brands[item]) for item in items],
            "category": [short_category(catalog.category_names[catalog.categories[item]]) for item in items],
            "date": [date_text(stamp) for stamp in interactions.times(user)[start:length]],
        }
    )


def target_title(catalog: Catalog, target: int) -> str:
    return catalog.titles[target] if target > 0 else "?"


def outcome(trace: ReasoningTrace, target: int) -> str:
    """What became of the prediction, where the truth is known."""
    if target < 0:
        return "What comes next is not known."
    ranks = np.flatnonzero(trace.items == target)
    if len(ranks):
        return f"Hit: number {ranks[0] + 1} of {len(trace.items)}."
    return f"Missed: not in the top {len(trace.items)}."


def telling_score(trace: ReasoningTrace, target: int) -> float:
    """How much a search has to show a newcomer: a hit on a path that moved the belief, prunings, no last resorts."""
    counts = count_fates(trace)
    ranks = np.flatnonzero(trace.items == target) if target > 0 else np.zeros(0, np.int64)
    hit = 4 / (1 + ranks[0]) if len(ranks) else 0.0
    moved = 1.0 if len(ranks) and _moved_belief(trace, int(trace.item_nodes[ranks[0]])) else 0.0
    return (
        hit + moved + min(counts["pruned"], 4) / 4 + min(counts["regenerated"], 2) / 2 - min(counts["fallback"], 4) / 8
    )


def is_telling(trace: ReasoningTrace, target: int) -> bool:
    """Whether a search has everything: a hit among the first three on a path that moved the belief, and prunings."""
    counts = count_fates(trace)
    if target <= 0 or target not in trace.items[:3] or counts["pruned"] < 2 or counts["regenerated"] < 1:
        return False
    return _moved_belief(trace, int(trace.item_nodes[np.flatnonzero(trace.items == target)[0]]))


def _moved_belief(trace: ReasoningTrace, leaf: int) -> bool:
    """Whether a checked step of the path moved the belief visibly."""
    return leaf >= 0 and any(was_checked(trace, row) and trace.js[row] >= VISIBLE_SHIFT for row in trace.path(leaf))


def trace_json(catalog: Catalog, trace: ReasoningTrace, asked: Mapping[str, str] | None = None) -> str:
    """The list and the tree as the command line prints them; what is infinite or not a number reads null.

    `asked` is what was changed by hand, by its names in the URL.
    """
    document = search_document(catalog, trace, asked)
    document["theta"] = document["theta"] if np.isfinite(document["theta"]) else None
    for node in document["trace"]["nodes"]:
        node["js"] = node["js"] if np.isfinite(node["js"]) else None
    return json.dumps(document, allow_nan=False, ensure_ascii=False)


def found_users(users: list[FoundUser], catalog: Catalog, interactions: Interactions) -> pd.DataFrame:
    """Search results: the id, how much the user bought, and what made the search find them."""
    lengths = np.diff(interactions.offsets)
    return pd.DataFrame(
        {
            "user": [interactions.user_keys[found.user] for found in users],
            "purchases": [int(lengths[found.user]) for found in users],
            "bought": [
                catalog.titles[found.item if found.item >= 0 else interactions.sequence(found.user)[-1]]
                for found in users
            ],
        }
    )


def link_state(decode: DecodeConfig, focus: Focus, trace: ReasoningTrace) -> dict[str, str]:
    """The choices of the page that a link has to spell out, by their names in the URL."""
    off = np.isinf([decode.theta, *decode.thetas]).all()
    return {
        "theta": "" if off or decode.thetas else f"{decode.theta:g}",
        "check_from": str(decode.check_from),
        "corp": "false" if off else "true",
        "beam": str(decode.beam_width),
        "step": str(focus.step),
        "path": path_key(trace, focus.rows[-1]),
    }


def permalink(address: str, state: dict[str, str]) -> str:
    """A link that restores the view: every choice spelt out, so that later defaults cannot change it."""
    return f"{address.split('?')[0]}?{urlencode({key: value for key, value in state.items() if value != ''})}"


def file_name(what: dict[str, str]) -> str:
    """What a search is saved as: run, weights, user and moment."""
    return f"search-{'-'.join(what.values())}.json"


def footer(name: str, weights: str, settings: dict, *, run_id: str = "", sample: str = "") -> str:
    """Where the numbers come from: run, weights, package, revision, data, and how a sample was drawn."""
    whose = f"Run {name}, {weights_name(weights)} weights" if weights else f"Run {name}"
    made_by = f"reg4rec {settings.get('package_version', UNKNOWN)}, revision {settings.get('git_revision', UNKNOWN)}"
    parts = [whose, f"made by {made_by}", f"data {settings.get('data_checksum', UNKNOWN)[:12]}"]
    parts += [f"run id {run_id[:12]}"] if run_id else []
    return " · ".join([*parts, sample] if sample else parts)


def sentence(message: str) -> str:
    """An error message as a sentence: capital letter first, full stop last."""
    message = message.strip()
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "?", "!")) else ".")


def plain_markdown(text: str) -> str:
    """A text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|<>~$:-])", r"\\\1", text)


def short_category(name: str) -> str:
    """The last two levels of a category path."""
    return " › ".join(part.strip() for part in name.split(">")[-2:])


def known(text: str) -> str:
    return "" if text == UNKNOWN else text


def date_text(stamp: int) -> str:
    return datetime.fromtimestamp(int(stamp), tz=UTC).strftime("%-d %b %Y") if stamp >= 0 else "date unknown"
