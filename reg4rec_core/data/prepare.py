"""Source tables -> a data set: filter, order, split, classes, audit."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reg4rec_core.config import PrepareConfig
from reg4rec_core.data.audit import SECONDS_A_DAY, audit_dataset
from reg4rec_core.data.categories import choose_classes
from reg4rec_core.data.dataset import FORMAT, Dataset, checksum
from reg4rec_core.data.features import ExtraFeatures, read_features
from reg4rec_core.data.filtering import first_occurrences, index_keys, k_core, require_left
from reg4rec_core.data.source import SourceTables
from reg4rec_core.data.split import LEAVE_ONE_OUT_MINIMUM, Split, cut_points, global_time, is_useful, leave_one_out
from reg4rec_core.types import UNKNOWN, Catalog, Interactions

Counts = dict[str, Any]


def prepare_dataset(source: SourceTables, config: PrepareConfig, *, features: Path | None = None) -> Dataset:
    """Filter a source, order every user's interactions, split them, choose category classes, and audit the result.

    Users and items stand in the order of their keys: by number where all keys are whole numbers, else by text. Raises
    InputError when nothing is left, or when `features` does not fit.
    """
    log, removed = filter_interactions(source.interactions, config)
    log, users, split, settings = split_interactions(log, config, removed)
    item_rows, item_keys = index_keys(log["item"])
    interactions = Interactions(
        user_keys=tuple(users),
        items=item_rows + 1,
        timestamps=log["timestamp"].to_numpy(np.int64),
        offsets=offsets_of(log["user_row"].to_numpy(), len(users)),
        train_lengths=split.train_lengths,
        valid_positions=split.valid_positions,
        test_positions=split.test_positions,
    )
    extra = read_features(features, ["", *item_keys]) if features is not None else None
    catalog, described = make_catalog(source, item_keys, config, extra)
    audit = {
        **audit_dataset(catalog, interactions),
        "read": {
            "interactions": len(source.interactions),
            "users": int(source.interactions["user"].nunique()),
            "items": int(source.interactions["item"].nunique()),
            "items_described": len(source.items),
            **source.notes,
        },
        "removed": removed,
        **described,
    }
    info = {
        "format": FORMAT,
        "source": source.description,
        "split": settings,
        "ties": {"order": config.ties} | ({"seed": config.seed} if config.ties == "shuffled" else {}),
        "k_core": config.k_core,
        "category_level": config.category_level,
        "category_names": list(catalog.category_names),
        "audit": audit,
        "checksum": checksum(catalog, interactions),
    }
    return Dataset(catalog, interactions, info)


def filter_interactions(log: pd.DataFrame, config: PrepareConfig) -> tuple[pd.DataFrame, Counts]:
    """Interactions that the split may use, and how many were removed for which reason."""
    removed: Counts = {}
    kept = log[first_occurrences(log)]
    removed["duplicate_interactions"] = len(log) - len(kept)
    if config.split == "global-time":
        timed = kept[kept["timestamp"] >= 0]
        removed["interactions_without_time"] = len(kept) - len(timed)
        require_left(timed, "those without a time were left out", "use --split leave-one-out")
        kept = timed
    users, items = pd.factorize(kept["user"])[0], pd.factorize(kept["item"])[0]
    core = kept[k_core(users, items, config.k_core)]
    require_left(
        core,
        f"the {config.k_core}-core filter (before: {kept['user'].nunique():,} users, {kept['item'].nunique():,} items)",
        "lower --k-core",
    )
    removed["users_below_k_core"] = int(kept["user"].nunique() - core["user"].nunique())
    removed["items_below_k_core"] = int(kept["item"].nunique() - core["item"].nunique())
    removed["interactions_below_k_core"] = len(kept) - len(core)
    return core, removed


def split_interactions(
    log: pd.DataFrame, config: PrepareConfig, removed: Counts
) -> tuple[pd.DataFrame, list[str], Split, Counts]:
    """The interactions in order (with a column user_row), the users' keys, the split, and its settings.

    Users too short for the split are dropped and counted in `removed`.
    """
    log, users = order_interactions(log)
    if config.ties == "shuffled":
        log = shuffle_ties(log, seed=config.seed)
    offsets = offsets_of(log["user_row"].to_numpy(), len(users))
    settings: Counts = {"kind": config.split}
    if config.split == "global-time":
        times = log["timestamp"].to_numpy(np.int64)
        cuts = cut_points(times, train_share=config.train_share, valid_share=config.valid_share)
        settings |= {"train_share": config.train_share, "valid_share": config.valid_share, "cuts": list(cuts)}
        split = global_time(times, offsets, cuts)
        useful = is_useful(split)
    else:
        split = leave_one_out(np.diff(offsets))
        useful = np.diff(offsets) >= LEAVE_ONE_OUT_MINIMUM
    removed["users_too_short_for_the_split"] = int((~useful).sum())
    stays = useful[log["user_row"].to_numpy()]
    removed["interactions_too_short_for_the_split"] = int((~stays).sum())
    log = log[stays]
    require_left(log, "users too short for the split were dropped", "give data with longer histories")
    log = log.assign(user_row=(np.cumsum(useful) - 1)[log["user_row"].to_numpy()])
    split = Split(split.train_lengths[useful], split.valid_positions[useful], split.test_positions[useful])
    return log, [key for key, kept in zip(users, useful, strict=True) if kept], split, settings


def order_interactions(log: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Sort by user, then time, ties in the source's order; a user with an unknown time keeps the source's order."""
    rows, users = index_keys(log["user"])
    times = log["timestamp"].to_numpy(np.int64)
    untimed = np.zeros(len(users), bool)
    untimed[rows[times < 0]] = True
    comparable = np.where(untimed[rows], 0, times)
    order = np.lexsort((log["order"].to_numpy(), comparable, rows))
    return log.assign(user_row=rows).iloc[order].reset_index(drop=True), users


