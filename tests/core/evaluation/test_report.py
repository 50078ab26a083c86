from dataclasses import replace

import numpy as np
import pytest
import torch

from reg4rec_core.config import HISTORY_LENGTH
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import SearchedItems, item_path_scores
from reg4rec_core.evaluation import evaluate
from reg4rec_core.evaluation.beam_search import BeamResult, consistency, illegal_rate, search_users
from reg4rec_core.evaluation.first_state import first_state_scores
from reg4rec_core.evaluation.held_out import HeldOut, held_out
from reg4rec_core.evaluation.oracle_sample import best_items
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import Fate

THETA = 0.1


@pytest.fixture(scope="module")
def recommender(tiny_run):
    return Recommender.load(tiny_run)


@pytest.fixture(scope="module")
def decode(recommender):
    return replace(recommender.decode, theta=THETA, beam_width=6)


@pytest.fixture(scope="module")
def report(recommender, decode):
    return evaluate(recommender, "test", decode, users=40, oracle_users=8, history_items="both").to_json()


@pytest.fixture(scope="module")
def questions(recommender):
    return held_out(recommender.interactions, "test").sample(40, seed=0)


@pytest.fixture(scope="module")
def traces(recommender, decode, questions):
    return recommender.recommend(list(questions.histories), decode)


@pytest.fixture(scope="module")
def searched(recommender, decode, questions):
    return search_users(recommender, questions, decode, name="search", progress=unseen_progress)


def test_recall_and_ndcg_are_those_of_the_lists_that_recommend_gives(report, traces, questions):
    gains = []
    for trace, target in zip(traces, questions.targets, strict=True):
        place = trace.items.tolist().index(target) + 1 if target in trace.items else None
        gains.append(0.0 if place is None else 1 / np.log2(place + 1))
    assert report["ndcg@10"] == pytest.approx(np.mean(gains))
    assert report["recall@10"] == pytest.approx(np.mean(np.array(gains) > 0))
    assert 0 < report["recall@10"] < 1


def test_history_items_compete_only_when_included(report, recommender, decode, questions):
    included = recommender.recommend(list(questions.histories), replace(decode, exclude_history=False))
    hits = [target in trace.items for trace, target in zip(included, questions.targets, strict=True)]
    assert report["history_included"]["recall@10"] == pytest.approx(np.mean(hits))
    assert report["history_excluded"]["recall@10"] == report["recall@10"]


@pytest.mark.parametrize("rule", ["excluded", "included"])
def test_the_first_state_ranking_is_that_of_the_catalogue_logits(report, recommender, questions, rule):
    hits = []
    for history, target in zip(questions.histories, questions.targets, strict=True):
        state = recommender.model.encode(torch.from_numpy(pad_histories([history], HISTORY_LENGTH)))
        logits = recommender.model.catalog_logits(state)[0, 0].numpy().copy()
        if rule == "excluded":
            logits[history] = -np.inf
        hits.append(target in np.argsort(-logits, kind="stable")[:10])
    assert report["first_state"][f"history_{rule}"]["recall@10"] == pytest.approx(np.mean(hits))


def test_the_first_state_of_the_heads_adds_the_log_probs_of_an_items_codes(recommender, questions):
    block = questions.take(np.arange(5))
    scores = first_state_scores(recommender.model, recommender.index, block, kind="heads")
    state = recommender.model.encode(torch.from_numpy(pad_histories(block.histories, HISTORY_LENGTH)))
    heads = recommender.model.head_log_probs(state)[:, 0].numpy()  # (B, M, K)
    codes = recommender.semantic_ids.codes
    sums = sum(heads[:, codebook, codes[1:, codebook]] for codebook in range(codes.shape[1]))
    expected = sums - np.log(np.exp(sums).sum(1, keepdims=True))
    np.testing.assert_allclose(scores[:, 1:], expected, rtol=1e-4)  # float32 sums in another order
    assert np.isneginf(scores[:, 0]).all()


def test_a_beam_as_wide_as_the_catalogue_finds_what_the_oracle_ranks_first(recommender, decode):
    wide = replace(decode, beam_width=64, theta=np.inf)
    sample = evaluate(recommender, "test", wide, users=12, oracle_users=12).to_json()["oracle_sample"]
    assert sample["overlap@10"] == 1
    assert sample["missed_by_beam"] == sample["gained_by_beam"] == 0
    assert {key: sample[key] for key in sample["beam"]} == sample["beam"]


def test_the_oracle_is_compared_with_the_rankings_of_the_same_users(recommender, decode):
    narrow = replace(decode, beam_width=1, theta=np.inf)
    sample = evaluate(recommender, "test", narrow, users=90, oracle_users=25).to_json()["oracle_sample"]
    questions = held_out(recommender.interactions, "test").sample(90, seed=0).sample(25, seed=0)
    found = {"oracle": [], "beam": [], "first_state": []}
    for history, target in zip(questions.histories, questions.targets, strict=True):
        padded = pad_histories([history], HISTORY_LENGTH)
        scores = item_path_scores(recommender.model, recommender.index, padded[0], narrow, seen=history)
        state = recommender.model.encode(torch.from_numpy(padded))
        logits = recommender.model.catalog_logits(state)[0, 0].numpy().copy()
        logits[history] = -np.inf
        found["oracle"].append(target in best_items(scores, 10))
        found["first_state"].append(target in best_items(logits, 10))
        found["beam"].append(target in recommender.recommend([history], narrow)[0].items)
    hits = {name: np.array(values) for name, values in found.items()}
    assert sample["recall@10"] == pytest.approx(hits["oracle"].mean())
    assert sample["beam"]["recall@10"] == pytest.approx(hits["beam"].mean())
    assert sample["first_state"]["recall@10"] == pytest.approx(hits["first_state"].mean())
    assert sample["missed_by_beam"] == (hits["oracle"] & ~hits["beam"]).sum() > 0
    assert sample["gained_by_beam"] == (hits["beam"] & ~hits["oracle"]).sum()
    assert 0 < sample["overlap@10"] < 1


