import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_run import SMALL, USERS, make_run

from reg4rec_core.checkpoint import open_run
from reg4rec_core.config import PretrainConfig
from reg4rec_core.data.batching import training_windows
from reg4rec_core.training import pretrain as stage
from reg4rec_core.training.parallel import ALONE
from reg4rec_core.training.pretrain import epoch_batches, finished, learning_rate_factor, pretrain
from reg4rec_core.types import InputError

pytestmark = pytest.mark.usefixtures("quick_theta")


def weights_of(run: Path):
    return load_file(run / "weights" / "pretrained.safetensors")


def test_pretraining_learns_to_continue_a_sequence(tmp_path):
    run = make_run(tmp_path / "run")
    report = pretrain(
        run,
        replace(SMALL, transition_weight=0.0),  # or the counts alone know the answer
        PretrainConfig(
            epochs=25,
            encoder_share=0.0,
            encoder_rate=1.0,
            batch_size=16,
            learning_rate=1e-2,
            dropout=0.1,
            warmup_steps=5,
        ),
    )
    assert report["valid_ndcg@10"] > 0.8, "chance is about 0.25"
    assert open_run(run).network().n_codebooks == 3
    assert open_run(run).decode_config().theta == (report["theta"] or math.inf)
    choice = open_run(run).read_json("evaluation/theta_choice.json")
    assert choice["users"] == stage.THETA_USERS
    assert 0.06 in [row["theta"] for row in choice["results"]]
    losses = [record["loss"] for record in open_run(run).metrics()]
    assert losses[-1] < losses[0] / 2


