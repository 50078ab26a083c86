"""Pre-training in other number formats, from the command line."""

import json
import shutil

import pytest
from command_line import succeed
from safetensors.torch import load_file

from reg4rec_core.checkpoint import open_run
from reg4rec_core.precision import controller, linear_layers
from reg4rec_core.training import pretrain as stage

pytestmark = pytest.mark.usefixtures("quick_theta")


@pytest.fixture(scope="module")
def coded_run(tiny_data, tmp_path_factory):
    run = tmp_path_factory.mktemp("precision") / "run"
    sizes = ("--n-codebooks", "3", "--codebook-size", "6", "--code-width", "4", "--epochs", "3")
    succeed("fit-tokenizer", "--data", tiny_data, "--run", run, *sizes)
    return run


def pretrain(coded_run, path, *options, epochs=3):
    if not path.exists():
        shutil.copytree(coded_run, path)
    sizes = ("--width", "16", "--hidden", "24", "--n-heads", "2", "--batch-size", "16", "--learning-rate", "0.01")
    together = ("--encoder-share", "0", "--encoder-rate", "1")  # every epoch asks every layer
    return succeed(
        "pretrain", "--run", path, *sizes, *together, "--warmup-steps", "2", "--epochs", str(epochs), *options
    )


def weights_of(run):
    return load_file(run / "weights" / "pretrained.safetensors")


def losses_of(run):
    return [record["loss"] for record in open_run(run).metrics() if record.get("stage") == "pretrain"]


@pytest.fixture
def coarse_formats_save_time(monkeypatch):
    """On this machine they need not; plans must not hang on the clock here."""
    share = {"fp32": 1.0, "bf16": 0.5, "fp8": 0.25}
    monkeypatch.setattr(controller, "linear_milliseconds", lambda shape, p, device: share[p])


@pytest.mark.parametrize("precision", ["bf16", "fp8"])
def test_a_run_trained_in_a_coarse_format_learns_and_opens(coded_run, tmp_path, precision):
    run = tmp_path / precision
    pretrain(coded_run, run, "--precision", precision)
    assert losses_of(run)[-1] < losses_of(run)[0]
    assert open_run(run).settings["pretrain"]["precision"] == precision
    assert open_run(run).network().n_codebooks == 3, "the same parameters under the same names"
    assert not (run / "precision.jsonl").exists()


def test_a_plan_is_logged_for_every_linear_layer_and_belongs_to_the_run(coded_run, tmp_path, coarse_formats_save_time):
    run = tmp_path / "run"
    pretrain(coded_run, run, "--precision", "ladq", "--precision-period", "10", "--precision-budget", "0.5")
    assert losses_of(run)[-1] < losses_of(run)[0]
    records = [json.loads(line) for line in (run / "precision.jsonl").read_text().splitlines()]
    layers = list(linear_layers(open_run(run).network().network))
    first = [record for record in records if record["step"] == 7]
    assert [record["layer"] for record in first] == layers
    assert {record["dtype"] for record in first} >= {"fp32", "bf16"}
    assert all(record["sensitivity"] > 0 and record["measured_ms"] > 0 for record in first)
    assert "precision.jsonl" in json.loads((run / "manifest.json").read_text())["sha256"]


def test_a_killed_ladq_run_resumes_to_the_same_plans_and_weights(
    coded_run, tmp_path, coarse_formats_save_time, monkeypatch
):
    options = ("--precision", "ladq", "--precision-period", "13")
    pretrain(coded_run, tmp_path / "whole", *options)
    real_epoch, calls = stage.train_epoch, []

    def dies_in_the_second_epoch(*arguments):
        terms = real_epoch(*arguments)
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return terms

    monkeypatch.setattr(stage, "train_epoch", dies_in_the_second_epoch)
    with pytest.raises(AssertionError):
        pretrain(coded_run, tmp_path / "killed", *options)
    monkeypatch.setattr(stage, "train_epoch", real_epoch)
    pretrain(coded_run, tmp_path / "killed", *options)

    whole, killed = weights_of(tmp_path / "whole"), weights_of(tmp_path / "killed")
    assert all(whole[name].equal(killed[name]) for name in whole)
    logs = [
        [{**json.loads(line), "measured_ms": 0} for line in (tmp_path / name / "precision.jsonl").open()]
        for name in ("whole", "killed")
    ]
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    ("option", "value"), [("--precision", "fp4"), ("--precision-period", "0"), ("--precision-budget", "-1")]
)
def test_a_precision_that_cannot_be_is_refused_in_one_line(coded_run, reg4rec, option, value):
    result = reg4rec("pretrain", "--run", str(coded_run), option, value)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1


def test_the_four_precisions_are_timed_side_by_side(coded_run):
    widths = ("--width", "8", "--width", "16")
    result = succeed("bench", "precision", "--run", coded_run, *widths, "--windows", "8", "--steps", "1", "--json")
    report = json.loads(result.stdout)
    assert list(report["widths"]) == ["8", "16"]
    for measured in report["widths"].values():
        assert list(measured["modes"]) == ["fp32", "bf16", "fp8", "ladq"]
        assert measured["modes"]["fp32"]["speed_up"] == 1
        assert measured["modes"]["bf16"]["layers"] == {"bf16": len(measured["plan"])}
        assert all(mode["examples_per_second"] > 0 for mode in measured["modes"].values())
        assert {record["dtype"] for record in measured["plan"]} <= {"fp32", "bf16", "fp8"}
    assert "speed up" in result.stderr


def test_a_width_that_heads_do_not_divide_is_refused(coded_run, reg4rec):
    result = reg4rec("bench", "precision", "--run", str(coded_run), "--width", "6")
    assert result.exit_code == 2
    assert "multiple of n_heads" in result.stderr
