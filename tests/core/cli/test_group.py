import subprocess
import sys
import time

import click
import pytest

import reg4rec_core.cli as cli
from reg4rec_core.types import InputError


@pytest.fixture
def failing(monkeypatch):
    """Make `reg4rec evaluate` raise what the test says."""

    def fail_with(error):
        @click.command("evaluate")
        def command():
            raise error

        monkeypatch.setattr(cli.LazyCommands, "get_command", lambda *_: command)

    return fail_with


def test_bad_input_is_one_line_and_exit_code_2(reg4rec, failing):
    failing(InputError("theta must be >= 0,\n got -1"))
    result = reg4rec("evaluate")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: theta must be >= 0, got -1\n"


def test_our_own_fault_is_one_line_and_exit_code_1(reg4rec, failing, monkeypatch):
    monkeypatch.delenv("REG4REC_DEBUG", raising=False)
    failing(RuntimeError("a shape is wrong"))
    result = reg4rec("evaluate")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: RuntimeError: a shape is wrong")
    assert "Traceback" not in result.stderr


def test_the_debug_variable_shows_the_traceback(reg4rec, failing, monkeypatch):
    monkeypatch.setenv("REG4REC_DEBUG", "1")
    failing(RuntimeError("a shape is wrong"))
    result = reg4rec("evaluate")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluat"],
        ["evaluate", "--split", "train"],
        ["evaluate"],
        ["evaluate", "--split", "test", "--beam", "many"],
        ["evaluate", "--split", "test", "--nonsense"],
        ["recommend"],
        ["recommend", "--user", "1", "--history", "a"],
        ["fit-tokenizer", "--run", "somewhere"],
        ["bench"],
        ["bench", "swim"],
        ["app", "--port", "99999999"],
    ],
)
def test_a_command_line_that_makes_no_sense_is_one_line_and_exit_code_2(reg4rec, arguments):
    result = reg4rec(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_a_call_without_arguments_shows_the_help(reg4rec):
    result = reg4rec()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_and_speaks_json(reg4rec, name):
    result = reg4rec(name, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert cli.COMMANDS[name].rstrip(".") in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    "command", ["evaluate --split test", "recommend --user 1", "bench decode", "bench train", "app"]
)
def test_a_missing_run_names_the_command_that_makes_one(reg4rec, tmp_path, command):
    result = reg4rec(*command.split(), "--run", tmp_path / "nothing")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "reg4rec fit-tokenizer" in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_imports_nothing_heavy_and_is_quick():
    started = time.perf_counter()
    program = "import sys, reg4rec_core.cli as c\ntry: c.main(['--help'])\nfinally: assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout
    assert time.perf_counter() - started < 5  # about 0.1 s on an idle machine
