"""What a command says: one JSON document for programs, a few lines for people."""

import json
import math
from typing import Any

import click
import numpy as np


def plain(value: Any) -> Any:
    """The value as JSON knows it: NumPy numbers and arrays become Python's, NaN and infinity become null."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def emit(document: dict[str, Any], *, text: str, as_json: bool) -> None:
    """Print the result: the text on stdout, or with --json the document on stdout and the text on stderr."""
    click.echo(text, err=as_json)
    if as_json:
        click.echo(json.dumps(plain(document), allow_nan=False, ensure_ascii=False))


def say(line: str) -> None:
    """Print a line of progress for people (stderr)."""
    click.echo(line, err=True)


def report_text(report: dict[str, Any]) -> str:
    """The numbers of a report in two aligned columns, those of inner reports indented under their names."""
    rows = report_rows(report, "")
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in rows)


def report_rows(report: dict[str, Any], indent: str) -> list[tuple[str, str]]:
    rows = []
    for name, value in report.items():
        title = indent + name.replace("_", " ")
        if isinstance(value, dict):
            rows += [(title, ""), *report_rows(value, indent + "  ")]
        elif not isinstance(value, list | tuple | np.ndarray):
            rows.append((title, f"{value:.4g}" if isinstance(value, float) else str(value)))
        elif all(isinstance(entry, int | float) for entry in value) and len(value) <= 16:
            rows.append((title, " ".join(f"{entry:.3g}" for entry in value)))
    return rows
