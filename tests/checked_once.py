"""Type checks of the tests: jaxtyping's and beartype's, once for every form that a call's values take.

Whether values fit their annotations follows from their types, the type and shape of the numbers in their arrays, and
their text. Small models search in many small calls of the same form; checking each of them anew took three quarters
of the time of a search, and binding arguments to names for each of them half of the rest.
"""

import inspect
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable
from dataclasses import is_dataclass
from functools import cache, partial, wraps
from itertools import chain, compress, repeat
from typing import Any

import jaxtyping
import numpy as np
from torch import Tensor

EVERY_TIME = jaxtyping.jaxtyped
"""The decorator that checks each call."""
LARGEST = 8
"""Longer tuples and lists are checked each time, as are all other collections."""
PASSED: defaultdict[Hashable, dict[Hashable, set[Hashable]]] = defaultdict(dict)
"""Forms of arguments that fit, and of the results that fit them, by function: one inside another function is made anew
with each of its calls."""
CHECKS: dict[Hashable, Callable[..., Any]] = {}
"""The full checks, by function as well: making them takes longer than most calls."""


class Formless(Exception):
    """A value that has to be looked into each time."""


@cache
def sort_of(kind: type) -> str:
    """What tells apart values of this type: the shape of an array, the text of a name, the members of a sequence."""
    if issubclass(kind, (Tensor, np.ndarray)):
        return "array"
    if issubclass(kind, (str, type)):
        return "name"
    if kind in (tuple, list):
        return "sequence"
    return "collection" if issubclass(kind, Collection) else "plain"


def form(value: Any) -> Hashable:
    """All that a check of this value can depend on."""
    kind = type(value)
    sort = sort_of(kind)
    if sort == "plain":
        return kind
    if sort == "array":
        return kind, value.dtype, value.shape
    if sort == "name":
        return kind, value
    if sort == "sequence" and len(value) <= LARGEST:
        return kind, *map(form, value)
    raise Formless


def checked_once(thing: Any = None, *, typechecker: Callable) -> Any:
    """Stands in for `jaxtyping.jaxtyped` on functions and classes."""
    if thing is None:
        return partial(checked_once, typechecker=typechecker)
    if not inspect.isclass(thing):
        return checked_function(thing, typechecker)
    if is_dataclass(thing) and "__init__" in vars(thing):
        thing.__init__ = checked_function(thing.__init__, typechecker)
    return thing


def checked_function(function: Callable[..., Any], typechecker: Callable) -> Callable[..., Any]:
    """The function, with arguments checked before it and its result after it where their forms are new."""
    annotations = function.__annotations__
    key = function.__module__, function.__qualname__, *annotations.items()
    passed, code = PASSED[key], function.__code__
    counts = [annotations.get(name, Any) is not Any for name in code.co_varnames[: code.co_argcount]]
    free = {name for name, annotation in annotations.items() if annotation is Any}
    result_counts = annotations.get("return", Any) is not Any

    def check(run: Callable[..., Any], arguments: tuple, named: dict[str, Any]) -> Any:
        if key not in CHECKS:
            CHECKS[key] = full_check(function, typechecker)
        return CHECKS[key](run, arguments, named)

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            given = (
                *[form(value) for value in compress(arguments, chain(counts, repeat(True)))],
                *[(name, form(value)) for name, value in named.items() if name not in free],
            )
        except Formless:
            return check(function, arguments, named)
        if given not in passed:
            result = check(function, arguments, named)
            passed[given] = set()
            return result
        result = function(*arguments, **named)
        if not result_counts:
            return result
        try:
            made = form(result)
        except Formless:
            return check(lambda *_, **__: result, arguments, named)
        if made not in passed[given]:
            check(lambda *_, **__: result, arguments, named)
            passed[given].add(made)
        return result

    return call


def full_check(function: Callable[..., Any], typechecker: Callable) -> Callable[..., Any]:
    """jaxtyping's checks of a call of the function, around whatever is run in its place."""
    ready = threading.local()

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        return ready.run(*arguments, **named)

    call.__signature__ = signature_of(function)  # type: ignore[attr-defined]
    watched = EVERY_TIME(call, typechecker=typechecker)

    def check(run: Callable[..., Any], arguments: tuple, named: dict[str, Any]) -> Any:
        ready.run = run
        return watched(*arguments, **named)

    return check


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """With the classes that annotations name as text, where they are known."""
    try:
        return inspect.signature(function, eval_str=True)
    except NameError:
        return inspect.signature(function)
