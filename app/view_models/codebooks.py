"""The Codebooks page in tables: what the codes say about the experts in, DataFrames and strings out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.view_models.reasoning import known, short_category
from reg4rec_core import (
    Agreement,
    CodebookMaps,
    CodebookReport,
    CodeCard,
    Facets,
    InputError,
    ItemAttribute,
    Layout,
    Likeness,
    facet_letter,
)

INTRODUCTION = (
    "Every expert facet describes an item by one code of its own. Here is what each facet tells of the items, "
    "how evenly it uses its codes, and whether the facets say different things or copy each other."
)
AGREEMENT_NOTE = (
    "Normalised mutual information of a facet's codes with an attribute, less what shuffled items reach: many codes "
    "agree with anything a little. The tokenizer reads titles, brands and categories, so telling these is partly by "
    "construction. Attributes of many values can reach higher numbers; point at a cell for its share of the attribute."
)
UMAP_HELP = (
    "May take minutes for 12,000 items, once a run: the map is kept beside it. "
    "Until then the map shows the two principal components."
)
COPIES, OVERLAP = 0.5, 0.2
"""Shared information from which two facets are said to copy each other, or to overlap."""
LISTED_CODES = 200
LISTED_POINTS = 500
FLOW_VALUES = 7
"""Categories shown by name in the flow; the others are summed."""
GROUPS = 7
"""Values of an attribute that have a colour of their own on the map."""
OTHERS, NOT_KNOWN = "all others", "unknown"
LOAD = "items a code carries"
LOAD_GROUPS = ("no item", "under half an even share", "about an even share", "over 1.5 even shares", "overloaded")
LOAD_EDGES = (0.5, 1.5)
POINTS = ("codes", "items")
"""What a map may show: the codes of the facet, or all items."""


def facet_names(report: CodebookReport) -> list[str]:
    return [facet_letter(codebook) for codebook in range(report.ids.n_codebooks)]


def experts(report: CodebookReport) -> pd.DataFrame:
    """A facet a line, ready to read."""
    codebooks = range(report.ids.n_codebooks)
    best = [most_told(report, codebook) for codebook in codebooks]
    table = pd.DataFrame(
        {
            "facet": facet_names(report),
            "tells most of": [name for name, _ in best],
            "beyond chance": [value for _, value in best],
            "codes in use": [f"{(report.loads[m] > 0).sum():,} of {report.ids.codebook_size:,}" for m in codebooks],
            "dead": [f"{len(report.dead(m)):,}" for m in codebooks],
            "overloaded": [f"{len(report.overloaded(m)):,}" for m in codebooks],
            "effectively in use": [f"{value:.0f}" for value in report.perplexity],
            "largest code": [f"{report.loads[m].max():,} items" for m in codebooks],
        }
    )
    if len(report.gate_means) == report.ids.n_codebooks:
        table["mean gate weight"] = [f"{weight:.1%}" for weight in report.gate_means]
    return table


NUMBERS = (
    "codes in use",
    "dead",
    "overloaded",
    "effectively in use",
    "largest code",
    "beyond chance",
    "mean gate weight",
)
"""Columns of `experts` that are set flush right."""


def most_told(report: CodebookReport, codebook: int) -> tuple[str, str]:
    """The attribute that a facet agrees with most, and by how much; dashes where there is none."""
    if not report.agreements:
        return "–", "–"
    best = max(report.agreements, key=lambda agreement: agreement.adjusted[codebook])
    return best.attribute.name, f"{best.adjusted[codebook]:.2f}"


def gate_note(report: CodebookReport) -> str:
    """What the run knows of the gate."""
    if report.gate_means:
        return (
            "The mean gate weight was noted when the codes were fitted. This run does not store gate weights item by "
            "item, nor the gate itself."
        )
    return "This run does not store gate weights."


def verdict(report: CodebookReport) -> str:
    """Whether the experts specialise or copy each other, in two sentences."""
    return " ".join(text for text in (_who_copies(report.likenesses[0]), _who_tells_what(report)) if text)


def _who_copies(likeness: Likeness) -> str:
    count = len(likeness.matrix)
    if count < 2:
        return "There is a single facet, so there is nothing to compare it with."
    rows, columns = np.triu_indices(count, k=1)
    shared = likeness.matrix[rows, columns]
    top = int(shared.argmax())
    pair = f"{facet_letter(int(rows[top]))} and {facet_letter(int(columns[top]))}"
    if shared[top] >= COPIES:
        said = f"Facets {pair} nearly copy each other"
    elif shared[top] >= OVERLAP:
        said = f"Facets {pair} overlap"
    else:
        said = f"The facets say mostly different things; {pair} are the most alike"
    return (
        f"{said}: they share {shared[top]:.2f} of their information beyond chance (1 would be a copy), "
        f"the average pair {shared.mean():.2f}."
    )


def _who_tells_what(report: CodebookReport) -> str:
    """Which facet is best at each attribute; what no facet tells beyond chance is said too."""
    best: dict[str, list[str]] = {}
    for agreement in report.agreements:
        top = int(agreement.adjusted.argmax())
        who = facet_letter(top) if agreement.adjusted[top] >= 0.01 else ""
        best.setdefault(who, []).append(agreement.attribute.name)
    told = [f"facet {who} tells {listed(names)} best" for who, names in sorted(best.items()) if who]
    if "" in best:
        told.append(f"no facet tells {listed(best[''], last='or')} beyond chance")
    sentence = "; ".join(told)
    return sentence[:1].upper() + sentence[1:] + "." if sentence else ""


def listed(names: Sequence[str], *, last: str = "and") -> str:
    """Names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


