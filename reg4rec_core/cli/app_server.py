"""The application as a server of its own, for as long as somebody measures or tests it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reg4rec_core.cli.app import ADDRESS, MEMORY, RUN_VARIABLE, app_script


@dataclass(frozen=True)
class AppServer:
    """A running server: where it answers, and its process."""

    url: str
    pid: int

    def resident_bytes(self) -> int | None:
        """Memory that the process holds now; None where the system has no /proc to say it."""
        status = Path(f"/proc/{self.pid}/statm")
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else None


@contextmanager
def serve_app(run: Path) -> Iterator[AppServer]:
    """The application on a run, on a free port of this machine, as long as the context lasts."""
    root, port = app_script().parent.parent, free_port()
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    environment = (
        {"OMP_NUM_THREADS": "1"} | MEMORY | os.environ | {RUN_VARIABLE: str(run.resolve()), "PYTHONPATH": paths}
    )
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py"]
    options = ["--server.address", ADDRESS, "--server.port", str(port), "--server.headless", "true"]
    with subprocess.Popen([*command, *options], cwd=root, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://{ADDRESS}:{port}"
            wait_until_healthy(url, process)
            yield AppServer(url, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def wait_until_healthy(url: str, process: subprocess.Popen, *, seconds: float = 60) -> None:
    """Return when the server answers; RuntimeError when it ends or stays silent."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not answer within {seconds:g} seconds")
