"""Rollouts weighed anew: the advantages are training's own, and their parts say where they come from."""

import numpy as np
import pytest
import torch

from reg4rec_core.analysis.reward_weighing import path_ends, reward_settings, survey_rewards, weigh
from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.rewards import group_advantages
from reg4rec_core.types import Rollouts

FLOOR = 0.05


def terms(**columns) -> np.ndarray:
    """One group of four paths; a reward that is not named is the same for all."""
    names = ("step", "category", "consistency", "path")
    return np.array([columns.get(name, (0.5,) * 4) for name in names], np.float32).T[None]


def rollouts(values: np.ndarray, items, future) -> Rollouts:
    groups, paths, _ = values.shape
    steps = np.zeros((groups, paths, 2), np.int64)
    return Rollouts(
        np.arange(groups), np.ones(groups, np.int64), np.array(future), steps, steps, np.array(items),
        steps.astype(np.float32), steps.astype(np.float32), values,
    )  # fmt: skip


def test_advantages_and_parts_by_hand():
    weighed = weigh(terms(path=(1, 0, 0, 0), step=(0, 0, 0, 1)), RewardWeights(1.0, 1.0, 1.0, 3.0), std_floor=FLOOR)
    # totals 1 + (3, 0, 0, 1): mean 2, deviation sqrt((4 + 1 + 1 + 0) / 4) = 1.2247
    np.testing.assert_allclose(weighed.totals, [[4.0, 1.0, 1.0, 2.0]])
    np.testing.assert_allclose(weighed.advantages, [np.array([2, -1, -1, 0]) / 1.5**0.5], rtol=1e-6)
    np.testing.assert_allclose(weighed.parts[0, :, 0], np.array([-0.25, -0.25, -0.25, 0.75]) / 1.5**0.5, rtol=1e-6)
    np.testing.assert_allclose(weighed.parts[0, :, 3], np.array([2.25, -0.75, -0.75, -0.75]) / 1.5**0.5, rtol=1e-6)
    assert weighed.has_signal.all()
    assert not weighed.floored.any()


@pytest.mark.parametrize("text", ["step=1,category=1,consistency=1,path=1", "path=1", "consistency=2", "step=0.01"])
def test_advantages_are_trainings_own_and_the_parts_sum_to_them(text):
    generator = np.random.default_rng(0)
    values = generator.random((20, 6, 4)).astype(np.float32)
    values[:5, :, [0, 1, 3]] = 0.5  # groups that differ in consistency alone
    weights = RewardWeights.parse(text)
    expected = group_advantages(torch.from_numpy(values), weights, std_floor=FLOOR)
    weighed = weigh(values, weights, std_floor=FLOOR)
    np.testing.assert_array_equal(weighed.advantages, expected.values.numpy())
    np.testing.assert_array_equal(weighed.has_signal, expected.has_signal.numpy())
    np.testing.assert_allclose(weighed.parts.sum(2), weighed.advantages, atol=1e-5)


def test_a_group_that_differs_in_consistency_alone_has_no_signal_and_no_parts():
    weighed = weigh(terms(consistency=(0.9, 0.8, 0.7, 0.6)), RewardWeights(), std_floor=FLOOR)
    assert not weighed.has_signal.any()
    assert not weighed.advantages.any()
    assert not weighed.parts.any()
    assert weigh(terms(consistency=(0.9, 0.8, 0.7, 0.6)), RewardWeights.parse("consistency=1"), std_floor=FLOOR).has_signal.all()  # fmt: skip  # noqa: E501


def test_a_group_that_hardly_differs_is_told():
    assert weigh(terms(step=(0, 0, 0, 0.04)), RewardWeights(), std_floor=FLOOR).floored.all()
    assert not weigh(terms(step=(0, 0, 0, 0.4)), RewardWeights(), std_floor=FLOOR).floored.any()


def test_a_path_ends_at_the_next_purchase_a_later_one_or_elsewhere():
    ends = path_ends(np.array([[7, 8, 9, 5]]), np.array([[7, 9, 0]]))
    assert ends.tolist() == [[2, 0, 1, 0]]
    assert path_ends(np.array([[7, 3]]), np.array([[7, 7, 0]])).tolist() == [[2, 0]]


def test_the_survey_by_hand():
    first = terms(path=(1, 0, 0, 0), step=(1, 0, 0, 0))
    values = np.concatenate([first, terms(consistency=(0.9, 0.8, 0.7, 0.6))])
    found = survey_rewards(
        rollouts(values, [[3, 4, 5, 6], [1, 1, 1, 2]], [[3, 4, 0], [9, 2, 0]]), RewardWeights(), std_floor=FLOOR
    )
    assert (found.groups, found.paths, found.ends) == (2, 8, (5, 2, 1))
    assert found.without_signal == 0.5
    assert found.floored == 0
    assert found.correlation[0, 3] == pytest.approx(1)
    assert np.isnan(found.correlation[1, 0])
    by_name = {row.name: row for row in found.directions}
    assert list(by_name) == ["step", "category", "consistency", "path", "total"]
    # of the first group the hit is sqrt(3) deviations above its mean, the others 1 / sqrt(3) below
    assert by_name["path"].mean_advantage[2] == pytest.approx(3**0.5, rel=1e-5)
    assert by_name["path"].mean_advantage[1] == pytest.approx(-(3**-0.5) / 2, rel=1e-5)
    assert by_name["path"].mean_advantage[0] == pytest.approx(-2 * 3**-0.5 / 5, rel=1e-5)
    assert by_name["path"].with_total == pytest.approx(1)
    assert (by_name["category"].groups, by_name["path"].groups, by_name["consistency"].groups) == (0, 0.5, 0.5)
    assert np.isnan(by_name["category"].with_total)


def test_a_run_that_was_never_post_trained_has_the_default_settings():
    assert reward_settings({}) == (PostTrainConfig(), RewardWeights())
    stored = {"post_train": {"steps": 7}, "reward_weights": {"step": 0.0, "path": 2.0}}
    assert reward_settings(stored) == (PostTrainConfig(steps=7), RewardWeights(step=0.0, path=2.0))
