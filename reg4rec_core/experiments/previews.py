"""Post-trainings to look at before anything is kept: real steps on copies of runs, one after the other.

FOLDER/lock           taken while an application begins, so that two do not clean up at once
FOLDER/app-X/held     locked by the application that owns the folder; what nobody holds is deleted at the next start
FOLDER/app-X/N        the copy of preview N
FOLDER/app-X/N.log    what its process said
"""

import atexit
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Literal

import reg4rec_core
from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.experiments.trial_run import copy_pretrained
from reg4rec_core.types import InputError

Phase = Literal["waiting", "starting", "training", "closing", "done", "failed", "cancelled", "kept"]
MAX_PREVIEWS = 6
"""Previews that may wait, run or lie there at a time; each is as large as its run."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NICENESS = 10
"""How far the training gives way to other processes, 0 to 19: the application stays quick."""
PATIENCE = 5.0
"""Seconds that a cancelled process has to end by itself."""
LONGEST_COPY = 60.0
"""Seconds that closing waits for a run that is just being copied."""


@dataclass(frozen=True)
class PreviewPlan:
    """What a preview does."""

    source: Path
    """The run whose pre-trained weights it starts from."""
    weights: RewardWeights
    config: PostTrainConfig


@dataclass(frozen=True)
class PreviewState:
    """Where a preview stands."""

    number: str
    plan: PreviewPlan
    phase: Phase
    path: Path
    """The copy that is trained; the kept run once it is kept."""
    ahead: int
    """Previews that wait or run before this one."""
    error: str
    """Why it failed, "" where it did not."""
    records: tuple[dict[str, Any], ...]
    """One a training step: `step`, `reward`, `rewards/TERM/mean`, ..., as the run's metrics.jsonl has them."""

    @property
    def is_over(self) -> bool:
        return self.phase in ("done", "failed", "cancelled", "kept")


@dataclass
class _Preview:
    """A preview and its process; changed by the worker and by whoever cancels or keeps it."""

    plan: PreviewPlan
    path: Path
    phase: Phase = "waiting"
    error: str = ""
    cancelled: bool = False
    process: subprocess.Popen | None = field(default=None, repr=False)

    @property
    def takes_room(self) -> bool:
        return self.phase not in ("cancelled", "failed", "kept")

    @property
    def log(self) -> Path:
        return self.path.with_name(self.path.name + ".log")


