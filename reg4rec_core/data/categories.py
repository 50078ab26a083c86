"""Category paths -> classes of a useful size."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from reg4rec_core.types import UNKNOWN, InputError

Path = tuple[str, ...]
SEPARATOR = " > "
"""Stands between the names of a path where it is written as one text."""


def parse_level(level: str) -> int | None:
    """The number of names a class's path may have, None for leaf."""
    if level == "leaf":
        return None
    if not (level.isascii() and level.isdigit() and int(level) >= 1):
        raise InputError(f"--category-level must be leaf or a level 1, 2, 3, ..., got {level}")
    return int(level)


def merge_rare(paths: Sequence[Path], minimum: int) -> list[Path]:
    """Each item's class path: classes of fewer than `minimum` items go into their parents, deepest first.

    Roots stay however rare they are: they have no parent.
    """
    classes = list(paths)
    for depth in range(max(map(len, classes), default=0), 1, -1):
        sizes = Counter(classes)
        classes = [path[:-1] if len(path) == depth and sizes[path] < minimum else path for path in classes]
    return classes


def choose_classes(
    paths: Sequence[Path], *, level: str, minimum: int
) -> tuple[Int[np.ndarray, "items"], tuple[str, ...]]:
    """Class index of every item and the names of the classes, which are whole paths in the order of their text."""
    depth = parse_level(level)
    classes = merge_rare([(path or (UNKNOWN,))[:depth] for path in paths], minimum)
    ordered = sorted(set(classes))
    place = {path: index for index, path in enumerate(ordered)}
    return np.array([place[path] for path in classes], np.int64), tuple(SEPARATOR.join(path) for path in ordered)
