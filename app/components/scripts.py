"""The browser's part of components."""

from pathlib import Path


def script(*names: str) -> str:
    """JavaScript files of this folder as one module, in order: the last one is the component."""
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)
