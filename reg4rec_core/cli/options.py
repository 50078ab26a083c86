"""Settings dataclasses as command line options: a field becomes a flag, the text under it the help."""

import ast
import inspect
import itertools
import math
import textwrap
import types
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click

from reg4rec_core.config import Settings, SettingsType

DEFAULT_RUN = Path("checkpoints/demo")
"""The run that reading commands open when none is named."""

Command = Callable[..., Any]

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout, the text on stderr."
)
reading_run_option = click.option(
    "--run", type=click.Path(path_type=Path), default=DEFAULT_RUN, show_default=True, help="Run directory to read."
)
user_option = click.option("--user", required=True, help="The user of the data set.")
moment_option = click.option(
    "--at",
    type=click.Choice(["test", "valid", "now"]),
    default="test",
    show_default=True,
    help="The history before the test item, before the validation item, or all of it.",
)
weights_option = click.option(
    "--weights",
    type=click.Choice(["latest", "pretrained", "post_trained"]),
    default="latest",
    show_default=True,
    help="Which weights of the run: the newest stage's, or those that a stage left.",
)


def field_help(settings: type[Settings]) -> dict[str, str]:
    """The text under each field of a settings class, by field name."""
    body = ast.parse(textwrap.dedent(inspect.getsource(settings))).body[0].body  # type: ignore[attr-defined]
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def option_type(annotation: Any) -> click.ParamType:
    """The click type of a field: int, float, str or a choice; `X | None` reads like X."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(choice for choice in get_args(annotation) if choice is not type(None))
    if get_origin(annotation) is Literal:
        return click.Choice([str(choice) for choice in get_args(annotation)])
    return click.types.convert_type(annotation)


def flag_of(name: str) -> str:
    """The flag of a field: code_width is --code-width."""
    return "--" + name.replace("_", "-")


def settings_options(settings: type[Settings]) -> Callable[[Command], Command]:
    """Give a command one option for every field of a settings class."""
    help_of, types_of = field_help(settings), get_type_hints(settings)

    def decorate(command: Command) -> Command:
        for field in reversed(fields(settings)):  # type: ignore[arg-type]
            annotation, flag = types_of[field.name], flag_of(field.name)
            text = f"{help_of[field.name]}  [default: {shown(field.default)}]"
            if annotation is bool:
                add = click.option(f"{flag}/--no-{flag[2:]}", field.name, default=field.default, help=text)
            else:
                add = click.option(flag, field.name, type=option_type(annotation), default=field.default, help=text)
            command = add(command)
        return command

    return decorate


def shown(default: Any) -> str:
    return "no limit" if isinstance(default, float) and math.isinf(default) else str(default)


def settings_from(settings: type[SettingsType], values: dict[str, Any]) -> SettingsType:
    """The settings that the options of a command spell; other options among the values are left alone."""
    return settings(**{field.name: values[field.name] for field in fields(settings)})  # type: ignore[arg-type]
