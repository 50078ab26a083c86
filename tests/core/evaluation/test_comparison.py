from dataclasses import replace

import numpy as np
import pytest

from reg4rec_core.decoding import SearchedItems
from reg4rec_core.evaluation import compare, evaluate, search_split
from reg4rec_core.evaluation.beam_search import BeamResult
from reg4rec_core.evaluation.comparison import mean_js, paired_differences
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.metrics import MISSED
from reg4rec_core.recommender import Recommender

RANKING = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")


@pytest.fixture(scope="module")
def recommender(two_stage_run):
    return Recommender.load(two_stage_run)


@pytest.fixture(scope="module")
def decode(recommender):
    return replace(recommender.decode, theta=0.1, beam_width=6)


@pytest.fixture(scope="module")
def results(recommender, decode):
    """The same 60 users under both weights: post-trained first."""
    pretrained = recommender.with_weights("pretrained")
    return tuple(search_split(run, "test", decode, users=60, seed=3) for run in (recommender, pretrained))


def test_paired_differences_are_the_means_of_the_users_own_differences():
    first, second = np.array([1, 3, 6, MISSED]), np.array([3, 1, MISSED, MISSED])
    found = paired_differences(first, second, seed=0)
    assert list(found) == ["recall@5", "ndcg@5", "recall@10", "ndcg@10"]
    assert found["recall@5"].mean == 0
    assert found["recall@10"].mean == pytest.approx(1 / 4)
    assert found["ndcg@5"].mean == pytest.approx(0)  # 1 - 1/2 and 1/2 - 1
    assert found["ndcg@10"].mean == pytest.approx(1 / np.log2(7) / 4)


def test_a_gain_of_every_user_leaves_no_doubt_however_different_the_users_are():
    better, worse = np.array([1, 7, 1, 7]), np.array([MISSED] * 4)
    interval = paired_differences(better, worse, seed=0)["recall@10"]
    assert (interval.low, interval.mean, interval.high) == (1, 1, 1)


def test_the_interval_is_that_of_users_drawn_anew():
    generator = np.random.default_rng(1)
    first, second = generator.integers(1, 30, 200), generator.integers(1, 30, 200)
    interval = paired_differences(first, second, seed=0)["recall@10"]
    difference = (first <= 10).astype(float) - (second <= 10)
    draws = [difference[generator.integers(0, 200, 200)].mean() for _ in range(4000)]
    assert [interval.low, interval.high] == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.015)
    assert interval.low < interval.mean < interval.high


def test_nobody_gains_by_a_model_compared_with_itself(recommender, results):
    same = compare(results[0], results[0], recommender.catalog)
    assert (same.gained, same.lost) == (0, 0)
    assert all((row.low, row.mean, row.high) == (0, 0, 0) for row in same.difference.values())
    assert same.js[0] == same.js[1]


def test_swapping_the_sides_turns_every_number_round(recommender, results):
    there, back = (compare(*pair, recommender.catalog) for pair in (results, results[::-1]))
    assert (there.gained, there.lost) == (back.lost, back.gained)
    assert there.gained + there.lost > 0
    for name in RANKING:
        assert there.difference[name].mean == pytest.approx(-back.difference[name].mean)
        assert there.difference[name].low == pytest.approx(-back.difference[name].high)
        assert there.difference[name].mean == pytest.approx(back.ranking[name] - there.ranking[name])
    assert there.js == back.js[::-1]
    assert there.category_accuracy == back.category_accuracy[::-1]
    assert there.js[0] != there.js[1]


def test_gained_and_lost_users_account_for_the_difference_in_hits(recommender, results):
    found = compare(*results, recommender.catalog)
    assert (found.gained - found.lost) / 60 == pytest.approx(found.difference["recall@10"].mean)


def test_the_relative_difference_is_a_share_of_the_others_value(recommender, results):
    found = compare(*results, recommender.catalog)
    expected = found.difference["ndcg@10"].mean / found.ranking["ndcg@10"]
    assert found.to_json()["difference"]["ndcg@10"]["relative"] == pytest.approx(expected)
    nothing = replace(found, ranking=dict.fromkeys(RANKING, 0.0))
    assert nothing.to_json()["difference"]["ndcg@10"]["relative"] is None


def test_the_mean_js_is_that_along_the_path_to_the_first_item(recommender, decode, results):
    questions = results[0].questions
    traces = recommender.recommend(list(questions.histories), decode)
    paths = np.array([trace.js[trace.path(int(trace.item_nodes[0]))[1:-1]] for trace in traces])
    np.testing.assert_allclose(results[0].searched.first_js[:, :-1], paths)
    assert np.isnan(results[0].searched.first_js[:, -1]).all()
    assert list(mean_js(results[0]).values()) == pytest.approx(paths.mean(0))
    assert list(mean_js(results[0])) == ["1", "2", "3"]


def test_users_without_a_list_are_left_out_of_the_mean_js(results):
    js = np.full_like(results[0].searched.first_js, np.nan)
    js[1] = 0.25
    few = replace(results[0], searched=replace(results[0].searched, first_js=js))
    assert mean_js(few) == {"1": 0.25, "2": 0.25, "3": 0.25}


def test_answers_to_different_questions_are_not_compared(recommender, results):
    first, second = results
    strangers = replace(second, questions=second.questions.take(np.arange(60)[::-1]))
    with pytest.raises(ValueError, match="differ in their users"):
        compare(first, strangers, recommender.catalog)
    other = HeldOut(second.questions.users, second.questions.histories, second.questions.targets + 1)
    with pytest.raises(ValueError, match="differ in their targets"):
        compare(first, replace(second, questions=other), recommender.catalog)
    with pytest.raises(ValueError, match="under one decoding"):
        compare(first, replace(second, decode=replace(second.decode, theta=0.5)), recommender.catalog)


def test_the_report_compares_the_users_that_it_evaluates(recommender, decode, results):
    other = recommender.with_weights("pretrained")
    report = evaluate(recommender, "test", decode, users=60, oracle_users=0, against=other, seed=3).to_json()
    assert report["against"] == compare(*results, recommender.catalog, seed=3).to_json()
    assert report["recall@10"] - report["against"]["recall@10"] == pytest.approx(
        report["against"]["difference"]["recall@10"]["mean"]
    )
    assert "against" in report["seconds_of"]
    assert "against" not in evaluate(recommender, "test", decode, users=5, oracle_users=0).to_json()


def test_a_split_is_searched_as_an_evaluation_searches_it(recommender, decode, results):
    report = evaluate(recommender, "test", decode, users=60, oracle_users=0, seed=3)
    result: BeamResult = results[0]
    assert float((result.places <= 10).mean()) == pytest.approx(report.ranking["recall@10"])
    found: SearchedItems = result.searched
    assert len(found.items) == 60


def test_other_weights_share_everything_but_the_model(recommender):
    other = recommender.with_weights("pretrained")
    assert (recommender.weights, other.weights) == ("post_trained", "pretrained")
    assert other.catalog is recommender.catalog
    assert other.index is recommender.index
    assert other.model is not recommender.model
