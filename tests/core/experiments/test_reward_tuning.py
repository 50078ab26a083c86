"""Reward weights are searched by real short trainings, resumably, and the report says what is noise."""

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest

from reg4rec_core.experiments import reward_tuning
from reg4rec_core.experiments.reward_choice import read_reward_tuning, reward_tuning_file
from reg4rec_core.experiments.reward_tuning import spread_mixes, verdict
from reg4rec_core.types import InputError

OPTIONS = ("--trials", "2", "--steps", "1", "--users", "40", "--batch-size", "6")


@pytest.fixture(scope="module")
def searched(reg4rec, tiny_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("tuning")
    result = reg4rec("tune-rewards", "--run", tiny_run, "--out", out, *OPTIONS, "--json")
    assert result.exit_code == 0, result.stderr
    return out, json.loads(result.stdout), result


def test_the_report_compares_every_trial_with_equal_weights_and_no_rewards(searched):
    out, document, result = searched
    assert json.loads((out / "tuning.json").read_text()) == document
    assert [row["name"] for row in document["trials"]] == ["equal", "off", "mix-01", "mix-02"]
    assert [row["policy_weight"] for row in document["trials"]] == [1, 0, 1, 1]
    assert document["users"] == {"choosing": 40, "confirming": 40}
    for row in document["trials"]:
        assert set(row["difference"]) == {"minus_equal", "minus_off", "minus_before"}
        change = row["difference"]["minus_equal"]["ndcg@10"]
        assert change["low"] <= change["mean"] <= change["high"]
    equal = document["trials"][0]
    assert equal["difference"]["minus_equal"]["ndcg@10"] == {"mean": 0, "low": 0, "high": 0}
    best = max(document["trials"][2:], key=lambda row: row["choosing"]["ndcg@10"]["mean"])
    assert document["best_mix"]["name"] == best["name"]
    assert document["beats_equal"] is (document["best_mix"]["confirming"]["minus_equal"]["ndcg@10"]["low"] > 0)
    assert document["verdict"] in result.stderr
    assert "are asked for" not in result.stderr
    assert not (out / "work").exists()


def test_fewer_users_than_asked_for_are_told(searched, reg4rec, tiny_run):
    out, *_ = searched
    found = reg4rec("tune-rewards", "--run", tiny_run, "--out", out, *OPTIONS, "--users", "99999")
    assert found.exit_code == 2, "another search lies there"
    told = found.stderr.splitlines()[0]
    there = int(told.split("the run has ")[1].split(" users")[0].replace(",", ""))
    assert told.endswith(f"199,998 are asked for: {there // 2:,} choose and {there - there // 2:,} confirm")


def test_finished_trials_are_kept_and_another_search_is_refused(searched, reg4rec, tiny_run, monkeypatch):
    out, document, _ = searched
    trained = []
    real = reward_tuning.post_train
    monkeypatch.setattr(reward_tuning, "post_train", lambda *a, **k: trained.append(0) or real(*a, **k))
    (out / "trials" / "mix-02.json").unlink()
    again = reg4rec("tune-rewards", "--run", tiny_run, "--out", out, *OPTIONS, "--json")
    assert again.exit_code == 0, again.stderr
    assert len(trained) == 1
    assert json.loads(again.stdout)["trials"][3]["choosing"] == document["trials"][3]["choosing"]
    other = reg4rec("tune-rewards", "--run", tiny_run, "--out", out, *OPTIONS, "--seed", "1")
    assert other.exit_code == 2
    assert "holds a search with another post_train and seed; choose another --out" in other.stderr


def test_what_was_found_is_read_back_beside_its_run(searched, tiny_run, tmp_path):
    out, document, _ = searched
    run = shutil.copytree(tiny_run, tmp_path / "shop")
    assert reward_tuning_file(run) is None
    shutil.copytree(out, tmp_path / "shop-rewards")
    path = reward_tuning_file(run)
    found = read_reward_tuning(path, run)
    assert (found.chosen, found.verdict, found.is_of_today) == (
        document["best_mix"]["name"], document["verdict"], True,
    )  # fmt: skip
    assert found.weights.to_dict() == document["best_mix"]["weights"]
    assert [trial.has_rewards for trial in found.trials] == [True, False, True, True]
    assert asdict(found.minus_equal) == document["best_mix"]["confirming"]["minus_equal"]["ndcg@10"]
    assert found.trials[2].ndcg.mean == document["trials"][2]["choosing"]["ndcg@10"]["mean"]
    weights = run / "weights" / "pretrained.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert not read_reward_tuning(path, run).is_of_today
    carried = run / "evaluation" / "rewards" / "tuning.json"
    carried.parent.mkdir(parents=True)
    carried.write_text('{"trials": []}')
    assert reward_tuning_file(run) == carried.resolve()
    with pytest.raises(InputError, match="is no result of reg4rec tune-rewards; call it again"):
        read_reward_tuning(carried, run)


def test_mixes_lie_evenly_on_the_simplex_and_do_not_depend_on_their_number():
    mixes = spread_mixes(64, seed=0)
    assert mixes.shape == (64, 4)
    np.testing.assert_allclose(mixes.sum(1), 4, atol=0.003)
    assert (mixes >= 0).all()
    np.testing.assert_allclose(mixes.mean(0), 1, atol=0.15)
    np.testing.assert_array_equal(spread_mixes(3, seed=0), mixes[:3])
    assert len(spread_mixes(1, seed=0)) == 1


def test_the_verdict_calls_noise_noise():
    mix = {"name": "mix-01", "weights": {"step": 1.0, "category": 0.0, "consistency": 0.0, "path": 3.0}}
    noise, clear = {"mean": 0.01, "low": -0.01, "high": 0.03}, {"mean": 0.02, "low": 0.01, "high": 0.03}
    assert verdict(mix, noise, clear).startswith("Nothing beats equal weights beyond noise.")
    assert "ranks better than equal weights" in verdict(mix, clear, noise)
    assert "+0.0200 (+0.0100 to +0.0300) against equal weights" in verdict(mix, clear, noise)
