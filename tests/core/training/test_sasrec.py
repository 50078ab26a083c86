import json
import shutil

import pytest
from small_run import ITEMS, USERS, make_run

from reg4rec_core.checkpoint import open_run
from reg4rec_core.config import SasrecConfig
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.evaluation.trained_peers import load_sasrec, rank_with_sasrec
from reg4rec_core.training import sasrec as stage
from reg4rec_core.training.sasrec import train_sasrec
from reg4rec_core.types import InputError

SMALL = SasrecConfig(
    width=16, hidden=32, epochs=20, patience=20, batch_size=16, learning_rate=1e-2, dropout=0.3, warmup_steps=5
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with a SASRec that has learnt its successor rule. Never write into it."""
    run = make_run(tmp_path_factory.mktemp("runs") / "run")
    train_sasrec(run, SMALL)
    return run


def dies_in_epoch(number, monkeypatch):
    real_epoch, calls = stage.train_epoch, []

    def epoch(*arguments):
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        return real_epoch(*arguments)

    monkeypatch.setattr(stage, "train_epoch", epoch)


def test_it_learns_which_item_follows_which(trained):
    run = open_run(trained)
    questions = held_out(run.load_dataset().interactions, "test")
    ranking = rank_with_sasrec(run, load_sasrec(run), questions, progress=unseen_progress)
    assert len(questions) == USERS
    assert (ranking.places["excluded"] == 1).mean() > 0.9, f"chance is 1 of {ITEMS}"
    assert (ranking.places["included"] <= 2).mean() > 0.9, "only the last item itself may stand before its successor"


def test_the_report_and_the_weights_become_part_of_the_manifest(trained):
    run = open_run(trained)
    run.verify()
    names = json.loads((trained / "manifest.json").read_text())["sha256"]
    assert {"baselines/sasrec.json", "baselines/sasrec.safetensors"} <= set(names)
    assert not (trained / "baselines" / "sasrec.resume").exists()
    report = run.read_json("baselines/sasrec.json")
    assert SasrecConfig.from_dict(report["settings"]) == SMALL
    assert min(report[name] for name in ("seconds", "cpu_seconds", "peak_memory_mb")) > 0
    assert report["valid_ndcg@10"] > 0.9


def test_a_killed_training_resumes_to_the_same_bytes(tmp_path, monkeypatch):
    config = SasrecConfig(**{**SMALL.to_dict(), "epochs": 5})
    whole, killed = make_run(tmp_path / "whole"), make_run(tmp_path / "killed")
    train_sasrec(whole, config)
    with monkeypatch.context() as patch:
        dies_in_epoch(3, patch)
        with pytest.raises(KeyboardInterrupt):
            train_sasrec(killed, config)
    assert [path.name for path in (killed / "baselines").iterdir()] == ["sasrec.resume"]
    said = []
    train_sasrec(killed, config, progress=said.append)
    assert said[0] == "resumed after epoch 2"
    name = "baselines/sasrec.safetensors"
    assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_the_best_epoch_gives_the_weights_also_when_it_lies_before_a_kill(tmp_path, monkeypatch):
    def train(name, patience, *, killed_in):
        run, config = make_run(tmp_path / name), SasrecConfig(**{**SMALL.to_dict(), "epochs": 5, "patience": patience})
        values = iter([0.2, 0.9, 0.1, 0.3, 0.4])
        with monkeypatch.context() as patch:
            patch.setattr(stage, "ndcg_at", lambda *_: next(values))
            with patch.context() as inner:
                dies_in_epoch(killed_in, inner)
                with pytest.raises(KeyboardInterrupt):
                    train_sasrec(run, config)
            report = train_sasrec(run, config)
        return report, (run / "baselines" / "sasrec.safetensors").read_bytes()

    early, weights = train("early", 1, killed_in=2)
    late, others = train("late", 9, killed_in=4)
    assert (early["epochs"], late["epochs"]) == (3, 5)
    assert early["best_epoch"] == late["best_epoch"] == 2
    assert weights == others


def test_the_seed_decides_the_weights(tmp_path):
    def weights(name, seed):
        run = make_run(tmp_path / name)
        train_sasrec(run, SasrecConfig(**{**SMALL.to_dict(), "epochs": 1, "seed": seed}))
        return (run / "baselines" / "sasrec.safetensors").read_bytes()

    assert weights("a", 1) == weights("b", 1) != weights("c", 2)


def test_a_trained_one_is_not_overwritten(trained):
    before = (trained / "manifest.json").read_text()
    with pytest.raises(InputError, match=r"has a trained sasrec already; delete .*sasrec\.json"):
        train_sasrec(trained, SMALL)
    assert (trained / "manifest.json").read_text() == before


def test_resuming_with_other_settings_is_refused(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run")
    with monkeypatch.context() as patch:
        dies_in_epoch(2, patch)
        with pytest.raises(KeyboardInterrupt):
            train_sasrec(run, SMALL)
    with pytest.raises(InputError, match="other settings"):
        train_sasrec(run, SasrecConfig(**{**SMALL.to_dict(), "batch_size": 8}))


def test_a_run_whose_files_changed_is_refused(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "baselines" / "sasrec.json").unlink()
    (run / "run.json").write_text("{}")
    with pytest.raises(InputError, match="differs from its manifest"):
        train_sasrec(run, SMALL)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 15}, "width must be a multiple of n_heads, got 15 and 2"),
        ({"epochs": 0}, "epochs must be >= 1, got 0"),
        ({"dropout": 1.0}, "dropout must lie in"),
        ({"learning_rate": float("nan")}, "learning_rate must be > 0, got nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        SasrecConfig(**changes)


def test_weights_of_another_catalogue_are_refused(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    report = json.loads((run / "baselines" / "sasrec.json").read_text())
    report["settings"]["width"] = 32
    (run / "baselines" / "sasrec.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="does not fit this run"):
        load_sasrec(open_run(run))
