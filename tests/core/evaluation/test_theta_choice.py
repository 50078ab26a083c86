import math

import numpy as np
import pytest

from reg4rec_core import Recommender
from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import search_items
from reg4rec_core.evaluation import held_out, theta_choice
from reg4rec_core.evaluation.theta_choice import ThetaChoice, ThetaResult, choose_theta, is_a_gain, settings_to_try
from reg4rec_core.metrics import ndcg_at, places_in_lists, recall_at


def test_the_papers_theta_and_no_pruning_are_always_tried():
    settings = settings_to_try(DecodeConfig(beam_width=7))
    assert settings[0].theta == math.inf
    assert (0.06, 2) in [(setting.theta, setting.check_from) for setting in settings]
    assert {setting.beam_width for setting in settings} == {7}
    assert len(set(settings)) == len(settings)


def test_the_setting_with_the_highest_validation_ndcg_is_chosen_where_that_is_a_gain(tiny_run, monkeypatch):
    monkeypatch.setattr(theta_choice, "is_a_gain", lambda differences: True)
    run = Recommender.load(tiny_run)
    questions = held_out.held_out(run.interactions, "valid").sample(30, seed=0)
    choice = choose_theta(run.model, run.index, questions, run.decode)
    best = max(result.ndcg_at_10 for result in choice.results)
    chosen = [r for r in choice.results if (r.theta, r.check_from) == (choice.theta, choice.check_from)]
    assert [result.ndcg_at_10 for result in chosen] == [best]
    assert choice.users == 30
    without = choice.results[0]
    assert without.theta == math.inf
    assert without.pruned_per_user == 0
    strict = next(r for r in choice.results if (r.theta, r.check_from) == (0.06, 2))
    assert strict.pruned_per_user >= next(r for r in choice.results if r.theta == 0.5).pruned_per_user


def test_every_setting_has_the_result_of_a_search_by_itself(tiny_run):
    run = Recommender.load(tiny_run)
    questions = held_out.held_out(run.interactions, "valid").sample(20, seed=0)
    choice = choose_theta(run.model, run.index, questions, run.decode)
    histories = pad_histories(questions.histories, HISTORY_LENGTH)
    for result, setting in zip(choice.results, settings_to_try(run.decode), strict=True):
        alone = search_items(run.model, run.index, histories, setting, seen=questions.histories)
        places = places_in_lists(alone.items, questions.targets)
        assert (result.theta, result.check_from) == (setting.theta, setting.check_from)
        assert (result.recall_at_10, result.ndcg_at_10) == pytest.approx((recall_at(places, 10), ndcg_at(places, 10)))
        assert result.pruned_per_user == alone.pruned.sum(1).mean()
        assert result.fallback_per_user == alone.fallback.sum(1).mean()
    assert len({result.pruned_per_user for result in choice.results}) > 6
    assert len({result.ndcg_at_10 for result in choice.results}) > 3


def test_without_a_gain_nothing_is_pruned(tiny_run, monkeypatch):
    monkeypatch.setattr(theta_choice, "is_a_gain", lambda differences: False)
    run = Recommender.load(tiny_run)
    questions = held_out.held_out(run.interactions, "valid").sample(10, seed=0)
    assert choose_theta(run.model, run.index, questions, run.decode).theta == math.inf


def test_a_gain_is_more_than_one_standard_error():
    noise = np.array([1.0, -1.0] * 50)  # standard error .1
    assert is_a_gain(noise + 0.11)
    assert not is_a_gain(noise + 0.09)
    assert not is_a_gain(np.zeros(5))


def test_a_time_limit_still_searches_one_chunk_of_users(tiny_run, monkeypatch):
    monkeypatch.setattr(theta_choice, "CHUNK", 5)
    run = Recommender.load(tiny_run)
    questions = held_out.held_out(run.interactions, "valid").sample(30, seed=0)
    assert choose_theta(run.model, run.index, questions, run.decode, seconds=0.0).users == 5


def test_a_time_limit_does_not_keep_to_the_first_users(tiny_run, monkeypatch):
    monkeypatch.setattr(theta_choice, "CHUNK", 5)
    run = Recommender.load(tiny_run)
    questions = held_out.held_out(run.interactions, "valid").sample(30, seed=0)
    searched = []
    real_search = theta_choice.search_items_under

    def watched_search(model, index, histories, settings, *, seen):
        searched.append(seen)
        return real_search(model, index, histories, settings, seen=seen)

    monkeypatch.setattr(theta_choice, "search_items_under", watched_search)
    choose_theta(run.model, run.index, questions, run.decode, seconds=0.0)
    assert [list(history) for history in searched[0]] != [list(history) for history in questions.histories[:5]]


@pytest.mark.parametrize(("theta", "shown"), [(math.inf, None), (0.2, 0.2)])
def test_an_infinite_theta_reads_null_in_json(theta, shown):
    result = ThetaResult(theta, 3, 0.1, 0.05, 1.0, 0.0)
    document = ThetaChoice(theta, 3, 5, (result,)).to_json()
    assert document["theta"] == document["results"][0]["theta"] == shown
    assert document["check_from"] == 3
