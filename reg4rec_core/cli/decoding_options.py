"""The decoding options that evaluate, recommend and bench share; left out, the run's own settings hold."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import click

from reg4rec_core.cli.options import field_help
from reg4rec_core.config import CodeProbabilities, DecodeConfig, Selection

FLAGS: tuple[tuple[str, str, Any], ...] = (
    ("--theta", "theta", float),
    ("--beam", "beam_width", int),
    ("--check-from", "check_from", int),
    ("--max-regenerations", "max_regenerations", int),
    ("--look-ahead/--no-look-ahead", "look_ahead", None),
    ("--code-probabilities", "code_probabilities", click.Choice(get_args(CodeProbabilities))),
    ("--selection", "selection", click.Choice(get_args(Selection))),
)
"""Flag, field of DecodeConfig, type."""


def decoding_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the decoding options to a command."""
    texts = field_help(DecodeConfig)
    for flag, field, kind in reversed(FLAGS):
        text = f"{texts[field]}  [default: the run's own]"
        command = click.option(flag, field, type=kind, default=None, help=text)(command)
    return command


def with_options(decode: DecodeConfig, options: dict[str, Any]) -> DecodeConfig:
    """The settings with every option that was given (is not None) put in."""
    return replace(decode, **{field: value for field, value in options.items() if value is not None})