def test_items_older_than_the_model_reads_are_left_out_too(recommender, decode):
    history = np.arange(1, HISTORY_LENGTH + 15)
    long = HeldOut(np.array([0]), (history,), np.array([55]))
    items = search_users(recommender, long, decode, name="", progress=unseen_progress).searched.items[0]
    assert not set(items.tolist()) & set(history.tolist())


def test_rates_of_pruning_agree_with_the_fates_in_the_traces(report, traces):
    checked = [(trace.step >= 2) & (trace.step < 4) for trace in traces]
    fates = np.concatenate([trace.fate[rows] for trace, rows in zip(traces, checked, strict=True)])
    attempts = np.concatenate([trace.attempt[rows] for trace, rows in zip(traces, checked, strict=True)])
    kept, pruned, fallback = ((fates == fate).sum() for fate in (Fate.KEPT, Fate.PRUNED, Fate.FALLBACK))
    tried = kept + pruned + fallback
    assert report["prune_rate"] == pytest.approx((pruned + fallback) / tried)
    assert report["regeneration_rate"] == pytest.approx((attempts > 0).sum() / tried)
    assert report["fallback_rate"] == pytest.approx(fallback / (kept + fallback))
    assert 0 < report["fallback_rate"] < report["prune_rate"] < 1


def test_js_quantiles_agree_with_the_traces(report, traces):
    js = np.concatenate([trace.js[(trace.step == 2) & ~np.isnan(trace.js)] for trace in traces])
    quantiles = report["js"]["2"]
    assert quantiles["tried"]["p50"] == pytest.approx(np.median(js))
    assert quantiles["tried_above_theta"] == pytest.approx((js > THETA).mean())
    assert list(report["js"]) == ["1", "2", "3"]


def test_category_accuracy_before_any_code_is_that_of_the_roots(report, traces, questions, recommender):
    truth = recommender.catalog.categories[questions.targets]
    believed = np.array([trace.beliefs[0].argmax() for trace in traces])
    assert report["category_accuracy"]["0"] == pytest.approx((believed == truth).mean())
    assert list(report["category_accuracy"]) == ["0", "1", "2", "3"]


def test_no_recommended_item_is_illegal_and_every_way_to_be_is_counted(searched, recommender):
    def rate(**changes) -> float:
        changed: SearchedItems = replace(searched.searched, **changes)
        return illegal_rate(replace(searched, searched=changed), recommender.catalog, recommender.semantic_ids)

    found = searched.searched
    assert rate() == 0
    listed = (found.items > 0).sum()
    codes, missing, repeated = found.leaf_codes.copy(), found.items.copy(), found.items.copy()
    codes[3, 0, 1] += 1
    missing[5, 2] = recommender.catalog.n_items
    repeated[7, 0] = searched.questions.histories[7][0]
    assert rate(leaf_codes=codes) == pytest.approx(1 / listed)
    assert rate(items=missing) == pytest.approx(1 / listed)
    assert rate(items=repeated) == pytest.approx(1 / listed)


def test_without_pruning_nothing_is_pruned(recommender, decode, questions):
    plain = search_users(recommender, questions, replace(decode, theta=np.inf), name="", progress=unseen_progress)
    rates = consistency(plain)
    assert [rates[name] for name in ("prune_rate", "regeneration_rate", "fallback_rate", "users_with_pruning")] == [
        0
    ] * 4


def test_short_lists_are_searched_ten_deep(recommender, decode):
    short = evaluate(recommender, "test", replace(decode, top_k=2), users=20, oracle_users=0)
    long = evaluate(recommender, "test", decode, users=20, oracle_users=0)
    assert short.ranking == long.ranking
    assert isinstance(short.decode.top_k, int)


def test_a_bar_moves_once_a_chunk(recommender, decode):
    seen = []

    def progress(blocks, *, desc):
        for block in blocks:
            seen.append(desc)
            yield block

    evaluate(recommender, "test", decode, users=70, oracle_users=2, progress=progress)
    expected = ["search, history excluded"] * 2 + ["first state", "popularity", "transitions"] + ["oracle sample"] * 2
    assert seen == expected


def test_best_items_leave_out_what_is_not_allowed():
    scores = np.array([-np.inf, 1.0, 3.0, 1.0, -np.inf])
    assert best_items(scores, 4).tolist() == [2, 1, 3]


def test_results_of_all_chunks_stand_in_the_order_of_the_users(recommender, decode):
    everyone = held_out(recommender.interactions, "test")
    result: BeamResult = search_users(recommender, everyone, decode, name="", progress=unseen_progress)
    late = everyone.take(np.array([130]))
    alone = search_users(recommender, late, decode, name="", progress=unseen_progress)
    np.testing.assert_array_equal(result.searched.items[130], alone.searched.items[0])
    np.testing.assert_array_equal(result.searched.scores[130], alone.searched.scores[0])
