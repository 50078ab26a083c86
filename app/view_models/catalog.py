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
    """Categories and brands whose name has all words of the query, the largest first; `name` is as the run knows it."""
    words = query.lower().split()
    counts = np.bincount(catalog.categories[1:], minlength=catalog.n_categories).tolist()
    rows = [("category", name, count) for name, count in zip(catalog.category_names, counts, strict=True) if count]
    rows += [("brand", name, count) for name, count in Counter(catalog.brands[1:]).items() if name]
    rows = sorted((row for row in rows if _has(words, f"{row[0]} {row[1]}")), key=lambda row: (-row[2], row[:2]))
    shown = [(kind, name, f"unknown {kind}" if name == UNKNOWN else name, n) for kind, name, n in rows[:MAX_ROWS]]
    return pd.DataFrame(shown, columns=["kind", "name", "called", "items"])


def _has(words: list[str], text: str) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in words)