@dataclass(frozen=True)
class Matrix:
    """A heat map: what stands in its cells, and what a cell says when one points at it."""

    values: pd.DataFrame
    """NaN where nothing is drawn."""
    details: pd.DataFrame
    summary: str
    """The whole in a sentence, for those who cannot see it."""


def agreement_matrix(report: CodebookReport) -> Matrix:
    """Attributes by facets: normalised mutual information beyond chance."""
    names = [_attribute_name(agreement.attribute) for agreement in report.agreements]
    facets = facet_names(report)
    adjusted = np.array([agreement.adjusted for agreement in report.agreements]).reshape(len(names), len(facets))
    details = [[_cell(agreement, m) for m in range(len(facets))] for agreement in report.agreements]
    summary = "What each facet tells beyond chance. " + _who_tells_what(report)
    return Matrix(
        pd.DataFrame(adjusted, index=names, columns=facets),
        pd.DataFrame(details, index=names, columns=facets),
        summary.strip(),
    )


def _cell(agreement: Agreement, codebook: int) -> str:
    """One number of the heat map in full, a line a fact."""
    attribute, told = agreement.attribute, max(agreement.told[codebook], 0)
    lines = (
        f"facet {facet_letter(codebook)}, {attribute.name}",
        f"beyond chance {agreement.adjusted[codebook]:.3f} "
        f"(raw {agreement.raw[codebook]:.3f}, shuffled {agreement.chance[codebook]:.3f})",
        f"the code tells {told:.0%} of what there is to know",
        f"known of {attribute.n_known:,} items, {len(attribute.labels):,} values",
        attribute.note,
    )
    return "\n".join(lines)


def _attribute_name(attribute: ItemAttribute) -> str:
    return attribute.name if attribute.is_input else f"{attribute.name} (not an input)"


def likeness_names(report: CodebookReport) -> list[str]:
    return [likeness.name for likeness in report.likenesses]


def chosen_likeness(report: CodebookReport, name: str) -> Likeness:
    """The measure of that name, the first for any other."""
    return next((likeness for likeness in report.likenesses if likeness.name == name), report.likenesses[0])


def likeness_matrix(likeness: Likeness) -> Matrix:
    """Facets by facets; a facet is not compared with itself."""
    facets = [facet_letter(codebook) for codebook in range(len(likeness.matrix))]
    values = likeness.matrix.copy()
    np.fill_diagonal(values, np.nan)
    details = [
        [f"facets {a} and {b}: {likeness.matrix[i, j]:.3f}" for j, b in enumerate(facets)] for i, a in enumerate(facets)
    ]
    pairs = values[np.triu_indices(len(values), k=1)]
    spread = f"from {pairs.min():.2f} to {pairs.max():.2f}" if len(pairs) else "with a single facet"
    return Matrix(
        pd.DataFrame(values, index=facets, columns=facets),
        pd.DataFrame(details, index=facets, columns=facets),
        f"How alike the facets are pair by pair, {likeness.name}: {spread}.",
    )


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
class PointMap:
    """Points to draw, in an order that never changes, and what their colours mean."""

    points: pd.DataFrame
    """x, y, group, name, detail; one row a code or an item."""
    groups: tuple[str, ...]
    ordered: bool
    """Whether the groups rise from small to large."""
    note: str
    """How the points were laid out."""
    summary: str


