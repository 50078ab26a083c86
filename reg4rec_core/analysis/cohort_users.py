"""Whom a cohort means among the held-out users: told by the data set, and by a stored search where a search decides."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from reg4rec_core.analysis.cohort import Cohort, Range
from reg4rec_core.analysis.trace_queries import TraceStore, condition
from reg4rec_core.data.batching import training_sequences
from reg4rec_core.evaluation.held_out import HeldOut, Split, held_out
from reg4rec_core.evaluation.trace_store import DAY, main_category
from reg4rec_core.types import Catalog, InputError, Interactions

SEARCHED = ("recommended", "outcome", "leans")
"""Conditions that only a search can answer."""
UNKNOWN_TIME = -1


def cohort_users(
    cohort: Cohort, catalog: Catalog, interactions: Interactions, split: Split, *, store: TraceStore | None = None
) -> Int[np.ndarray, "users"]:
    """Rows of the users with a target in `split` who meet every condition, rising.

    Histories are those before the split's target. What a search decides is looked up in `store`; InputError without.
    """
    everyone, asked = Cohort(), [name for name in SEARCHED if getattr(cohort, name) != getattr(Cohort(), name)]
    if asked and store is None:
        raise InputError(
            f"who is in a cohort by {' and '.join(asked)} is decided by a search, which the data does not hold; "
            "name a stored one (reg4rec trace makes it, --store names it) or leave that condition out"
        )
    questions = held_out(interactions, split)
    inside = meets(
        replace(cohort, **{name: getattr(everyone, name) for name in asked}), catalog, interactions, questions
    )
    if asked and store is not None:
        where, parameters = condition(store, replace(everyone, **{name: getattr(cohort, name) for name in asked}))
        found = store.columns(f"SELECT user FROM users WHERE {where}", *parameters)["user"]
        inside &= np.isin(questions.users, np.asarray(found, dtype=np.int64))
    return np.sort(questions.users[inside])


def meets(cohort: Cohort, catalog: Catalog, interactions: Interactions, questions: HeldOut) -> Bool[np.ndarray, "B"]:
    """Whether each question's user meets every condition; an unknown time meets none."""
    inside = np.ones(len(questions), dtype=bool)
    for field in fields(cohort):
        value = getattr(cohort, field.name)
        if value == field.default:
            continue
        if field.name == "users":
            inside &= np.isin(questions.users, value)
        elif isinstance(value, Range):
            numbers = numbers_of(field.name, catalog, interactions, questions)
            known = numbers != UNKNOWN_TIME if field.name in ("active", "last") else True
            inside &= known & within(numbers, value)
        else:
            inside &= named(field.name, value, catalog, questions)
    return inside


def within(numbers: Int[np.ndarray, "B"], wanted: Range) -> Bool[np.ndarray, "B"]:
    """Whether numbers lie in a range, whose ends may be open."""
    low = wanted.low if wanted.low is not None else np.iinfo(np.int64).min
    high = wanted.high if wanted.high is not None else np.iinfo(np.int64).max
    return (numbers >= low) & (numbers <= high)


def numbers_of(name: str, catalog: Catalog, interactions: Interactions, questions: HeldOut) -> Int[np.ndarray, "B"]:
    """What a range is about, for every question; `UNKNOWN_TIME` where a time is not known."""
    if name == "history":
        return np.array([len(history) for history in questions.histories], dtype=np.int64)
    if name == "seen":
        items = np.concatenate(list(training_sequences(interactions)))
        return np.bincount(items, minlength=catalog.n_items)[questions.targets]
    times = [
        interactions.times(user)[: len(history)]
        for user, history in zip(questions.users.tolist(), questions.histories, strict=True)
    ]
    numbers = [(int(t.max() - t.min()) // DAY if name == "active" else int(t[-1])) for t in times]
    timed = [bool((t >= 0).all()) for t in times]
    return np.where(timed, np.array(numbers, dtype=np.int64), UNKNOWN_TIME)


def named(name: str, value: Any, catalog: Catalog, questions: HeldOut) -> Bool[np.ndarray, "B"]:
    """Whether each question is about a category or a brand of that name; nobody for a name that is none."""
    if name == "brand":
        wanted = np.array([brand == value for brand in catalog.brands])
        return np.array([bool(wanted[history].any()) for history in questions.histories])
    of_category = np.array([category == value for category in catalog.category_names])
    if name == "target":
        return of_category[catalog.categories[questions.targets]]
    bought = [catalog.categories[history] for history in questions.histories]
    if name == "main":
        return np.array([bool(of_category[main_category(categories)]) for categories in bought])
    return np.array([bool(of_category[categories].any()) for categories in bought])
