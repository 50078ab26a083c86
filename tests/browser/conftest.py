"""A real server on the tiny run and a real Chromium in front of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from served import serve
from visit import Visit

from reg4rec_core.analysis.notes import NOTES_VARIABLE
from reg4rec_core.cli.chromium import chromium_path, open_chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def notes_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where visitors of `server` keep their notes."""
    return tmp_path_factory.mktemp("notes") / "notes.sqlite"


@pytest.fixture(scope="session")
def server(tiny_run: Path, notes_path: Path) -> Iterator[str]:
    """The application on the tiny run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(NOTES_VARIABLE, str(notes_path))
        with serve(tiny_run) as address:
            yield address


@pytest.fixture(scope="session")
def stored_run(tiny_run: Path, tmp_path_factory, reg4rec) -> Path:
    """A copy of the tiny run with a stored search and a theta sweep of either split. Never write into it."""
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "stored")
    sweep = ("sweep", "--run", run, "--over", "theta=0.01,0.2,inf", "--users", "30", "--split")
    for arguments in (("trace", "--run", run, "--users", "60"), (*sweep, "valid"), (*sweep, "test")):
        done = reg4rec(*arguments)
        assert done.exit_code == 0, done.stderr
    return run


@pytest.fixture(scope="session")
def stored_server(stored_run: Path) -> Iterator[str]:
    """The application on the run with what was stored."""
    with serve(stored_run) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Only a machine that is not CI may go without it."""
    chromium = chromium_path()
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("these tests need Chromium; install it with: apt-get install -y --no-install-recommends chromium")
    assert chromium is not None, "CI needs Chromium; install the Debian package chromium"
    with open_chromium(chromium) as chrome:
        yield chrome


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
