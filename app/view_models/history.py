"""The history in tables: what each purchase speaks for, what was edited, and what the edit changed in the list."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.view_models.reasoning import known, short_category
from app.view_models.tree import Focus
from reg4rec_core import HISTORY_LENGTH, Attribution, Catalog, Edit, ReasoningTrace, SmallestEdit, TraceComparison

EDITED = "edited in"
"""Stands for the date of an item that was never bought."""
NO_INFLUENCE = 0.005
"""Below this a number reads 0.00, nats."""


def edited_cards(cards: pd.DataFrame, edits: Sequence[Edit], catalog: Catalog, *, length: int) -> pd.DataFrame:
    """The cards after the edits, at most the newest `length`; purchases keep their dates, whatever moved."""
    rows = cards.to_dict("records")
    for edit in edits:
        if edit.kind == "append":
            rows.append(_new_card(catalog, edit.value))
        elif edit.kind == "replace":
            rows[edit.place - 1] = _new_card(catalog, edit.value)
        else:
            row = rows.pop(edit.place - 1)
            if edit.kind == "move":
                rows.insert(edit.value - 1, row)
    return pd.DataFrame(rows[-length:], columns=cards.columns)


def first_place(bought: int, edits: Sequence[Edit]) -> int:
    """The place, from 1, of the oldest purchase that the model still sees: appended ones push the oldest out."""
    kinds = [edit.kind for edit in edits]
    length = min(bought, HISTORY_LENGTH) + kinds.count("append") - kinds.count("remove")
    return 1 + max(0, length - HISTORY_LENGTH)


def _new_card(catalog: Catalog, item: int) -> dict[str, str]:
    category = short_category(catalog.category_names[catalog.categories[item]])
    return {"title": catalog.titles[item], "brand": known(catalog.brands[item]), "category": category, "date": EDITED}


def followed_rank(trace: ReasoningTrace, focus: Focus) -> int:
    """The place in the list, from 0, of the item that the followed path leads to; the first where it leads to none."""
    ranks = np.flatnonzero(trace.item_nodes == focus.rows[-1])
    return int(ranks[0]) if len(ranks) else 0


def with_influence(cards: pd.DataFrame, attribution: Attribution, rank: int) -> pd.DataFrame:
    """The cards with what each purchase adds to the item at `rank`: nats, its share of the largest, and words.

    Nothing where the item has no path of its own, or nothing is recommended.
    """
    if len(attribution.items) == 0 or np.isnan(attribution.influence[:, rank]).any():
        return cards
    values = attribution.influence[:, rank]
    largest = max(float(np.abs(values).max()), NO_INFLUENCE)
    return cards.assign(influence=values, share=values / largest, said=[influence_text(float(v)) for v in values])


def influence_text(value: float) -> str:
    """An influence in words."""
    if abs(value) < NO_INFLUENCE:
        return "hardly matters, 0.00 nats"
    return f"speaks {'for' if value > 0 else 'against'} it, {value:+.2f} nats"


def influence_note(trace: ReasoningTrace, catalog: Catalog, rank: int) -> str:
    """What the bars under the cards mean."""
    if len(trace.items) == 0:
        return "Nothing is recommended, so nothing speaks for it."
    title = catalog.titles[trace.items[rank]]
    if trace.item_nodes[rank] < 0:
        return f"“{title}” has no path of its own, so no purchase can be said to speak for it."
    return (
        f"Bars: what “{title}” (number {rank + 1}) loses in log-probability along its path when the purchase is left "
        "out, in nats; to the right it speaks for the item, to the left against it."
    )


def purchase_names(cards: pd.DataFrame) -> list[str]:
    """The purchases as options: place, influence where it is known (a long title must not hide it), and title."""
    values = [f" · {value:+.2f} nats" for value in cards["influence"]] if "influence" in cards else [""] * len(cards)
    names = zip(range(1, len(cards) + 1), values, cards["title"], strict=True)
    return [f"{place}{value} · {title}" for place, value, title in names]


def edit_banner(edits: Sequence[Edit]) -> str:
    """What was done to the history, in a sentence."""
    verbs = {"remove": "removed", "replace": "replaced", "move": "moved", "append": "added"}
    counts = {kind: sum(edit.kind == kind for edit in edits) for kind in verbs}
    parts = [f"{n} item{'s' if n > 1 else ''} {verbs[kind]}" for kind, n in counts.items() if n]
    return f"Edited history: {', '.join(parts)}. This is what the model would have said; nobody bought like this."


def smallest_edit_text(edit: SmallestEdit, titles: Sequence[str], catalog: Catalog) -> str:
    """Which purchases a recommendation rests on, and how sure it is that no fewer do."""
    item, searches = f"“{catalog.titles[edit.item]}”", f"{edit.searches:,} searches"
    if not edit.found:
        tried = "every single purchase, every pair" if edit.smallest else "single purchases, some pairs"
        return f"{item} stays in the list whatever was left out: {tried} and growing sets were tried in {searches}."
    without = " and ".join(f"“{title}”" for title in titles)
    if len(titles) == 1:
        sure = "No smaller edit exists"
    elif edit.smallest:
        sure = "Every smaller set of purchases was tried and leaves it in"
    else:
        sure = "Found by adding purchase after purchase, the most influential first; a smaller set may exist"
    return f"Without {without}, {item} is not recommended any more. {sure} ({searches})."


def removals(places: Sequence[int]) -> list[Edit]:
    """Leave purchases out by their places, the newest first so that the places of the others hold."""
    return [Edit("remove", place, 0) for place in sorted(places, reverse=True)]


def removals_label(places: Sequence[int]) -> str:
    """What the button says that leaves them out; "" where there are none."""
    if not places:
        return ""
    return "Leave it out" if len(places) == 1 else f"Leave these {len(places)} out"


@dataclass(frozen=True)
class Changes:
    """How an edit changed the list."""

    summary: str
    rows: pd.DataFrame
    """item, before, after: places, "–" where the item is not in the list."""


def changes(comparison: TraceComparison, catalog: Catalog) -> Changes:
    """What entered, left and moved, in this order, and how far the trees and the first belief agree."""
    moves = [("▲", "entered", comparison.entered), ("▼", "left", comparison.left), ("↕", "moved", comparison.moved)]
    rows = [
        (f"{sign}\N{NO-BREAK SPACE}{name}", catalog.titles[move.item], str(move.before or "–"), str(move.after or "–"))
        for sign, name, group in moves
        for move in group
    ]
    counts = ", ".join(f"{len(group)} {name}" for _, name, group in moves)
    shared, whole = len(comparison.shared), len(comparison.shared) + len(comparison.only_before)
    summary = (
        f"Against the original list: {counts}. {shared} of the original tree's {whole} nodes are still there; "
        f"the first belief moved by js {comparison.belief_js:.3f}."
    )
    return Changes(summary, pd.DataFrame(rows, columns=["change", "item", "before", "after"]))
