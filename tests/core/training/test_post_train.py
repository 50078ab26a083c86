"""Post-training on a small trained run: it learns, resumes, logs, and refuses what it cannot use."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import reg4rec_core.training.post_train as stage
from reg4rec_core.checkpoint import open_run
from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.rewards import REWARD_TERMS, group_advantages, reward_terms
from reg4rec_core.types import InputError

CONFIG = PostTrainConfig(steps=6, batch_size=12, rollouts=8, learning_rate=3e-3, warmup_steps=2, validate_every=3)


def copied(run: Path, folder: Path) -> Path:
    return Path(shutil.copytree(run, folder))


def trained(run: Path, config: PostTrainConfig = CONFIG, weights: RewardWeights | None = None) -> list[dict]:
    stage.post_train(run, config, weights or RewardWeights())
    return records(run)


def records(run: Path) -> list[dict]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["stage"] == "post-train"]


@pytest.fixture(scope="module")
def post_trained(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = copied(tiny_run, tmp_path_factory.mktemp("runs") / "post")
    config = replace(CONFIG, steps=30, batch_size=24, validate_every=15, learning_rate=2e-3, nearest=3)
    config = replace(config, supervised_weight=0.0, category_weight=0.0)  # rewards alone, so that they must rise
    trained(run, config)
    return run


def test_it_says_when_no_step_beats_the_pretrained_weights(tiny_run, tmp_path):
    run, said = copied(tiny_run, tmp_path / "run"), []
    config = replace(CONFIG, steps=3, learning_rate=0.5, warmup_steps=0)  # ruins the network
    report = stage.post_train(run, config, RewardWeights(), progress=said.append)
    assert report["valid_ndcg@10"] < report["valid_ndcg@10_before"]
    assert said[-1].startswith("no step ranks validation users better than the pre-trained weights (ndcg@10")


def test_the_rewards_it_is_paid_for_rise(post_trained):
    steps = [record for record in records(post_trained) if "reward" in record]
    assert len(steps) == 30
    first, last = steps[:10], steps[-10:]
    for name in ("reward", "hit_rate", "rewards/step/mean", "rewards/path/mean"):
        before, after = (np.mean([record[name] for record in part]) for part in (first, last))
        assert after > before, name


def test_a_step_logs_the_names_that_users_of_trl_know(post_trained):
    step = next(record for record in records(post_trained) if "reward" in record)
    names = {"reward", "reward_std", "frac_reward_zero_std", "kl", "entropy", "step_time", "hit_rate"}
    names |= {"clip_ratio/low_mean", "clip_ratio/high_mean", "unique_items_in_group", "codebook_perplexity"}
    names |= {f"rewards/{term}/{part}" for term in REWARD_TERMS for part in ("mean", "std")}
    names |= {"belief_entropy", "frac_groups_skipped", "supervised/category", "grad_norm", "learning_rate"}
    assert names <= set(step)
    assert step["ratio"] == pytest.approx(1.0), "with one update on fresh rollouts the policy is the one that sampled"


def test_both_weights_stay_side_by_side_and_the_manifest_covers_them(post_trained, tiny_run):
    run = open_run(post_trained)
    run.verify()
    assert run.weights_available() == ["post_trained", "pretrained"]
    name = "weights/pretrained.safetensors"
    assert (post_trained / name).read_bytes() == (tiny_run / name).read_bytes()
    before, after = load_file(post_trained / name), load_file(post_trained / "weights/post_trained.safetensors")
    assert before.keys() == after.keys()
    assert not torch.equal(before["item_residual.weight"], after["item_residual.weight"])


def test_saved_rollouts_can_be_rewarded_again(post_trained):
    run = open_run(post_trained)
    rollouts, dataset, ids = run.rollouts(), run.load_dataset(), run.semantic_ids()
    assert rollouts.items.shape[1] == 8
    by_codebook = np.empty_like(rollouts.codes)
    np.put_along_axis(by_codebook, rollouts.codebooks, rollouts.codes, 2)
    assert (ids.codes[rollouts.items] == by_codebook).all()
    for user, position, future in zip(rollouts.users, rollouts.positions, rollouts.future, strict=True):
        training = dataset.interactions.sequence(int(user))[: dataset.interactions.train_lengths[user]]
        assert future[future > 0].tolist() == training[position : position + 3].tolist()
    again = reward_terms(
        torch.from_numpy(by_codebook),
        torch.full((*rollouts.codes.shape, dataset.catalog.n_categories), 1 / dataset.catalog.n_categories),
        torch.from_numpy(rollouts.items)[..., None],
        torch.from_numpy(rollouts.future),
        item_codes=torch.from_numpy(ids.codes),
        item_categories=torch.from_numpy(dataset.catalog.categories),
        decay=0.8,
    )
    np.testing.assert_allclose(again[..., 0], rollouts.terms[..., 0], rtol=1e-6)
    only_path = group_advantages(torch.from_numpy(rollouts.terms), RewardWeights.parse("path=1"), std_floor=0.05)
    assert only_path.has_signal.any()


def test_a_killed_post_training_goes_on_to_the_same_weights(tiny_run, tmp_path, monkeypatch):
    whole, parted = copied(tiny_run, tmp_path / "whole"), copied(tiny_run, tmp_path / "parted")
    expected = trained(whole)
    real, calls = stage.train_on_batch, []

    def dies_in_step_five(*arguments):
        calls.append(0)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(stage, "train_on_batch", dies_in_step_five)
    with pytest.raises(KeyboardInterrupt):
        trained(parted)
    assert [record["step"] for record in records(parted)] == [0, 1, 2, 3, 3, 4]
    monkeypatch.setattr(stage, "train_on_batch", real)
    got = trained(parted)
    assert [record["step"] for record in got] == [record["step"] for record in expected]
    name = "weights/post_trained.safetensors"
    assert (parted / name).read_bytes() == (whole / name).read_bytes()
    assert not (parted / "post_train.resume").exists()


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(tiny_run, tmp_path):
    curves = []
    for number, seed in enumerate((1, 1, 2)):
        run = copied(tiny_run, tmp_path / str(number))
        config = replace(CONFIG, steps=2, seed=seed)
        curves.append([record["reward"] for record in trained(run, config) if "reward" in record])
    assert curves[0] == curves[1]
    assert curves[0] != curves[2]


def test_the_clip_acts_from_the_second_update_on_the_same_rollouts(tiny_run, tmp_path):
    config = replace(CONFIG, steps=3, inner_updates=4, learning_rate=2e-2, warmup_steps=0)
    steps = [r for r in trained(copied(tiny_run, tmp_path / "run"), config) if "reward" in r]
    assert max(step["clip_ratio/low_mean"] + step["clip_ratio/high_mean"] for step in steps) > 0.05
    assert all(step["ratio"] != pytest.approx(1.0, abs=1e-6) for step in steps)


@pytest.mark.parametrize("kind", ["heads", "mixture"])
def test_other_code_probabilities_are_post_trained_as_they_decode(tiny_run, tmp_path, kind):
    run = copied(tiny_run, tmp_path / kind)
    opened = open_run(run)
    opened.set_decode_config(replace(opened.decode_config(), code_probabilities=kind))
    steps = [record for record in trained(run) if "reward" in record]
    assert all(np.isfinite([value for value in step.values() if isinstance(value, float)]).all() for step in steps)
    before, after = (load_file(run / f"weights/{name}.safetensors") for name in ("pretrained", "post_trained"))
    assert not torch.equal(before["code_heads.weight"], after["code_heads.weight"])


def test_a_run_is_refused_before_anything_is_written(tiny_run, tmp_path, post_trained):
    codes_only, changed = copied(tiny_run, tmp_path / "codes"), copied(tiny_run, tmp_path / "changed")
    shutil.rmtree(codes_only / "weights")
    weights = load_file(changed / "weights/pretrained.safetensors")
    save_file({name: value + 1 for name, value in weights.items()}, changed / "weights/pretrained.safetensors")
    for run, sentence in (
        (tmp_path / "nothing", "there is no run at"),
        (codes_only, "is not pre-trained yet; do that first with: reg4rec pretrain"),
        (changed, "manifest"),
        (post_trained, "is post-trained already"),
    ):
        files = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        with pytest.raises(InputError, match=sentence):
            stage.post_train(run, CONFIG, RewardWeights())
        assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == files


def test_other_settings_do_not_continue_a_stopped_post_training(tiny_run, tmp_path, monkeypatch):
    run, real = copied(tiny_run, tmp_path / "run"), stage.train_on_batch

    def dies_in_step_five(*arguments):
        if arguments[5] == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(stage, "train_on_batch", dies_in_step_five)
    with pytest.raises(KeyboardInterrupt):
        trained(run)
    with pytest.raises(InputError, match="other settings"):
        stage.post_train(run, replace(CONFIG, decay=0.5), RewardWeights())
    with pytest.raises(InputError, match="other settings"):
        stage.post_train(run, CONFIG, RewardWeights(path=2.0))


@pytest.mark.parametrize("precision", ["bf16", "ladq"])
def test_precision_is_logged_and_leaves_names_and_reading_as_they_are(tiny_run, tmp_path, precision):
    run = copied(tiny_run, tmp_path / precision)
    trained(run, replace(CONFIG, precision=precision, precision_period=4))
    open_run(run).network("post_trained")
    plans = run / "precision.jsonl"
    assert plans.exists() == (precision == "ladq")
