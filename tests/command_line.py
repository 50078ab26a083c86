"""The command line, called in this process."""

from pathlib import Path

from click.testing import CliRunner, Result


def run_command(*arguments: str | Path) -> Result:
    """Call the command line in this process."""
    from reg4rec_core.cli import main

    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def succeed(*arguments: str | Path) -> Result:
    """Call the command line; when it fails, fail the test with its error text."""
    result = run_command(*arguments)
    if result.exit_code:
        raise AssertionError(f"reg4rec {' '.join(map(str, arguments))} exited {result.exit_code}: {result.stderr}")
    return result
