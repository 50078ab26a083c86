"""Paths sampled for one history now are those that training would have sampled and judged."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.data.batching import training_positions
from reg4rec_core.recommender import Recommender
from reg4rec_core.training.fresh_rollouts import judge_history, sample_rollouts_at
from reg4rec_core.training.parallel import step_generator
from reg4rec_core.training.post_train import SAVED_HISTORIES, post_train
from reg4rec_core.types import InputError

CONFIG = PostTrainConfig(steps=1, batch_size=8, rollouts=6, learning_rate=1e-3, warmup_steps=0, nearest=2)


@pytest.fixture(scope="module")
def both(tiny_run, tmp_path_factory) -> tuple[Recommender, Recommender]:
    """A run after one step of post-training, and with its weights before."""
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "post")
    post_train(run, CONFIG, RewardWeights())
    return Recommender.load(run), Recommender.load(run, weights="pretrained")


def test_the_same_draws_give_what_training_stored(both):
    policy, reference = both
    stored = policy.run.rollouts()
    generator, positions = step_generator(CONFIG.seed, -1), training_positions(policy.interactions)
    count = len(torch.randperm(len(positions), generator=generator)[:SAVED_HISTORIES])
    draws = torch.rand(count, 6, policy.index.n_codebooks, generator=generator, dtype=torch.float64).numpy()
    for row in range(0, count, 9):
        user, position = int(stored.users[row]), int(stored.positions[row])
        found = judge_history(policy, reference, user, position, draws[row : row + 1], CONFIG)
        learnt = int(policy.interactions.train_lengths[user])
        if learnt - position >= CONFIG.window:  # near the end this looks on where training must stop
            np.testing.assert_array_equal(found.future[0], stored.future[row])
            np.testing.assert_allclose(found.terms[0], stored.terms[row], atol=1e-5)
        np.testing.assert_array_equal(found.items[0], stored.items[row])
        np.testing.assert_array_equal(found.codes[0], stored.codes[row])
        np.testing.assert_allclose(found.log_probs[0], stored.log_probs[row], atol=1e-5)
        np.testing.assert_allclose(found.reference_log_probs[0], stored.reference_log_probs[row], atol=1e-5)


def test_held_out_purchases_may_be_judged_by_and_hide_nothing_of_the_evidence(both):
    policy, reference = both
    user = int(np.flatnonzero(policy.interactions.valid_positions > 0)[0])
    position = int(policy.interactions.valid_positions[user])
    found = sample_rollouts_at(policy, reference, user, position, CONFIG)
    sequence = policy.interactions.sequence(user)
    assert found.future[0].tolist() == [sequence[position], sequence[position + 1], 0]
    assert found.terms.shape == (1, 6, 4)
    assert not np.isin(found.items, sequence[:position]).any()
    again = sample_rollouts_at(policy, reference, user, position, CONFIG)
    np.testing.assert_array_equal(found.items, again.items)
    others = sample_rollouts_at(policy, reference, user, position, replace(CONFIG, rollouts=16), seed=1)
    assert not np.array_equal(found.items[0], others.items[0, :6])


def test_the_policy_that_sampled_is_the_one_whose_search_recommends(both):
    policy, reference = both
    user = int(np.flatnonzero(policy.interactions.test_positions > 0)[0])
    found = sample_rollouts_at(
        policy, reference, user, int(policy.interactions.test_positions[user]), replace(CONFIG, rollouts=64)
    )
    (trace,) = policy.recommend([policy.history(user)], policy.decode)
    counts = np.bincount(found.items[0], minlength=policy.catalog.n_items)
    assert counts.argmax() in trace.items[:3]


@pytest.mark.parametrize("position", [0, 99])
def test_a_moment_without_a_history_or_a_future_is_refused(both, position):
    with pytest.raises(InputError, match=rf"position {position} of \d+ has not"):
        sample_rollouts_at(*both, 0, position, CONFIG)
