"""Type checks of the tests: beartype's, once for every form that a call's values take.

Whether values fit their annotations follows from their types, the type and shape of the numbers in their arrays, and
their text. Small models search in many small calls of the same form; checking each of them anew took three quarters
of the time of a search.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable
from functools import cache, partial
from typing import Any

import numpy as np
from beartype import beartype
from torch import Tensor

LARGEST = 8
"""Longer tuples and lists are checked each time, as are all other collections."""
PASSED: defaultdict[Hashable, set[Hashable]] = defaultdict(set)
"""Forms that fit, by function: one inside another function is made anew with each of its calls."""


class Formless(Exception):
    """A value that has to be looked into each time."""


@cache
def is_collection(kind: type) -> bool:
    return issubclass(kind, Collection)


def form(value: Any) -> Hashable:
    """All that a check of this value can depend on."""
    kind = type(value)
    if isinstance(value, (Tensor, np.ndarray)):
        return kind, value.dtype, value.shape
    if kind in (tuple, list) and len(value) <= LARGEST:
        return kind, *map(form, value)
    if isinstance(value, (str, type)):
        return kind, value
    if is_collection(kind):
        raise Formless
    return kind


def checked(function: Callable[..., Any]) -> Callable[..., None]:
    """Check arguments and result against the annotations of a function; jaxtyping calls it for its check alone."""
    name = function.__module__, function.__qualname__, *function.__annotations__.items()
    passed, checker = PASSED[name], cache(partial(beartype, function))

    def check_once(*arguments: Any, **named: Any) -> None:
        try:
            key = (form(arguments), *((name, form(value)) for name, value in named.items()))
        except Formless:
            checker()(*arguments, **named)
            return
        if key not in passed:
            checker()(*arguments, **named)
            passed.add(key)

    return check_once