def shuffle_ties(log: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Ordered interactions with the items that a user has on one day in a drawn order; times stay where they are.

    A user with an unknown time has no days to shuffle within, because the source's order is all there is.
    """
    users, times = log["user_row"].to_numpy(), log["timestamp"].to_numpy(np.int64)
    untimed = np.zeros(users.max(initial=-1) + 1, bool)
    untimed[users[times < 0]] = True
    place = np.arange(len(log))
    days = np.where(untimed[users], place, times // SECONDS_A_DAY)
    drawn = np.random.default_rng(seed).permutation(len(log))
    return log.assign(item=log["item"].to_numpy()[np.lexsort((drawn, days, users))])


def offsets_of(owners: np.ndarray, n_users: int) -> np.ndarray:
    """Where each user's rows begin, given the sorted owner of every row."""
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n_users))]).astype(np.int64)


def make_catalog(
    source: SourceTables, item_keys: list[str], config: PrepareConfig, extra: ExtraFeatures | None
) -> tuple[Catalog, Counts]:
    """The catalogue of these items; what the source does not describe is unknown, and counted."""
    described = source.items.set_index("item").reindex(item_keys)
    titles = [title if isinstance(title, str) else "" for title in described["title"]]
    brands = [brand if isinstance(brand, str) else "" for brand in described["brand"]]
    paths = [path if isinstance(path, tuple) else () for path in described["category_path"]]
    known = set(source.items["item"])
    counts: Counts = {"items_without_metadata": sum(key not in known for key in item_keys)}
    if source.title_from_key:
        counts["titles_taken_from_keys"] = sum(not title for title in titles)
        titles = [title or key for title, key in zip(titles, item_keys, strict=True)]
    if extra is not None:
        counts["extra_features"] = {
            "width": extra.vectors.shape[1],
            "items_without": extra.missing_items,
            "unused_rows": extra.unused_rows,
        }
    classes, names = choose_classes(paths, level=config.category_level, minimum=config.smallest_category)
    catalog = Catalog(
        item_keys=("", *item_keys),
        titles=("", *(title or UNKNOWN for title in titles)),
        brands=("", *(brand or UNKNOWN for brand in brands)),
        category_paths=((), *(path or (UNKNOWN,) for path in paths)),
        categories=np.concatenate([[0], classes]).astype(np.int64),
        category_names=names,
        features=np.zeros((len(item_keys) + 1, 0), np.float32) if extra is None else extra.vectors,
    )
    return catalog, counts
