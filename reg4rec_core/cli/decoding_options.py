"""The decoding options that several commands share; left out, those of a preset or else the run's own settings hold."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from reg4rec_core.cli.options import field_help
from reg4rec_core.config import CodeProbabilities, DecodeConfig, Selection

if TYPE_CHECKING:
    from reg4rec_core.recommender import Recommender

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


PRESET_FIELD = "preset"


def decoding_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the decoding options to a command."""
    texts = field_help(DecodeConfig)
    for flag, field, kind in reversed(FLAGS):
        text = f"{texts[field]}  [default: the run's own]"
        command = click.option(flag, field, type=kind, default=None, help=text)(command)
    text = "A preset file whose decoding settings take the place of the run's own; options beside it go before."
    return click.option("--decode", PRESET_FIELD, type=click.Path(path_type=Path), help=text)(command)


def with_options(recommender: "Recommender", options: dict[str, Any]) -> DecodeConfig:
    """The run's own settings, or those of a preset, with every option that was given (is not None) put in.

    A theta that was given holds for all steps.
    """
    from reg4rec_core.preset import read_preset

    given = {field: value for field, value in options.items() if value is not None}
    preset = given.pop(PRESET_FIELD, None)
    decode = recommender.decode if preset is None else read_preset(preset, recommender.run.path).decode
    return replace(decode, **given | ({"thetas": ()} if "theta" in given else {}))
