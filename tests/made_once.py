"""What takes long to make, made by the process of a run of the tests that needs it first; the others copy it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(name: str, make: Callable[[Path], object], factory: pytest.TempPathFactory) -> Path:
    """A folder of this process's own, called `name`, with what `make` writes into a folder that it is given.

    `make` runs in one process; whoever else asks meanwhile waits for it.
    """
    own = factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "made-once"
    shared.mkdir(exist_ok=True)
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / name).exists():
            part = shared / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)  # of a process that failed
            make(part)
            part.rename(shared / name)
    return shutil.copytree(shared / name, factory.mktemp(name) / name)
