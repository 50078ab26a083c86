"""Items that share all their codes."""

import pandas as pd

from app.view_models.codebooks.maps import LISTED_POINTS, cut_title
from app.view_models.reasoning import known, short_category
from reg4rec_core import CodebookReport, Facets


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
            "item": [cut_title(catalog.titles[item]) for _, item in pairs],
            "brand": [known(catalog.brands[item]) for _, item in pairs],
            "category": [short_category(catalog.category_names[catalog.categories[item]]) for _, item in pairs],
        }
    )
