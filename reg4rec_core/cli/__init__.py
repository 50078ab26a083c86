"""The command line: `reg4rec COMMAND`, a contract for people and programs."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

COMMANDS = {
    "prepare": "Turn raw files into a data set directory and print its audit.",
    "fit-tokenizer": "Learn the semantic codes of every item (MPQ) and start a run directory.",
    "pretrain": "Train the network of a run on its training interactions.",
    "post-train": "Improve a pre-trained run by rewarding its own reasoning (GRPO).",
    "baseline": "Train a peer beside a run, on the run's own split, for `evaluate --baselines`.",
    "evaluate": "Rank the whole catalogue for held-out interactions and report how well.",
    "evaluate-explanations": "Take away the purchases that attribution names and see whether a recommendation goes.",
    "sweep": "Search the same users under many decoding settings and compare each with the run's own.",
    "seeds": "Compare runs that differ in their seed alone.",
    "cost": "Say what every stage of some runs took: time, processor time and peak memory.",
    "results": "Fill a document's tables from the stored results and draw its charts.",
    "tune-rewards": "Search reward weights by what a short post-training with them does to validation users.",
    "ablate": "Train and compare systems that differ from a run's settings in one point each, under an equal budget.",
    "recommend": "Recommend for one history and print the whole search behind the list.",
    "profile": "Give every result that any theta of a range has for one user.",
    "trace": "Search all users once and keep every trace under RUN/traces/, or check such a store.",
    "cohorts": "Say for whom a model works, and how categories drift, from a store of traces.",
    "report": "Write the search for one user as a page that opens offline, and its numbers as JSON beside it.",
    "notes": "List the notes that people made in the application, or export them to train on.",
    "check": "Say whether a run is healthy: named checks against stated bounds, each with its reason.",
    "bench": "Measure the speed of training or decoding against this machine's floor, or of the application.",
    "app": "Open the application on a run in the browser.",
}
"""Every command with its one-line help: kept here so that `reg4rec --help` imports nothing heavy."""


class LazyCommands(click.Group):
    """A group that imports a command's module when it is called, and turns every failure into one line and a code.

    Exit codes: 0 done, 2 bad input, 1 our fault (REG4REC_DEBUG=1 shows the traceback).
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"reg4rec_core.cli.{cmd_name.replace('-', '_')}")
        return module.command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = "reg4rec", **extra: Any
    ) -> None:
        extra["standalone_mode"] = False
        sys.exit(self._exit_code(args, prog_name, extra))

    def _exit_code(self, args: Sequence[str] | None, prog_name: str | None, extra: dict[str, Any]) -> int:
        try:
            code = super().main(args, prog_name, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            return 2
        except click.ClickException as error:
            return _fail(error.format_message(), code=2)
        except click.Abort:
            return _fail("interrupted", code=1)
        except BrokenPipeError:
            # Whoever read our output has gone; Python would complain again while it closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except Exception as error:
            return _fail_on(error)
        return code if isinstance(code, int) else 0


def _fail_on(error: Exception) -> int:
    from reg4rec_core.types import InputError, WorkerLost

    if isinstance(error, InputError):
        return _fail(str(error), code=2)
    if isinstance(error, WorkerLost):
        return _fail(str(error), code=1)
    if os.environ.get("REG4REC_DEBUG") == "1":
        traceback.print_exception(error)
    return _fail(f"{type(error).__name__}: {error} (our fault; REG4REC_DEBUG=1 shows where)", code=1)


def _fail(message: str, *, code: int) -> int:
    # All workers that torchrun started refuse bad input alike: one of each machine says why.
    is_echo = code == 2 and "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("LOCAL_RANK", "0") != "0"
    if not is_echo:
        click.echo("Error: " + " ".join(message.split()), err=True)
    return code


@click.group(cls=LazyCommands)
@click.version_option(package_name="reg4rec")
def main() -> None:
    """See how a reasoning-enhanced generative recommender thinks (REG4Rec)."""
