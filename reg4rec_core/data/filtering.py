"""Which interactions stay: duplicates out, k-core, and keys turned into rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from reg4rec_core.types import InputError


def order_keys(keys: Sequence[str]) -> list[str]:
    """Keys in the order of their rows: by number where all are whole numbers, else by text."""
    if all(key.isascii() and key.isdigit() for key in keys):
        return sorted(keys, key=lambda key: (int(key), key))
    return sorted(keys)


def index_keys(keys: pd.Series) -> tuple[Int[np.ndarray, "rows"], list[str]]:
    """For every row the index of its key, and the keys by index, in the order of `order_keys`."""
    codes, distinct = pd.factorize(keys)
    names = [str(key) for key in distinct]
    ordered = order_keys(names)
    place = {key: index for index, key in enumerate(ordered)}
    return np.array([place[key] for key in names], np.int64)[codes], ordered


def first_occurrences(log: pd.DataFrame) -> Bool[np.ndarray, "rows"]:
    """False for a row that repeats an earlier one in user, item and known time; a later purchase is no repeat."""
    return ~(log.duplicated(["user", "item", "timestamp"]) & (log["timestamp"] >= 0)).to_numpy()


def k_core(users: Int[np.ndarray, "rows"], items: Int[np.ndarray, "rows"], k: int) -> Bool[np.ndarray, "rows"]:
    """The largest set of rows in which every user and every item occurs at least k times."""
    kept = np.ones(len(users), bool)
    while True:
        of_user, of_item = np.bincount(users[kept]), np.bincount(items[kept])
        stays = (of_user[users[kept]] >= k) & (of_item[items[kept]] >= k)
        if stays.all():
            return kept
        kept[kept] = stays


def require_left(log: pd.DataFrame, what: str, remedy: str) -> None:
    """InputError when a filter left nothing."""
    if log.empty:
        raise InputError(f"no interactions are left after {what}; {remedy}")
