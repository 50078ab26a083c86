"""How far long work in a page is."""

from collections.abc import Iterable, Iterator
from typing import Any

from streamlit.delta_generator import DeltaGenerator


def on_bar(bar: DeltaGenerator) -> Any:
    """A progress that the core's long work takes, shown on a bar."""

    def shown(parts: Iterable, *, desc: str = "", **_: Any) -> Iterator:
        listed = list(parts)
        for number, part in enumerate(listed):
            bar.progress(number / len(listed), f"{desc}: {number} of {len(listed)} parts")
            yield part

    return shown
