"""`reg4rec app` checks the run, says where it serves, and serves."""

import json
import socket
import subprocess
import sys

import pytest

from reg4rec_core.cli.app_server import wait_until_healthy


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_refused(reg4rec, tiny_run, taken_port):
    result = reg4rec("app", "--run", tiny_run, "--port", taken_port)
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(taken_port) in result.stderr


def test_the_next_free_port_is_found(taken_port, monkeypatch):
    from reg4rec_core.cli import app

    monkeypatch.setattr(app, "FIRST_PORT", taken_port)
    assert app.chosen_port(None) > taken_port


def test_a_run_that_does_not_open_is_refused_before_anything_is_served(reg4rec, tiny_run, tmp_path):
    (tmp_path / "run.json").write_bytes((tiny_run / "run.json").read_bytes())
    result = reg4rec("app", "--run", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "reg4rec fit-tokenizer" in result.stderr


def test_the_application_is_served_on_this_machine_alone(tiny_run):
    command = [sys.executable, "-m", "reg4rec_core.cli", "app", "--run", str(tiny_run), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            document = json.loads(process.stdout.readline())
            assert document["url"].startswith("http://127.0.0.1:")
            wait_until_healthy(document["url"], process)
        finally:
            process.terminate()
            rest = process.communicate(timeout=30)[0]
    assert rest == ""
