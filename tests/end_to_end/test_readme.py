"""Every command of a README exists: each subcommand, flag and choice is one that the command line knows."""

import re
import shlex
from pathlib import Path

import click
import pytest

from reg4rec_core.cli import main

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?:console|bash|sh|shell)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands_of(text: str) -> list[str]:
    """Lines of the shell blocks that call reg4rec, continued lines joined, prompts dropped."""
    lines = "\n".join(BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    called = [line.strip().removeprefix("$ ").removeprefix(".venv/bin/") for line in lines]
    return [line for line in called if line.startswith("reg4rec ")]


def documented() -> list[str]:
    """The commands of the README files of the repository; the demo run has one of its own."""
    files = [ROOT / "README.md", *sorted(ROOT.glob("checkpoints/demo/README.md"))]
    return [command for file in files if file.exists() for command in commands_of(file.read_text(encoding="utf-8"))]


def check(line: str) -> None:
    """Parse a command line as click does, without running it or looking for its files."""
    name, *arguments = shlex.split(line, comments=True)[1:]
    context = click.Context(main, info_name="reg4rec")
    command = main.get_command(context, name)
    if command is None:
        raise click.UsageError(f"No such command {name!r}")
    values, left, _ = command.make_parser(click.Context(command, parent=context)).parse_args(arguments)
    if left:
        raise click.UsageError(f"unexpected {left}")
    for parameter in command.params:
        value = values.get(parameter.name)
        if isinstance(value, str) and not isinstance(parameter.type, click.Path):
            parameter.type.convert(value, parameter, None)
        if parameter.required and value is None:
            raise click.MissingParameter(param=parameter)


def test_the_readme_shows_how_the_command_line_is_used():
    assert documented()


@pytest.mark.parametrize("line", documented())
def test_a_command_of_the_readme_exists(line):
    check(line)


def test_shell_blocks_are_read_with_prompts_and_continued_lines():
    text = "```console\n$ reg4rec evaluate --run R \\\n  --split test\nhits\n```\n```python\nreg4rec nothing\n```\n"
    assert commands_of(text) == ["reg4rec evaluate --run R    --split test"]


@pytest.mark.parametrize(
    "line",
    [
        "reg4rec swim",
        "reg4rec evaluate --run R --split tests",
        "reg4rec evaluate --split test --rum R",
        "reg4rec recommend --beam many --user 1",
        "reg4rec fit-tokenizer --run R",
        "reg4rec bench decode R",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line):
    with pytest.raises(click.ClickException):
        check(line)


def test_a_command_with_a_comment_behind_it_is_fine():
    check("reg4rec recommend --user 1 --theta inf --json  # the plain beam search")
