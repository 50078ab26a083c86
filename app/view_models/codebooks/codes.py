"""The codes of one facet: how evenly they are used, what each stands for, and which categories they lead to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.view_models.codebooks.maps import OTHERS
from reg4rec_core import CodebookReport, CodeCard, Facets, InputError, facet_letter

LISTED_CODES = 200
FLOW_VALUES = 7
"""Categories shown by name in the flow; the others are summed."""


def health(report: CodebookReport, codebook: int) -> str:
    """How evenly a facet uses its codes, in words."""
    loads, size = report.loads[codebook], report.ids.codebook_size
    dead, heavy = report.dead(codebook), report.overloaded(codebook)
    used = f"uses all {size:,} codes" if not len(dead) else f"leaves {len(dead):,} of {size:,} codes unused"
    even = report.even_load
    crowded = "none carries" if not len(heavy) else "1 carries" if len(heavy) == 1 else f"{len(heavy):,} carry"
    return (
        f"Facet {facet_letter(codebook)} {used}, as evenly as {report.perplexity[codebook]:.0f} equal ones would be; "
        f"the largest carries {loads.max():,} items, {crowded} more than three times an even share ({even:.0f} items)."
    )


def load_rows(report: CodebookReport, facets: Facets, codebook: int) -> pd.DataFrame:
    """Codes from the largest to the smallest, with their names."""
    order = np.argsort(-report.loads[codebook], kind="stable")
    return pd.DataFrame(
        {
            "place": np.arange(1, len(order) + 1),
            "code": order,
            "name": [facets.name(codebook, int(code)) for code in order],
            "items": report.loads[codebook][order],
        }
    )


def code_rows(cards: Sequence[CodeCard], query: str) -> pd.DataFrame:
    """The codes whose card holds every word of the query, the largest first, at most `LISTED_CODES`."""
    words = query.lower().split()
    found = [card for card in cards if all(word in _card_text(card) for word in words)]
    found = sorted(found, key=lambda card: (-card.load, card.code))[:LISTED_CODES]
    return pd.DataFrame(
        {
            "code": [card.code for card in found],
            "stands for": [card.name for card in found],
            "items": [card.load for card in found],
            "words": [", ".join(word.name for word in card.words[:3]) for card in found],
        }
    )


def _card_text(card: CodeCard) -> str:
    names = [a.name for a in (*card.categories, *card.brands, *card.words)]
    return " ".join([str(card.code), card.name, *names]).lower()


def chosen_code(report: CodebookReport, codebook: int, asked: str) -> int:
    """The code that the URL asks for, the largest where it asks for none; InputError when there is no such code."""
    if not asked:
        return int(report.loads[codebook].argmax())
    size = report.ids.codebook_size
    if not (asked.isascii() and asked.isdigit() and len(asked) < 9 and int(asked) < size):
        raise InputError(
            f"code must be a number from 0 to {size - 1} for facet {facet_letter(codebook)}, got {asked[:40]!r}; "
            "choose one from the list"
        )
    return int(asked)


def card_heading(card: CodeCard, report: CodebookReport) -> str:
    """Code, load, and what to think of the load."""
    share = card.load / report.even_load
    if card.load == 0:
        return f"code {card.code} · dead: no item carries it"
    remark = " · overloaded" if card.code in report.overloaded(card.codebook) else ""
    return f"code {card.code} · {card.load:,} items carry it, {share:.1f} times an even share{remark}"


@dataclass(frozen=True)
class FlowRows:
    """From groups of codes to categories."""

    rows: pd.DataFrame
    """source, target, items; empty where the catalogue has no categories to tell apart."""
    summary: str


def flow_rows(report: CodebookReport, codebook: int) -> FlowRows:
    """Which top-level categories the items of each group of codes belong to, rare categories summed."""
    levels = [a.attribute for a in report.agreements if "category" in a.attribute.name]
    empty = pd.DataFrame({"source": [], "target": [], "items": []})
    if not levels:
        return FlowRows(empty, "The catalogue has no categories that differ, so there is nothing to flow to.")
    flow = report.flow(codebook, levels[0])
    shown = np.argsort(-flow.counts.sum(0), kind="stable")[:FLOW_VALUES].tolist()
    place = {value: flow.labels[value] for value in shown}
    codes: dict[str, int] = {}
    links: dict[tuple[str, str], int] = {}
    for group in range(len(flow.labels)):
        source = place.get(group, OTHERS)
        codes[source] = codes.get(source, 0) + int(flow.codes[group])
        for value in np.flatnonzero(flow.counts[group]).tolist():
            link = (source, place.get(value, OTHERS))
            links[link] = links.get(link, 0) + int(flow.counts[group, value])
    rows = [(f"{codes[s]:,} codes mostly {s}", t, items) for (s, t), items in links.items()]
    return FlowRows(
        pd.DataFrame(rows, columns=["source", "target", "items"]),
        f"In facet {facet_letter(codebook)}, {flow.purity:.0%} of the items have the {levels[0].name} that leads "
        "among the items of their code.",
    )
