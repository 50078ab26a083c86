"""Which search the Reasoning page looks at."""

from dataclasses import dataclass

from app.session.open_runs import OpenRun
from reg4rec_core import DecodeConfig


@dataclass(frozen=True)
class Asked:
    """A search before anything is changed by hand."""

    run: OpenRun
    key: str
    """The user's."""
    user: int
    at: str
    decode: DecodeConfig
    thetas: str
    """Thresholds by step as a link names them."""
