"""`reg4rec app`"""

import importlib.util
import os
import socket
import sys
from pathlib import Path

import click

from reg4rec_core.cli.options import json_option, reading_run_option
from reg4rec_core.cli.output import emit
from reg4rec_core.types import InputError

ADDRESS = "127.0.0.1"
FIRST_PORT = 8501
RUN_VARIABLE = "REG4REC_RUN"
"""The environment variable that tells the application which run to open."""
MEMORY = {"MALLOC_ARENA_MAX": "2"}
"""A server runs every answer in a thread of its own. Left alone, glibc gives threads arenas of their own, whose holes
nobody else fills: after 500 answers the server held 1,270 MB, with two arenas 880 MB."""


@click.command("app")
@reading_run_option
@click.option(
    "--port", type=click.IntRange(1, 65535), help=f"Port to serve at.  [default: {FIRST_PORT} or the next free]"
)
@json_option
def command(run: Path, port: int | None, as_json: bool) -> None:
    """Open the application on a run in the browser; stop it with Ctrl-C."""
    from reg4rec_core.checkpoint import open_run

    opened = open_run(run)
    opened.semantic_ids()
    opened.network()
    script, port = app_script(), chosen_port(port)
    url = f"http://{ADDRESS}:{port}"
    emit({"url": url, "run": str(run)}, text=f"{run} at {url} (Ctrl-C stops it)", as_json=as_json)
    serve(script, run.resolve(), port)


def app_script() -> Path:
    """Where the application's entry script lies."""
    package = importlib.util.find_spec("app")
    places = list(package.submodule_search_locations or []) if package else []
    scripts = [Path(place) / "main.py" for place in places if (Path(place) / "main.py").exists()]
    if not scripts:
        raise InputError("the application is not installed; install the package of this repository, with make or pip")
    return scripts[0].resolve()


def chosen_port(wanted: int | None) -> int:
    """The wanted port, or the first free one; InputError when the wanted one is taken."""
    if wanted is not None:
        if not is_free(wanted):
            raise InputError(f"--port needs a free port, {wanted} is taken; leave --port out to get the next free one")
        return wanted
    return next(port for port in range(FIRST_PORT, 65536) if is_free(port))


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the server itself does, so that a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def serve(script: Path, run: Path, port: int) -> None:
    """Become the server: this process is replaced, so that signals and the exit code are Streamlit's own."""
    os.chdir(script.parent.parent)  # .streamlit/config.toml lies beside the app and is read from here
    os.environ.update(MEMORY | os.environ | {RUN_VARIABLE: str(run)})
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # stdout holds our document and nothing else
    arguments = ["-m", "streamlit", "run", str(script), "--server.address", ADDRESS, "--server.port", str(port)]
    os.execv(sys.executable, [sys.executable, *arguments])
