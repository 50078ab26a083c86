import math

import pytest

from reg4rec_core.evaluation.theta_choice import ThetaChoice, ThetaResult, smallest_harmless_theta


def results(*pairs):
    return tuple(ThetaResult(theta, 0.0, ndcg, 0.0, 0.0) for theta, ndcg in pairs)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (((0.06, 0.050), (0.2, 0.0996), (math.inf, 0.1)), 0.2),
        (((0.06, 0.101), (0.2, 0.099), (math.inf, 0.1)), 0.06),
        (((0.06, 0.050), (0.2, 0.0989), (math.inf, 0.1)), math.inf),
    ],
)
def test_the_strongest_pruning_within_one_percent_of_the_best_is_chosen(pairs, expected):
    assert smallest_harmless_theta(results(*pairs)) == expected


def test_an_infinite_theta_reads_null_in_json():
    document = ThetaChoice(math.inf, 5, results((0.06, 0.1), (math.inf, 0.2))).to_json()
    assert document["theta"] is None
    assert [row["theta"] for row in document["results"]] == [0.06, None]
