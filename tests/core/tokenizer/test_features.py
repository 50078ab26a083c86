import numpy as np
import pytest

from reg4rec_core.tokenizer.behaviour import behaviour_features, cooccurrence, positive_pmi
from reg4rec_core.tokenizer.features import join_modalities, principal_components, standardise


def test_cooccurrence_counts_neighbours_of_one_sequence_by_inverse_distance():
    items, offsets = np.array([1, 2, 3, 4, 1]), np.array([0, 3, 5])
    counts = cooccurrence(items, offsets, n_items=5, window=2).toarray()
    assert counts[1, 2] == counts[2, 1] == 1.0
    assert counts[1, 3] == counts[3, 1] == 0.5
    assert counts[3, 4] == 0.0, "items of two people are no neighbours"
    assert counts[4, 1] == 1.0


def test_positive_pmi_matches_a_hand_computation():
    counts = cooccurrence(np.array([1, 2, 1, 2, 1, 3]), np.array([0, 2, 4, 6]), n_items=4, window=1)
    information = positive_pmi(counts).toarray()
    context = np.array([0, 3, 2, 1]) ** 0.75
    expected = np.log(2 / (3 * context[2] / context.sum()))
    assert information[1, 2] == pytest.approx(expected)
    assert (information >= 0).all()


def test_items_bought_by_the_same_people_get_close_behaviour_vectors():
    rng = np.random.default_rng(0)
    groups = [rng.choice(np.arange(1, 11) + 10 * (user % 2), 5, replace=False) for user in range(200)]
    vectors = behaviour_features(np.concatenate(groups), np.arange(0, 1001, 5), n_items=22, width=4, seed=0)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    cosines = unit @ unit.T
    assert cosines[1:11, 1:11].mean() > cosines[1:11, 11:21].mean() + 0.3
    assert (vectors[21] == 0).all(), "an item nobody bought has no behaviour"


def test_standardised_columns_have_zero_mean_and_unit_deviation_over_real_items():
    features = np.array([[0, 0, 0], [1, 5, 2], [3, 5, 4], [5, 5, 9]], np.float32)
    result = standardise(features)
    np.testing.assert_allclose(result[1:].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(result[1:, [0, 2]].std(0), 1, atol=1e-6)
    assert (result[:, 1] == 0).all(), "a constant column says nothing"
    assert (result[0] == 0).all()


def test_principal_components_keep_the_largest_variance_first():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((100, 3)) * [1, 10, 3]
    features = np.concatenate([np.zeros((1, 3)), real - real.mean(0)]).astype(np.float32)
    result = principal_components(features, width=2)
    assert result.shape == (101, 2)
    assert result[1:, 0].std() == pytest.approx(features[1:, 1].std(), rel=0.05)


def test_every_modality_has_the_same_share_of_a_unit_norm():
    rng = np.random.default_rng(0)
    joined = join_modalities(
        100 * rng.standard_normal((50, 4)).astype(np.float32), rng.standard_normal((50, 2)).astype(np.float32)
    )
    norms = np.square(joined[1:]).sum(1).mean(), np.square(joined[1:, :4]).sum(1).mean()
    assert norms == (pytest.approx(1.0, rel=1e-4), pytest.approx(0.5, rel=1e-4))


def test_people_with_one_item_each_leave_no_behaviour():
    vectors = behaviour_features(np.array([1, 2, 3]), np.arange(4), n_items=4, width=2, seed=0)
    assert (vectors == 0).all()
