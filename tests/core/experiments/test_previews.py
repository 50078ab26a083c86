"""Previews train copies in the background, one after the other, and leave nothing behind that was not kept."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reg4rec_core.checkpoint import open_run
from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.experiments.previews import MAX_PREVIEWS, PreviewPlan, Previews, read_steps
from reg4rec_core.experiments.trial_run import copy_pretrained
from reg4rec_core.types import InputError

ROOT = Path(__file__).parents[3]
SHORT = PostTrainConfig(steps=2, batch_size=6, rollouts=4, validate_every=2, learning_rate=1e-3)
LONG = PostTrainConfig(steps=100_000, batch_size=6, rollouts=4, validate_every=100_000)
WEIGHTS = RewardWeights.parse("step=0.5,path=2")


@pytest.fixture
def previews(tmp_path) -> Iterator[Previews]:
    opened = Previews(tmp_path / "previews", niceness=1)
    yield opened
    opened.close()
    assert not list((tmp_path / "previews").glob("app-*/*")), "something was left behind"


def until(condition: Callable[[], bool], *, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_preview_trains_a_copy_that_can_be_kept(previews, two_stage_run, tmp_path):
    before = files_of(two_stage_run)
    number = previews.start(PreviewPlan(two_stage_run, WEIGHTS, SHORT))
    with pytest.raises(InputError, match="only a finished preview can be kept"):
        previews.keep(number, "mine", tmp_path / "checkpoints")
    until(lambda: previews.state(number).is_over)
    state = previews.state(number)
    assert (state.phase, state.error) == ("done", "")
    assert [record["step"] for record in state.records] == [1, 2]
    assert files_of(two_stage_run) == before, "the run itself is never written"
    for name in ("../mine", "", ".mine", "a/b"):
        with pytest.raises(InputError, match="a run's name is made of letters"):
            previews.keep(number, name, tmp_path / "checkpoints")
    (tmp_path / "checkpoints" / "taken").mkdir(parents=True)
    with pytest.raises(InputError, match="there is a run taken already"):
        previews.keep(number, "taken", tmp_path / "checkpoints")
    kept = open_run(previews.keep(number, "mine", tmp_path / "checkpoints"))
    kept.verify()
    assert kept.settings["reward_weights"] == WEIGHTS.to_dict()
    assert kept.settings["post_train"]["steps"] == 2
    assert kept.weights_available() == ["post_trained", "pretrained"]
    previews.cancel(number)
    assert previews.state(number).phase == "kept"
    assert kept.path.exists()


def test_a_second_preview_waits_and_both_can_be_cancelled(previews, tiny_run):
    first, second = (previews.start(PreviewPlan(tiny_run, WEIGHTS, LONG)) for _ in range(2))
    until(lambda: previews.state(first).phase == "training")
    assert (previews.state(second).phase, previews.state(second).ahead) == ("waiting", 1)
    assert previews.numbers() == [first, second]
    process, copy = previews._previews[first].process, previews.state(first).path
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == 1 + os.getpriority(os.PRIO_PROCESS, 0)
    third = previews.start(PreviewPlan(tiny_run, WEIGHTS, LONG))
    previews.cancel(second)
    previews.cancel(first)
    until(lambda: previews.state(first).phase == "cancelled")
    assert process.poll() is not None
    assert not copy.exists()
    until(lambda: previews.state(third).phase == "starting")
    assert previews.numbers() == [third], "the third takes the place, the second is never begun"


def test_closing_while_a_run_is_copied_leaves_nothing_behind(tmp_path, tiny_run, monkeypatch):
    begun = threading.Event()

    def slowly(source: Path, target: Path) -> None:
        begun.set()
        time.sleep(0.3)
        copy_pretrained(source, target)

    monkeypatch.setattr("reg4rec_core.experiments.previews.copy_pretrained", slowly)
    opened = Previews(tmp_path / "previews")
    opened.start(PreviewPlan(tiny_run, WEIGHTS, SHORT))
    assert begun.wait(30)
    opened.close()
    time.sleep(0.5)
    assert not list((tmp_path / "previews").glob("app-*"))


def test_a_run_that_cannot_be_trained_fails_in_words(previews, tiny_run, tmp_path):
    damaged = tmp_path / "damaged"
    copy_pretrained(tiny_run, damaged)
    (damaged / "tokenizer_report.json").write_text("{}")
    number = previews.start(PreviewPlan(damaged, WEIGHTS, SHORT))
    until(lambda: previews.state(number).is_over)
    assert previews.state(number).phase == "failed"
    assert "differs from its manifest" in previews.state(number).error
    with pytest.raises(InputError, match="there is no preview 7"):
        previews.state("7")


def test_too_many_previews_are_refused(previews, tmp_path):
    with previews._guard:  # so that none of them begins, and fails, meanwhile
        for _ in range(MAX_PREVIEWS):
            previews.start(PreviewPlan(tmp_path / "nothing", WEIGHTS, SHORT))
        with pytest.raises(InputError, match=f"at most {MAX_PREVIEWS} previews"):
            previews.start(PreviewPlan(tmp_path / "nothing", WEIGHTS, SHORT))


PARENT = """
import sys, time
from pathlib import Path
from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.experiments.previews import PreviewPlan, Previews
previews = Previews(Path(sys.argv[2]), niceness=0)
config = PostTrainConfig(steps=100_000, batch_size=6, rollouts=4, validate_every=100_000)
number = previews.start(PreviewPlan(Path(sys.argv[1]), RewardWeights(), config))
while previews.state(number).phase != "training":
    time.sleep(.05)
print(previews._previews[number].process.pid, flush=True)
time.sleep(600)
"""


def test_a_killed_application_leaves_no_orphan_and_the_next_one_cleans_up(tiny_run, tmp_path):
    folder, environment = tmp_path / "previews", os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PARENT, str(tiny_run), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        try:
            child = int(parent.stdout.readline())
            assert is_alive(child)
            Previews(folder)
            assert list(folder.glob("app-*/1/run.json")), "what a living application holds is left alone"
        finally:
            parent.send_signal(signal.SIGKILL)
    until(lambda: not is_alive(child), seconds=20)
    assert list(folder.glob("app-*/1"))
    Previews(folder)
    assert not list(folder.glob("app-*"))


def test_a_line_that_is_not_whole_yet_is_left(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert read_steps(path) == ()
    path.write_text('{"stage": "post-train", "step": 1, "reward": 0.5}\n{"stage": "post-train", "st')
    assert [record["step"] for record in read_steps(path)] == [1]


def test_a_copy_starts_where_pre_training_ended(two_stage_run, tmp_path):
    copy_pretrained(two_stage_run, tmp_path / "copy")
    copy = open_run(tmp_path / "copy")
    copy.verify()
    assert copy.weights_available() == ["pretrained"]
    assert copy.decode_config() == open_run(two_stage_run).decode_config()
    assert "post_train" not in copy.settings
    assert copy.metrics()