def colourings(report: CodebookReport, what: str) -> list[str]:
    """What the map can be coloured by."""
    names = [agreement.attribute.name for agreement in report.agreements]
    return names if what == "items" else [*names, LOAD]


def point_map(
    report: CodebookReport, facets: Facets, maps: CodebookMaps, *, what: str, codebook: int, colour: str
) -> PointMap:
    """The codes of a facet, or all items, on a plane."""
    layout = maps.items if what == "items" else maps.codebooks[codebook]
    attribute = next((a.attribute for a in report.agreements if a.attribute.name == colour), None)
    if attribute is None:
        named, groups, ordered = _load_groups(report, codebook), LOAD_GROUPS, True
        if what == "items":
            named, groups, ordered = ["all items"] * len(layout.points), ("all items",), False
    elif what == "items":
        named, groups, ordered = *_grouped(attribute, attribute.values[1:]), attribute.ordered
    else:
        named, groups, ordered = *_grouped(attribute, _code_values(report, attribute, codebook)), attribute.ordered
    table = pd.DataFrame(
        {
            "x": layout.points[:, 0].round(4),
            "y": layout.points[:, 1].round(4),
            "group": named,
            **_point_names(report, facets, what, codebook),
        }
    )
    subject = "all items" if what == "items" else f"the codes of facet {facet_letter(codebook)}"
    summary = f"Map of {subject}: {len(table):,} points, coloured by {colour}."
    return PointMap(table, groups, ordered, _layout_note(layout), summary)


def _layout_note(layout: Layout) -> str:
    reason = f" {layout.reason}." if layout.reason else ""
    return f"Laid out by {layout.method}: nearness means likeness of codewords, the axes mean nothing.{reason}"


def _point_names(report: CodebookReport, facets: Facets, what: str, codebook: int) -> dict[str, list[str]]:
    if what == "items":
        catalog = facets.catalog
        return {
            "name": [_cut(title) for title in catalog.titles[1:]],
            "detail": [short_category(catalog.category_names[c]) for c in catalog.categories[1:]],
        }
    size = report.ids.codebook_size
    return {
        "name": [f"{code}: {facets.name(codebook, code)}" for code in range(size)],
        "detail": [f"{load:,} items" for load in report.loads[codebook]],
    }


def _cut(title: str) -> str:
    return title if len(title) <= 70 else f"{title[:69].rstrip()}…"


def _code_values(report: CodebookReport, attribute: ItemAttribute, codebook: int) -> np.ndarray:
    """Per code: the value most of its items have, the middle one where values are ordered; -1 where none is known."""
    known_rows = attribute.values >= 0
    table = np.zeros((report.ids.codebook_size, len(attribute.labels)), np.int64)
    np.add.at(table, (report.ids.codes[known_rows, codebook], attribute.values[known_rows]), 1)
    totals = table.sum(1)
    values = (2 * table.cumsum(1) >= totals[:, None]).argmax(1) if attribute.ordered else table.argmax(1)
    return np.where(totals > 0, values, -1)


def _grouped(attribute: ItemAttribute, values: np.ndarray) -> tuple[list[str], tuple[str, ...]]:
    """Values as groups that have a colour: the frequent ones by name, the others together, the unknown last."""
    shown = len(attribute.labels) if attribute.ordered or len(attribute.labels) <= GROUPS + 1 else GROUPS
    labels = attribute.labels[:shown]
    named = [labels[v] if 0 <= v < shown else NOT_KNOWN if v < 0 else OTHERS for v in values.tolist()]
    extra = [name for name in (OTHERS, NOT_KNOWN) if name in named]
    return named, (*labels, *extra)


def _load_groups(report: CodebookReport, codebook: int) -> list[str]:
    heavy = set(report.overloaded(codebook).tolist())
    shares = report.loads[codebook] / report.even_load
    low, high = LOAD_EDGES
    return [
        LOAD_GROUPS[0 if share == 0 else 4 if code in heavy else 1 if share < low else 2 if share <= high else 3]
        for code, share in enumerate(shares)
    ]


def selected_rows(selected: Sequence[dict], count: int) -> list[int]:
    """Which points a lasso holds; indices of points that are not there any more are left out."""
    rows = {int(index) for group in selected for index in group.get("data_indices", ()) if 0 <= int(index) < count}
    return sorted(rows)


