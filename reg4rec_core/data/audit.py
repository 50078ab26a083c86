"""What a data set is like, in numbers: printed by `prepare` and kept in dataset.json."""

from typing import Any

import numpy as np
import pandas as pd

from reg4rec_core.config import HISTORY_LENGTH
from reg4rec_core.types import UNKNOWN, Catalog, Interactions

SECONDS_A_DAY = 86_400


def audit_dataset(catalog: Catalog, interactions: Interactions) -> dict[str, Any]:
    """Counts, length distribution, ties, missing texts, categories and split of a prepared data set."""
    users, items = interactions.n_users, catalog.n_items - 1
    total = len(interactions.items)
    return {
        "users": users,
        "items": items,
        "interactions": total,
        "density": total / (users * items),
        "history_lengths": audit_lengths(np.diff(interactions.offsets)),
        "time": audit_times(interactions),
        "missing": {
            "titles": sum(title == UNKNOWN for title in catalog.titles[1:]),
            "brands": sum(brand == UNKNOWN for brand in catalog.brands[1:]),
            "categories": sum(path == (UNKNOWN,) for path in catalog.category_paths[1:]),
            "times": int((interactions.timestamps < 0).sum()),
        },
        "categories": audit_categories(catalog),
        "targets": audit_targets(catalog, interactions),
    }


def audit_lengths(lengths: np.ndarray) -> dict[str, Any]:
    """How many interactions users have, and the share of users whose history the model sees only the newest part of."""
    quantiles = np.quantile(lengths, [0.25, 0.5, 0.75, 0.95])
    return {
        "min": int(lengths.min()),
        **dict(zip(("p25", "median", "p75", "p95"), (float(q) for q in quantiles), strict=True)),
        "max": int(lengths.max()),
        "mean": float(lengths.mean()),
        "share_cut": float((lengths > HISTORY_LENGTH).mean()),
    }


def audit_times(interactions: Interactions) -> dict[str, Any]:
    """First and last known time, and how often the order inside a day is a matter of chance."""
    times, offsets = interactions.timestamps, interactions.offsets
    known = times[times >= 0]
    days = np.where(times >= 0, times // SECONDS_A_DAY, -1)
    last = offsets[1:] - 1
    has_two = np.diff(offsets) >= 2
    before = np.maximum(last - 1, 0)
    tied = has_two & (days[last] == days[before]) & (days[last] >= 0)
    same_user = np.ones(max(len(times) - 1, 0), bool)
    same_user[(offsets[1:-1] - 1)] = False
    same_day = same_user & (days[1:] == days[:-1]) & (days[1:] >= 0)
    return {
        "first": int(known.min()) if len(known) else None,
        "last": int(known.max()) if len(known) else None,
        "users_whose_last_two_share_a_day": float(tied.mean()),
        "transitions_within_a_day": float(same_day.sum() / max(same_user.sum(), 1)),
    }


def audit_categories(catalog: Catalog) -> dict[str, Any]:
    """Levels of the source's paths, and size and balance of the chosen classes."""
    paths = catalog.category_paths[1:]
    deepest = max(map(len, paths))
    sizes = np.bincount(catalog.categories[1:], minlength=catalog.n_categories)
    shares = sizes[sizes > 0] / sizes.sum()
    return {
        "levels": [
            {
                "level": level,
                "paths": len({path[:level] for path in paths if len(path) >= level}),
                "items_reaching_it": sum(len(path) >= level for path in paths),
            }
            for level in range(1, deepest + 1)
        ],
        "leaf_paths": len(set(paths)),
        "classes": catalog.n_categories,
        "smallest_class": int(sizes.min()),
        "median_class": float(np.median(sizes)),
        "largest_class": int(sizes.max()),
        "largest_share": float(shares.max()),
        "effective_classes": float(np.exp(-(shares * np.log(shares)).sum())),
    }


def audit_targets(catalog: Catalog, interactions: Interactions) -> dict[str, Any]:
    """How much there is to learn from and to be measured on, and how much of it training never saw."""
    offsets, lengths = interactions.offsets, np.diff(interactions.offsets)
    owners = np.repeat(np.arange(interactions.n_users), lengths)
    positions = np.arange(len(owners)) - offsets[owners]
    training = positions < interactions.train_lengths[owners]
    seen = np.zeros(catalog.n_items, bool)
    seen[interactions.items[training]] = True
    repeats = pd.DataFrame({"user": owners, "item": interactions.items}).duplicated().to_numpy()
    report: dict[str, Any] = {
        "training_interactions": int(training.sum()),
        "items_never_trained": int((~seen[1:]).sum()),
        "repeated_purchases": int(repeats.sum()),
    }
    for name, held_out in (("valid", interactions.valid_positions), ("test", interactions.test_positions)):
        users = np.flatnonzero(held_out >= 0)
        rows = offsets[users] + held_out[users]
        report[name] = {
            "targets": len(users),
            "never_trained": int((~seen[interactions.items[rows]]).sum()),
            "repeat_an_item_of_the_history": int(repeats[rows].sum()),
        }
    return report
