"""A real server on the tiny run and a real Chromium in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from visit import Visit

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@contextmanager
def serve(run: Path) -> Iterator[str]:
    """The application on a run, on a free port of this machine, as long as the context lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"REG4REC_RUN": str(run), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py"]
    options = ["--server.port", str(port), "--server.headless", "true"]
    with subprocess.Popen([*command, *options], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="session")
def server(tiny_run: Path) -> Iterator[str]:
    """The application on the tiny run."""
    with serve(tiny_run) as address:
        yield address


def wait_until_healthy(url: str, process: subprocess.Popen, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer in time")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Only a machine that is not CI may go without it."""
    chromium = shutil.which("chromium")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("these tests need Chromium; install it with: apt-get install -y --no-install-recommends chromium")
    assert chromium is not None, "CI needs Chromium; install the Debian package chromium"
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield chrome
        chrome.close()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    """A fresh visitor."""
    visitor = Visit(browser, server)
    yield visitor
    visitor.context.close()
    assert not visitor.errors, visitor.errors


@pytest.fixture
def new_visit(browser: Browser, server: str):
    """Further visitors, each with a context of their own."""
    visitors: list[Visit] = []

    def arrive(**look: object) -> Visit:
        visitors.append(Visit(browser, server, **look))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        visitor.context.close()
