"""A page of the application, opened without a browser."""

from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.components import share
from app.session import open_runs

MAIN = Path(__file__).parents[1] / "app" / "main.py"

# A server looks once through all installed packages for components, AppTest with every visitor: longer than it takes
# to draw most pages.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def visitor() -> AppTest:
    """Somebody who comes to the application; what the Share button shows is in sight."""
    app = AppTest.from_file(str(MAIN), default_timeout=120)
    app.session_state[share.KEY] = True
    return app


def page_of(run: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> AppTest:
    """The application on a run, started in a folder without checkpoints."""
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(run))
    monkeypatch.chdir(folder)
    return visitor()


def opened(app: AppTest, page: str, **state: str) -> AppTest:
    """A page with what its address says; it must come up without an exception."""
    app.switch_page(page)
    for name, value in state.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def link_of(app: AppTest) -> dict[str, str]:
    """What the page's own link says: every choice that is in force."""
    return dict(parse_qsl(urlsplit(next(code.value for code in app.code if code.value.startswith("?"))).query))
