"""The application as a server of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reg4rec_core.cli.app_server import serve_app


@contextmanager
def serve(run: Path) -> Iterator[str]:
    """Where the application answers, on a free port of this machine, as long as the context lasts."""
    with serve_app(run) as server:
        yield server.url
