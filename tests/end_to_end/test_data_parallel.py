"""Training with several processes: started by torchrun as the README says, or quicker where that is not the point."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_run import make_run

from reg4rec_core.checkpoint import open_run

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="workers are found by /proc"),
    pytest.mark.usefixtures("quick_theta"),
]

NETWORK = ("--width", "16", "--hidden", "16", "--n-heads", "2", "--dropout", "0", "--decoder-dropout", "0")
TRAINING = ("--batch-size", "7", "--learning-rate", "0.01", "--warmup-steps", "4", "--seed", "3")
USERS = 25
"""Few; batches and shares come out uneven."""
TESTS = Path(__file__).parents[1]
PATIENCE = 240
"""Seconds until a job counts as hanging."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(processes: int, *arguments: object) -> subprocess.Popen[str]:
    """`torchrun -m reg4rec_core.cli -- ARGUMENTS` on the loopback interface, without a GPU."""
    torchrun = ["torch.distributed.run", "--nproc-per-node", processes]
    address = ["--master-addr", "127.0.0.1", "--master-port", free_port()]
    return process(*torchrun, *address, "-m", "reg4rec_core.cli", "--", *arguments)


def fork(processes: int, *arguments: object, module: str = "reg4rec_core.cli") -> subprocess.Popen[str]:
    """The same job in workers that start sooner."""
    return process("forked_workers", processes, free_port(), module, *arguments)


def process(*arguments: object) -> subprocess.Popen[str]:
    """`python -m ARGUMENTS`, in sight of the modules of the tests."""
    command = [sys.executable, "-m", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "GLOO_SOCKET_IFNAME": "lo"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(job: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a job; it must not hang."""
    try:
        out, errors = job.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        job.kill()
        pytest.fail("the workers wait for each other")
    return job.returncode, out, errors


def worker_of(job: subprocess.Popen[str], rank: int) -> int:
    """Process id of the worker with this rank."""
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    return next(int(pid) for pid in children if f"RANK={rank}".encode() in environment_of(pid))


def environment_of(pid: str) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


def records(run: Path, stage: str = "pretrain") -> list[dict]:
    """What a stage logged, in order."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["stage"] == stage]


def files_of(run: Path) -> list[str]:
    return sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())


def test_two_processes_give_the_curve_and_the_files_of_one(reg4rec, tmp_path):
    alone, shared = (make_run(tmp_path / name, users=USERS) for name in ("alone", "shared"))
    options = ("--epochs", "3", "--json", *NETWORK, *TRAINING)
    job = fork(2, "pretrain", "--run", shared, *options, module="quick_theta")  # as the one process chooses it
    assert reg4rec("pretrain", "--run", alone, "--epochs", "3", *NETWORK, *TRAINING).exit_code == 0
    code, out, errors = finish(job)
    assert code == 0, errors
    assert json.loads(out)["epochs"] == 3, "one document, from the first worker"
    for record, expected in zip(records(shared), records(alone), strict=True):
        for name in ("loss", "encoder_item", "first_item", "left_item", "token", "category", "valid_ndcg@10"):
            # Sums in another order: differences of 1e-7 a step grow with the steps.
            assert record[name] == pytest.approx(expected[name], rel=1e-4), name
        assert (record["epoch"], record["step"]) == (expected["epoch"], expected["step"])
    assert files_of(shared) == files_of(alone)
    assert open_run(shared).decode_config() == open_run(alone).decode_config()
    assert errors.count("epoch 2: loss") == 1


def test_two_processes_post_train_as_one(reg4rec, tiny_run, tmp_path):
    alone, shared = (Path(shutil.copytree(tiny_run, tmp_path / name)) for name in ("alone", "shared"))
    for run in map(open_run, (alone, shared)):  # each worker would drop something else
        run.update_settings(pretrain=run.settings["pretrain"] | {"dropout": 0.0, "decoder_dropout": 0.0})
    settings = ("--steps", "4", "--batch-size", "11", "--rollouts", "6", "--validate-every", "2", "--seed", "3")
    job = start(2, "post-train", "--run", shared, *settings, "--inner-updates", "2", "--json")
    assert reg4rec("post-train", "--run", alone, *settings, "--inner-updates", "2").exit_code == 0
    code, out, errors = finish(job)
    assert code == 0, errors
    assert json.loads(out)["steps"] == 4
    for record, expected in zip(records(shared, "post-train"), records(alone, "post-train"), strict=True):
        assert record.keys() == expected.keys()
        for name in expected.keys() - {"stage", "seconds", "step_time"}:
            # Sums in another order, and the policy term is a small difference of large ones.
            assert record[name] == pytest.approx(expected[name], rel=1e-3, abs=1e-4), name
    assert files_of(shared) == files_of(alone)


def test_a_killed_worker_ends_the_job_and_one_process_goes_on(reg4rec, tmp_path):
    run = make_run(tmp_path / "run", users=USERS)
    job = start(2, "pretrain", "--run", run, "--epochs", "100000", "--patience", "100000", *NETWORK, *TRAINING)
    deadline = time.monotonic() + PATIENCE
    while not (run / "metrics.jsonl").exists():  # until the first epoch is saved and logged
        assert job.poll() is None, finish(job)
        assert time.monotonic() < deadline, finish(job)
        time.sleep(0.05)
    os.kill(worker_of(job, 1), signal.SIGKILL)
    code, _, errors = finish(job)
    assert code != 0
    said = [line for line in errors.splitlines() if line.startswith("Error:")]
    assert len(said) == 1, errors
    assert "another worker was lost" in said[0]
    assert "goes on after the last saved state" in said[0]

    epochs = len(records(run))
    result = reg4rec("pretrain", "--run", run, "--epochs", epochs + 1, *NETWORK, *TRAINING)
    assert result.exit_code == 0, result.stderr
    assert "resumed after epoch" in result.stderr
    assert records(run)[-1]["epoch"] == epochs + 1
    assert not (run / "pretrain.resume").exists()


def test_bad_input_is_said_once_and_nothing_hangs(tmp_path):
    code, out, errors = finish(start(2, "pretrain", "--run", tmp_path / "nothing"))
    assert code != 0
    assert out == ""
    assert [line for line in errors.splitlines() if line.startswith("Error:")] == [
        f"Error: there is no run at {tmp_path / 'nothing'}; "
        f"make one with: reg4rec fit-tokenizer --data DATA --run {tmp_path / 'nothing'}"
    ]
    assert errors.count("exitcode  : 2") == 2, errors  # torchrun itself always exits with 1
