import numpy as np
import pytest

from reg4rec_core.evaluation.baselines import baseline_rankings, count_transitions, popularity, transition_scores
from reg4rec_core.evaluation.held_out import HeldOut, held_out
from reg4rec_core.metrics import MISSED
from reg4rec_core.types import Interactions

N_ITEMS = 6


def interactions_of(*sequences: list[int]) -> Interactions:
    """Leave-one-out: the last item is the test target, the one before it the validation target."""
    lengths = np.array([len(sequence) for sequence in sequences])
    return Interactions(
        user_keys=tuple(f"u{row}" for row in range(len(sequences))),
        items=np.concatenate([np.array(sequence) for sequence in sequences]),
        timestamps=np.full(lengths.sum(), -1),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        train_lengths=lengths - 2,
        valid_positions=lengths - 2,
        test_positions=lengths - 1,
    )


def unshown(blocks, **_):
    return blocks


SHOP = interactions_of([1, 2, 3, 4, 5], [1, 2, 4, 5, 3], [2, 1, 1, 5])


def test_popularity_counts_training_items_only():
    # Training parts: 1 2 3 | 1 2 4 | 2 1. Items 5 is bought three times, but always held out.
    assert popularity(SHOP, n_items=N_ITEMS).tolist() == pytest.approx([0, 1, 1, 1 / 3, 1 / 3, 0])


def test_transitions_count_the_next_item_and_half_of_the_one_after_it():
    counts = count_transitions(SHOP, n_items=N_ITEMS).toarray()
    expected = np.zeros((N_ITEMS, N_ITEMS))
    expected[1, 2], expected[2, 3], expected[2, 4], expected[2, 1] = 2, 1, 1, 1
    expected[1, 3] = expected[1, 4] = 0.5
    np.testing.assert_array_equal(counts, expected)


def test_transition_scores_add_half_of_the_last_item_but_one():
    counts, shares = count_transitions(SHOP, n_items=N_ITEMS), np.zeros(N_ITEMS)
    scores = transition_scores(counts, shares, (np.array([5, 1, 2]), np.array([2])))
    np.testing.assert_allclose(scores[0], [0, 1, 1.0, 1.25, 1.25, 0])
    np.testing.assert_allclose(scores[1], [0, 1, 0, 1, 1, 0])


def test_popularity_never_overrules_a_transition():
    counts, shares = count_transitions(SHOP, n_items=N_ITEMS), popularity(SHOP, n_items=N_ITEMS)
    scores = transition_scores(counts, shares, (np.array([5, 1]),))[0]
    seen, unseen = counts.toarray()[1] > 0, counts.toarray()[1] == 0
    assert scores[seen].min() > scores[unseen].max()


def test_held_out_targets_come_with_everything_before_them():
    questions = held_out(SHOP, "test")
    assert questions.targets.tolist() == [5, 3, 5]
    assert [history.tolist() for history in questions.histories] == [[1, 2, 3, 4], [1, 2, 4, 5], [2, 1, 1]]
    assert held_out(SHOP, "valid").targets.tolist() == [4, 5, 1]


def test_history_items_are_ranked_only_when_included():
    questions = HeldOut(np.array([0]), (np.array([1, 2]),), np.array([4]))
    places = baseline_rankings(SHOP, questions, n_items=N_ITEMS, progress=unshown)
    # Popularity orders 1, 2, 3, 4, 5; without items 1 and 2 the target 4 is second.
    assert places["popularity"].places["included"].tolist() == [4]
    assert places["popularity"].places["excluded"].tolist() == [2]


def test_a_target_in_the_history_is_missed_when_history_items_are_left_out():
    questions = HeldOut(np.array([2]), (np.array([2, 1]),), np.array([1]))
    places = baseline_rankings(SHOP, questions, n_items=N_ITEMS, progress=unshown)
    assert places["popularity"].places["included"].tolist() == [1]
    assert places["popularity"].places["excluded"].tolist() == [MISSED]


def test_a_sample_of_users_is_seeded_and_in_order():
    sequences = [[1, 2, 3, 1 + row % 5] for row in range(50)]
    questions = held_out(interactions_of(*sequences), "test")
    first, again, other = (questions.sample(10, seed=seed).users.tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert first == sorted(set(first))
    assert len(questions.sample(99, seed=0)) == 50
