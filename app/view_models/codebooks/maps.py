"""Codes or items as points on a plane, their colours, and what a lasso around some of them holds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.view_models.links import page_link
from app.view_models.reasoning import known, short_category
from reg4rec_core import CodebookMaps, CodebookReport, Cohort, Facets, ItemAttribute, Layout, PathCodes, facet_letter

UMAP_HELP = (
    "May take minutes for 12,000 items, once a run: the map is kept beside it. "
    "Until then the map shows the two principal components."
)
LISTED_POINTS = 500
GROUPS = 7
"""Values of an attribute that have a colour of their own on the map."""
OTHERS, NOT_KNOWN = "all others", "unknown"
LOAD = "items a code carries"
LOAD_GROUPS = ("no item", "under half an even share", "about an even share", "over 1.5 even shares", "overloaded")
LOAD_EDGES = (0.5, 1.5)
POINTS = ("codes", "items")
"""What a map may show: the codes of the facet, or all items."""


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
        named, groups, ordered = *grouped(attribute, attribute.values[1:]), attribute.ordered
    else:
        named, groups, ordered = *grouped(attribute, _code_values(report, attribute, codebook)), attribute.ordered
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
            "name": [cut_title(title) for title in catalog.titles[1:]],
            "detail": [short_category(catalog.category_names[c]) for c in catalog.categories[1:]],
        }
    size = report.ids.codebook_size
    return {
        "name": [f"{code}: {facets.name(codebook, code)}" for code in range(size)],
        "detail": [f"{load:,} items" for load in report.loads[codebook]],
    }


def cut_title(title: str) -> str:
    return title if len(title) <= 70 else f"{title[:69].rstrip()}…"


def _code_values(report: CodebookReport, attribute: ItemAttribute, codebook: int) -> np.ndarray:
    """Per code: the value most of its items have, the middle one where values are ordered; -1 where none is known."""
    known_rows = attribute.values >= 0
    table = np.zeros((report.ids.codebook_size, len(attribute.labels)), np.int64)
    np.add.at(table, (report.ids.codes[known_rows, codebook], attribute.values[known_rows]), 1)
    totals = table.sum(1)
    values = (2 * table.cumsum(1) >= totals[:, None]).argmax(1) if attribute.ordered else table.argmax(1)
    return np.where(totals > 0, values, -1)


def grouped(attribute: ItemAttribute, values: np.ndarray) -> tuple[list[str], tuple[str, ...]]:
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
                "item": [cut_title(catalog.titles[item]) for item in items],
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


def users_link(address: str, run: str, codebook: int, codes: Sequence[int]) -> tuple[str, str]:
    """What the link to the users whose paths use some codes is called, and where it leads."""
    cohort = Cohort(codes=PathCodes(codebook, tuple(sorted(set(codes))))).to_text()
    said = "Users whose paths use this code" if len(codes) == 1 else f"Users whose paths use these {len(codes):,} codes"
    return said, page_link(address, "cohorts", {"run": run, "cohort": cohort})
