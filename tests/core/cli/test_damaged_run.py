"""Training starts from nothing that differs from the run's manifest, and overwrites nothing when it refuses."""

import shutil

import pytest

NETWORK = ("--width", "8", "--hidden", "8", "--n-heads", "1", "--epochs", "1")


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of the trained run without its weights: what one pre-trains anew."""
    copy = shutil.copytree(tiny_run, tmp_path / "run")
    shutil.rmtree(copy / "weights")
    return copy


def contents(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("tokenizer.safetensors", b"other codes", "tokenizer.safetensors differs from its manifest"),
        ("data/users.parquet", b"", "users.parquet differs from its manifest"),
        ("run.json", b'{"format": 1}', "run.json differs from its manifest"),
        ("features.safetensors", None, "lost features.safetensors, which its manifest lists"),
        ("manifest.json", None, "has no manifest.json to check its files against"),
        ("manifest.json", b"{", "manifest.json is damaged"),
    ],
)
def test_a_run_that_differs_from_its_manifest_is_not_trained(reg4rec, run, name, damage, message):
    (run / name).unlink() if damage is None else (run / name).write_bytes(damage)
    before = contents(run)
    result = reg4rec("pretrain", "--run", run, *NETWORK)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert contents(run) == before


@pytest.mark.usefixtures("quick_theta")
def test_weights_that_were_deleted_are_trained_anew_in_half_precision(reg4rec, run):
    from safetensors.torch import load_file

    from reg4rec_core.checkpoint import open_run

    result = reg4rec("pretrain", "--run", run, *NETWORK)
    assert result.exit_code == 0, result.stderr
    stored = load_file(run / "weights" / "pretrained.safetensors")
    assert {str(value.dtype) for value in stored.values()} == {"torch.float16"}
    open_run(run).verify()