class Previews:
    """The previews of one application, trained one at a time by one thread; safe to ask from many threads."""

    def __init__(self, folder: Path, *, niceness: int = NICENESS) -> None:
        """Deletes what applications that no longer live have left in `folder`; writes nothing until one is started."""
        self.folder, self.niceness = folder.resolve(), niceness
        self._own: Path | None = None
        self._held: IO[bytes] | None = None
        self._previews: dict[str, _Preview] = {}
        self._waiting: SimpleQueue[str] = SimpleQueue()
        self._guard = threading.RLock()
        self._worker: threading.Thread | None = None
        self._closed = False
        if self.folder.exists():
            with _locked(self.folder / "lock"):
                delete_left_over(self.folder)

    def start(self, plan: PreviewPlan) -> str:
        """Put a preview in the queue and return its number; InputError when there are too many."""
        with self._guard:
            if sum(preview.takes_room for preview in self._previews.values()) >= MAX_PREVIEWS:
                raise InputError(f"at most {MAX_PREVIEWS} previews lie side by side; discard one to start another")
            if self._own is None:
                self._begin()
            number = str(len(self._previews) + 1)
            self._previews[number] = _Preview(plan, self._own / number)
            self._waiting.put(number)
            return number

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder / "lock"):
            delete_left_over(self.folder)
            self._own = Path(tempfile.mkdtemp(prefix="app-", dir=self.folder))
            self._held = (self._own / "held").open("wb")
            fcntl.flock(self._held, fcntl.LOCK_EX)
        self._worker = threading.Thread(target=self._work, daemon=True, name="previews")
        self._worker.start()
        atexit.register(self.close)

    def _work(self) -> None:
        while not self._closed:
            number = self._waiting.get()
            if number in self._previews and not self._previews[number].cancelled:
                self._train(self._previews[number])

    def _train(self, preview: _Preview) -> None:
        """Copy the run, train the copy in a process of its own, and wait for it."""
        try:
            preview.phase = "starting"
            copy_pretrained(preview.plan.source, preview.path)
            code = self._process(preview)
            self._settle(preview, "failed" if code else "done", last_line(preview.log, code) if code else "")
        except InputError as error:
            self._settle(preview, "failed", str(error))
        except Exception as error:  # whatever it is, the previews behind it still get their turn
            self._settle(preview, "failed", f"{type(error).__name__}: {error}")

    def _process(self, preview: _Preview) -> int:
        with preview.log.open("wb") as log, self._guard:
            if preview.cancelled:
                return -1
            preview.process = subprocess.Popen(
                command_of(preview.plan, preview.path, niceness=self.niceness),
                stdin=subprocess.PIPE,  # held open while this application lives: see cli/tethered.py
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment(),
            )
        code = preview.process.wait()
        preview.process.stdin.close()
        return code

    def _settle(self, preview: _Preview, phase: Phase, error: str) -> None:
        with self._guard:
            preview.phase, preview.error = ("cancelled", "") if preview.cancelled else (phase, error)
            preview.process = None
            if preview.phase != "done":
                shutil.rmtree(preview.path, ignore_errors=True)

    def numbers(self) -> list[str]:
        """Previews in the order they were started, those that were cancelled left out."""
        with self._guard:
            return [number for number, preview in self._previews.items() if preview.phase != "cancelled"]

    def state(self, number: str) -> PreviewState:
        """Where a preview stands now; InputError when this application knows none of that number."""
        with self._guard:
            preview = self._find(number)
            before = list(self._previews.values())[: list(self._previews).index(number)]
            ahead = sum(other.phase in ("waiting", "starting") for other in before)
            phase, path = preview.phase, preview.path
        records = read_steps(path / "metrics.jsonl") if phase in ("starting", "done", "kept") else ()
        if phase == "starting" and records:
            phase = "closing" if len(records) >= preview.plan.config.steps else "training"
        return PreviewState(number, preview.plan, phase, path, ahead, preview.error, records)

    def cancel(self, number: str) -> None:
        """Stop a preview that waits or runs, discard one that is done; its copy is deleted. A kept run stays."""
        with self._guard:
            preview = self._find(number)
            if preview.phase == "kept":
                return
            preview.cancelled, process = True, preview.process
            if preview.phase in ("waiting", "done", "failed"):
                self._settle(preview, "cancelled", "")
        if process is not None:
            end(process)

    def keep(self, number: str, name: str, checkpoints: Path) -> Path:
        """Move a finished preview to `checkpoints`/`name`; InputError for a name that is taken or is none."""
        with self._guard:
            preview = self._find(number)
            if preview.phase != "done":
                raise InputError(f"only a finished preview can be kept, preview {number} is {preview.phase}")
            if not NAME.fullmatch(name):
                raise InputError(f"a run's name is made of letters, digits, dots, dashes and underscores, got {name!r}")
            target = checkpoints.resolve() / name
            if target.exists():
                raise InputError(f"there is a run {name} already; choose another name")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(preview.path, target)
            preview.path, preview.phase = target, "kept"
            return target

    def _find(self, number: str) -> _Preview:
        if number not in self._previews:
            raise InputError(f"there is no preview {number}; previews end with the application, start it again")
        return self._previews[number]

    def close(self) -> None:
        """End what runs and delete every copy that was not kept."""
        self._closed = True
        for number in list(self._previews):
            self.cancel(number)
        self._waiting.put("")  # wakes the thread, so that it sees that it is over
        if self._worker is not None:
            self._worker.join(LONGEST_COPY)  # it may be copying a run just now
        if self._own is not None and self._held is not None:
            self._held.close()
            shutil.rmtree(self._own, ignore_errors=True)


def command_of(plan: PreviewPlan, path: Path, *, niceness: int) -> list[str]:
    """The command line that trains a copy."""
    settings: list[str] = []
    for name, value in plan.config.to_dict().items():
        settings += [f"--{name.replace('_', '-')}", str(value)]
    program = [sys.executable, "-m", "reg4rec_core.cli.tethered", str(niceness), "post-train", "--run", str(path)]
    return [*program, "--reward-weights", str(plan.weights), *settings]


def environment() -> dict[str, str]:
    """One thread, and this very package."""
    package = str(Path(reg4rec_core.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}


def read_steps(path: Path) -> tuple[dict[str, Any], ...]:
    """The training steps of post-training that a metrics.jsonl holds; a last line that is not whole yet is left."""
    if not path.exists():
        return ()
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    records = (json.loads(line) for line in whole.splitlines())
    return tuple(record for record in records if record["stage"] == "post-train" and "reward" in record)


def last_line(log: Path, code: int) -> str:
    """What a failed process said last."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1].removeprefix("Error: ") if lines else f"the training ended with code {code}"


def end(process: subprocess.Popen) -> None:
    """Ask a process to end, and make it."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def delete_left_over(folder: Path) -> None:
    """Delete the folders of applications that no longer live; only under the folder's lock."""
    for other in folder.glob("app-*"):
        held = other / "held"
        if not held.exists() or not _is_held(held):
            shutil.rmtree(other, ignore_errors=True)


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
