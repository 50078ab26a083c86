"""Looking things up in the catalogue: items to put into a history, categories and brands to steer by."""

from collections import Counter

import numpy as np
import pandas as pd

from app.view_models.reasoning import known, short_category
from reg4rec_core import UNKNOWN, Catalog, Facets

MAX_ROWS = 200
"""Rows shown at once; a longer list is searched, not scrolled."""


def found_items(facets: Facets, query: str) -> pd.DataFrame:
    """Items whose title or brand has all words of the query, the most bought first; column `item` is its row."""
    catalog, words = facets.catalog, query.lower().split()
    items = [item for item in np.argsort(-facets.popularity, kind="stable").tolist() if item > 0]
    found = [item for item in items if _has(words, f"{catalog.titles[item]} {catalog.brands[item]}")][:MAX_ROWS]
    return pd.DataFrame(
        {
            "item": found,
            "title": [catalog.titles[item] for item in found],
            "brand": [known(catalog.brands[item]) for item in found],
            "category": [short_category(catalog.category_names[catalog.categories[item]]) for item in found],
        }
    )


def found_groups(catalog: Catalog, query: str) -> pd.DataFrame:
    """Categories and brands whose name has all words of the query, the largest first; `name` is as the run knows it.

    A category counts what lies below it; one that holds the whole catalogue steers nothing and is left out.
    """
    words = query.lower().split()
    sizes: Counter[str] = Counter()
    for name, count in zip(catalog.category_names, _items_of(catalog), strict=True):
        levels = name.split(" > ")
        sizes.update({" > ".join(levels[:depth]): count for depth in range(1, len(levels) + 1) if count})
    rows = [("category", name, count) for name, count in sizes.items() if count < catalog.n_items - 1]
    rows += [("brand", name, count) for name, count in Counter(catalog.brands[1:]).items() if name]
    rows = sorted((row for row in rows if _has(words, f"{row[0]} {row[1]}")), key=lambda row: (-row[2], row[:2]))
    shown = [(kind, name, f"unknown {kind}" if name == UNKNOWN else name, n) for kind, name, n in rows[:MAX_ROWS]]
    return pd.DataFrame(shown, columns=["kind", "name", "called", "items"])


def _items_of(catalog: Catalog) -> list[int]:
    """How many items each category has by itself."""
    return np.bincount(catalog.categories[1:], minlength=catalog.n_categories).tolist()


def _has(words: list[str], text: str) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in words)