@dataclass(frozen=True)
class Selection:
    """What a lasso holds."""

    summary: str
    rows: pd.DataFrame


def selection(
    drawn: PointMap, report: CodebookReport, facets: Facets, rows: list[int], *, what: str, codebook: int
) -> Selection:
    """The points inside the lasso as a table, and how their colours differ from the rest."""
    total = len(drawn.points)
    if not rows:
        return Selection(
            "Choose the lasso or the box at the top left of the map and drag it around some points to list them here; "
            "the third tool lets them go.",
            pd.DataFrame(),
        )
    inside, everywhere = drawn.points["group"].iloc[rows].value_counts(), drawn.points["group"].value_counts()
    leading = str(inside.index[0])
    share, usual = inside.iloc[0] / len(rows), everywhere[leading] / total
    listed_rows = rows[:LISTED_POINTS]
    cut = f" The first {LISTED_POINTS} are listed." if len(rows) > LISTED_POINTS else ""
    summary = (
        f"{len(rows):,} of {total:,} {what}; {share:.0%} of them “{leading}”, "
        f"against {usual:.0%} on the whole map.{cut}"
    )
    return Selection(summary, _selected_table(report, facets, listed_rows, what=what, codebook=codebook))


def _selected_table(
    report: CodebookReport, facets: Facets, rows: list[int], *, what: str, codebook: int
) -> pd.DataFrame:
    catalog = facets.catalog
    if what == "items":
        items = [row + 1 for row in rows]
        return pd.DataFrame(
            {
                "item": [_cut(catalog.titles[item]) for item in items],
                "brand": [known(catalog.brands[item]) for item in items],
                "category": [short_category(catalog.category_names[catalog.categories[item]]) for item in items],
            }
        )
    return pd.DataFrame(
        {
            "code": [str(code) for code in rows],
            "stands for": [facets.name(codebook, code) for code in rows],
            "items": [f"{report.loads[codebook, code]:,}" for code in rows],
        }
    )


def collision_summary(report: CodebookReport) -> str:
    """How many items cannot be told apart by their codes."""
    if not report.collisions:
        return "No two items share all their codes: every item can be told from every other."
    items = sum(len(group) for group in report.collisions)
    share = items / (report.ids.n_items - 1)
    return (
        f"{items:,} items in {len(report.collisions):,} groups ({share:.2%} of the catalogue) share all their codes: "
        "a path leads to all of a group at once, and a stated rule orders them."
    )


def collision_rows(report: CodebookReport, facets: Facets) -> pd.DataFrame:
    """An item a line, groups together."""
    catalog = facets.catalog
    pairs = [(number, int(item)) for number, group in enumerate(report.collisions, 1) for item in group]
    pairs = pairs[:LISTED_POINTS]
    return pd.DataFrame(
        {
            "group": [str(number) for number, _ in pairs],
            "item": [_cut(catalog.titles[item]) for _, item in pairs],
            "brand": [known(catalog.brands[item]) for _, item in pairs],
            "category": [short_category(catalog.category_names[catalog.categories[item]]) for _, item in pairs],
        }
    )


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


def url_choices(state: dict[str, str]) -> dict[str, str]:
    """What else of the page a link has to say: the choices in the address bar that this page knows."""
    return {name: state[name] for name in ("code", "alike", "points", "colour", "find") if state.get(name)}


def report_json(report: CodebookReport) -> str:
    """Every number of the page that belongs to the run and not to a choice."""
    document = {
        "facets": [
            {
                "facet": facet_letter(m),
                "codes": report.ids.codebook_size,
                "dead_codes": report.dead(m).tolist(),
                "overloaded_codes": report.overloaded(m).tolist(),
                "perplexity": round(float(report.perplexity[m]), 3),
                "loads": report.loads[m].tolist(),
            }
            for m in range(report.ids.n_codebooks)
        ],
        "agreements": [
            {
                "attribute": a.attribute.name,
                "is_input": a.attribute.is_input,
                "items_known": a.attribute.n_known,
                "values": len(a.attribute.labels),
                **{name: np.round(getattr(a, name), 4).tolist() for name in ("raw", "chance", "adjusted", "told")},
            }
            for a in report.agreements
        ],
        "likenesses": [
            {"name": entry.name, "note": entry.note, "matrix": np.round(entry.matrix, 4).tolist()}
            for entry in report.likenesses
        ],
        "collisions": [group.tolist() for group in report.collisions],
        "gate_means": list(report.gate_means),
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False)