def test_a_killed_run_resumes_to_the_same_weights(tmp_path, monkeypatch):
    config = PretrainConfig(epochs=4, batch_size=16, warmup_steps=2)
    whole, killed = make_run(tmp_path / "whole"), make_run(tmp_path / "killed")
    pretrain(whole, SMALL, config)

    real_epoch, calls = stage.train_epoch, []

    def dies_in_the_third_epoch(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real_epoch(*arguments)

    monkeypatch.setattr(stage, "train_epoch", dies_in_the_third_epoch)
    with pytest.raises(KeyboardInterrupt):
        pretrain(killed, SMALL, config)
    monkeypatch.setattr(stage, "train_epoch", real_epoch)
    said = []
    pretrain(killed, SMALL, config, progress=said.append)
    assert said[0] == "resumed after epoch 2"
    for name, value in weights_of(whole).items():
        torch.testing.assert_close(weights_of(killed)[name], value, rtol=0, atol=0)
    assert not (killed / "pretrain.resume").exists()


def test_the_seed_decides_everything(tmp_path):
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run = make_run(tmp_path / name)
        pretrain(run, SMALL, PretrainConfig(epochs=1, batch_size=16, seed=seed))
        weights.append(weights_of(run)["category_head.weight"])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_resuming_with_other_settings_is_refused(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run")
    real_epoch = stage.train_epoch
    calls = []

    def dies_in_the_second_epoch(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real_epoch(*arguments)

    monkeypatch.setattr(stage, "train_epoch", dies_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        pretrain(run, SMALL, PretrainConfig(epochs=3, batch_size=16))
    with pytest.raises(InputError, match="other settings"):
        pretrain(run, SMALL, PretrainConfig(epochs=3, batch_size=8))


def test_a_finished_run_is_not_overwritten(tmp_path):
    run = make_run(tmp_path / "run")
    pretrain(run, SMALL, PretrainConfig(epochs=1, batch_size=16))
    before = (run / "manifest.json").read_text()
    with pytest.raises(InputError, match="pre-trained already"):
        pretrain(run, SMALL, PretrainConfig(epochs=1, batch_size=16))
    assert (run / "manifest.json").read_text() == before
    assert "weights/pretrained.safetensors" in json.loads(before)["sha256"]


def test_every_transition_of_the_training_part_is_learnt_once(tmp_path):
    interactions = open_run(make_run(tmp_path / "run")).load_dataset().interactions
    windows = training_windows(interactions, 3)
    pairs = [(a, b) for w in windows for a, b in itertools.pairwise(w.tolist()) if a]
    expected = []
    for user in range(USERS):
        sequence = interactions.sequence(user)[:-2].tolist()
        expected += itertools.pairwise(sequence)
    assert sorted(pairs) == sorted(expected)


def test_an_epoch_holds_every_window_once():
    rng = np.random.default_rng(0)
    windows = np.zeros((50, 6), np.int64)
    for row, length in zip(windows, rng.integers(2, 7, 50), strict=True):
        row[6 - length :] = rng.integers(1, 100, length)
    seen = []
    for batch in epoch_batches(windows, batch_size=8, generator=torch.Generator().manual_seed(0)):
        assert (batch > 0).any(0).all(), "a batch is cut to its longest window"
        seen += [[0] * (6 - batch.shape[1]) + row for row in batch.tolist()]
    assert sorted(seen) == sorted(windows.tolist())


def test_the_learning_rate_warms_up_and_then_falls():
    rates = [learning_rate_factor(step, step / 100, warmup_steps=10) for step in range(101)]
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert rates.index(max(rates)) in (9, 10)
    assert max(rates) > 0.9
    assert rates[-1] == pytest.approx(0.05)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_the_learning_rate_falls_anew_when_the_decoder_joins():
    config = PretrainConfig(epochs=8, encoder_share=0.5)
    first = [stage.share_of_part(stage.Progress(epoch=e), config, epochs=e + 0.5, minutes=1.0) for e in range(4)]
    later = [
        stage.share_of_part(stage.Progress(epoch=e, joint_epochs=e - 4), config, epochs=e + 0.5, minutes=1.0)
        for e in range(4, 8)
    ]
    assert first == later == [0.125, 0.375, 0.625, 0.875]
    limited = replace(config, minutes=10.0)
    half_of_first = stage.share_of_part(stage.Progress(seconds=150.0), limited, epochs=0.5, minutes=2.5)
    half_of_second = stage.share_of_part(stage.Progress(epoch=2, seconds=450.0), limited, epochs=2.5, minutes=7.5)
    assert half_of_first == half_of_second == 0.5


def test_items_start_from_their_features(tmp_path):
    run = make_run(tmp_path / "run")
    config = PretrainConfig(feature_scale=0.05)
    starts = [
        stage.open_task(run, SMALL, replace(config, feature_scale=scale), ALONE).network.item_residual.weight[1:]
        for scale in (0.0, 0.05)
    ]
    features = torch.as_tensor(open_run(run).features()[1:])
    noise, known = (torch.corrcoef(torch.stack([torch.pdist(s), torch.pdist(features)]))[0, 1] for s in starts)
    assert known > 0.99 > 0.5 > abs(noise)


def test_training_stops_by_epochs_patience_or_minutes():
    config = PretrainConfig(epochs=10, patience=3, minutes=5.0)
    assert not finished(stage.Progress(), config)
    assert finished(stage.Progress(epoch=10, joint_epochs=1, best_epoch=10), config)
    assert finished(stage.Progress(epoch=6, joint_epochs=1, best_epoch=3), config)
    assert not finished(stage.Progress(epoch=4, joint_epochs=1, best_epoch=3, seconds=200.0), config)
    assert finished(stage.Progress(epoch=4, joint_epochs=1, best_epoch=3, seconds=220.0), config), (
        "a fifth epoch would end after 275 s"
    )
    assert not finished(
        stage.Progress(epoch=4, joint_epochs=1, best_epoch=3, seconds=1e9), PretrainConfig(minutes=math.inf)
    )


def test_the_encoder_learns_first_and_an_untrained_decoder_never_gives_the_weights(tmp_path):
    config = PretrainConfig(epochs=5, encoder_share=0.4, batch_size=16, warmup_steps=2)
    assert [stage.trains_encoder_alone(stage.Progress(epoch=e), config) for e in range(4)] == [True, True, False, False]
    assert not finished(stage.Progress(epoch=5, best_epoch=1), config)
    run = make_run(tmp_path / "run")
    report = pretrain(run, SMALL, config)
    records = open_run(run).metrics()
    assert [record["token"] > 0 for record in records] == [False, False, True, True, True]
    assert report["best_epoch"] > 2


def test_the_latest_epoch_as_good_as_the_best_gives_the_weights():
    done = stage.Progress()
    kept = []
    for epoch, (joint, ndcg) in enumerate([(0, 0.30), (0, 0.299), (1, 0.20), (2, 0.25), (3, 0.248), (4, 0.24)], 1):
        done.epoch, done.joint_epochs = epoch, joint
        kept.append(stage.judge(done, ndcg))
    assert kept == [True, False, True, True, True, False]
    assert (done.best_epoch, done.best_ndcg) == (5, 0.248)


def test_the_transition_weight_is_chosen_among_multiples_by_validation(tmp_path):
    run = make_run(tmp_path / "run")
    pretrain(run, SMALL, PretrainConfig(epochs=1, batch_size=16))
    found = open_run(run).settings["transition_weight"]
    assert found["chosen"] / SMALL.transition_weight in stage.EVIDENCE_SCALES
    assert found["valid_ndcg@10"][f"{found['chosen']:.3g}"] == max(found["valid_ndcg@10"].values())
    assert open_run(run).network().network.transition_weight == found["chosen"]


def test_without_a_weight_there_are_no_transitions(tmp_path):
    run = make_run(tmp_path / "run")
    pretrain(run, replace(SMALL, transition_weight=0.0), PretrainConfig(epochs=1, batch_size=16))
    network = open_run(run).network().network
    assert "transition_weight" not in open_run(run).settings
    assert (network.transitions, network.transition_weight) == (None, 0.0)
