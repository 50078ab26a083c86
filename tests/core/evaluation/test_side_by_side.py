"""The table of everything that a run has to beat: one evaluator, the same users in every row."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.config import HISTORY_LENGTH, SasrecConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.evaluation import evaluate, search_split
from reg4rec_core.evaluation.comparison import paired_differences
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.evaluation.side_by_side import random_places
from reg4rec_core.evaluation.trained_peers import StoredPlaces, load_sasrec, open_peers, stored_rankings
from reg4rec_core.metrics import MISSED, recall_at
from reg4rec_core.recommender import Recommender
from reg4rec_core.training.sasrec import train_sasrec
from reg4rec_core.types import InputError

USERS = 60
METRICS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")
ROWS = ["popularity", "transitions", "sasrec", "first_state", "beam", "random_paths"]


@pytest.fixture(scope="module")
def recommender(tiny_run, tmp_path_factory):
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "beside")
    train_sasrec(run, SasrecConfig(width=16, hidden=32, epochs=4, batch_size=32, learning_rate=1e-2, warmup_steps=5))
    return Recommender.load(run)


@pytest.fixture(scope="module")
def decode(recommender):
    return replace(recommender.decode, theta=0.1, check_from=2, beam_width=6)


@pytest.fixture(scope="module")
def report(recommender, decode):
    peers = open_peers(recommender.run, weights=recommender.weights)
    return evaluate(
        recommender, "test", decode, users=USERS, oracle_users=0, history_items="both", peers=peers,
        thetas=[(np.inf, 2), (0.02, 3)],
    ).to_json()  # fmt: skip


@pytest.fixture(scope="module")
def questions(recommender):
    return held_out(recommender.interactions, "test").sample(USERS, seed=0)


def test_every_row_has_the_same_keys_and_the_same_users(report):
    block = report["side_by_side"]
    assert list(block["rows"]) == ROWS
    assert block["users"] == report["users"] == USERS
    for name, row in block["rows"].items():
        times = {"training_seconds", "users_per_second"}
        assert {*METRICS, "history_items", "history_excluded", "intervals_95", "minus_first_state", *times} <= set(row)
        assert ("history_included" in row) == (name != "random_paths")
        assert {name: row[name] for name in METRICS} == row["history_excluded"]
        for low, high in row["intervals_95"].values():
            assert 0 <= low <= high <= 1
        assert row["users_per_second"] > 0


def test_rows_that_the_report_has_anyway_are_the_same_there(report):
    rows = report["side_by_side"]["rows"]
    for rule in ("history_excluded", "history_included"):
        assert rows["beam"][rule] == report[rule]
        assert rows["first_state"][rule] == report["first_state"][rule]
        assert rows["popularity"][rule] == report["baselines"]["popularity"][rule]
    assert rows["beam"]["intervals_95"]["recall@10"] == pytest.approx(report["intervals_95"]["recall@10"])


def test_sasrec_ranks_by_its_own_scores(report, recommender, questions):
    network = load_sasrec(recommender.run)
    hits = {"history_excluded": [], "history_included": []}
    for history, target in zip(questions.histories, questions.targets, strict=True):
        with torch.inference_mode():
            scores = network.item_scores(torch.from_numpy(pad_histories([history], HISTORY_LENGTH)))[0].numpy()
        hits["history_included"].append(target in np.argsort(-scores, kind="stable")[:10])
        scores[history] = -np.inf
        hits["history_excluded"].append(target in np.argsort(-scores, kind="stable")[:10])
    for rule, found in hits.items():
        assert report["side_by_side"]["rows"]["sasrec"][rule]["recall@10"] == pytest.approx(np.mean(found))


def test_differences_are_paired_with_the_first_state_user_by_user(report, recommender, decode):
    rows = report["side_by_side"]["rows"]
    assert rows["first_state"]["minus_first_state"]["recall@10"] == {"mean": 0, "low": 0, "high": 0}
    beam = search_split(recommender, "test", decode, users=USERS)
    assert recall_at(beam.places, 10) == rows["beam"]["recall@10"]
    mean = rows["beam"]["minus_first_state"]["ndcg@10"]["mean"]
    assert mean == pytest.approx(rows["beam"]["ndcg@10"] - rows["first_state"]["ndcg@10"])


def test_thetas_are_searches_of_their_own_compared_with_this_report(report, recommender, decode):
    own, off, strict = report["thetas"]
    assert (own["theta"], own["check_from"], own["recall@10"]) == (0.1, 2, report["recall@10"])
    assert own["minus_first_row"]["ndcg@10"]["mean"] == 0
    assert (off["theta"], off["prune_rate"]) == (np.inf, 0)
    assert (strict["theta"], strict["check_from"]) == (0.02, 3)
    assert own["prune_rate"] == report["prune_rate"] > 0
    main, other = (
        search_split(recommender, "test", replace(decode, theta=theta, check_from=step), users=USERS).places
        for theta, step in ((0.1, 2), (0.02, 3))
    )
    expected = paired_differences(other, main, seed=0)["ndcg@10"]
    assert strict["ndcg@10"] - own["ndcg@10"] == pytest.approx(expected.mean)
    found = strict["minus_first_row"]["ndcg@10"]
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert off["users_per_second"] == strict["users_per_second"] != own["users_per_second"]  # searched together


def test_a_theta_that_is_asked_for_takes_the_place_of_thetas_by_step(recommender, decode):
    by_step = replace(decode, thetas=(0.05,), top_k=10)
    own, off = evaluate(recommender, "test", by_step, users=8, oracle_users=0, thetas=[(np.inf, 2)]).thetas
    assert own["prune_rate"] > off["prune_rate"] == 0


def test_targets_are_grouped_by_how_often_training_saw_them(report, recommender, questions):
    groups = report["side_by_side"]["by_training_interactions"]
    log = recommender.interactions
    seen = np.concatenate([log.sequence(user)[:-2] for user in range(log.n_users)])
    counts = [int((seen == target).sum()) for target in questions.targets]
    assert [(group["from"], group["to"]) for group in groups] == [(0, 0), (1, 4), (5, 9), (10, 19), (20, None)]
    for group in groups:
        upper = np.inf if group["to"] is None else group["to"]
        assert group["users"] == sum(group["from"] <= count <= upper for count in counts)
        assert ("sasrec" in group) == (group["users"] > 0)
    filled = [group for group in groups if group["users"]]
    assert len(filled) > 1
    for name in ("first_state", "sasrec", "transitions"):
        total = sum(group["users"] * group[name]["ndcg@10"] for group in filled)
        assert total / USERS == pytest.approx(report["side_by_side"]["rows"][name]["ndcg@10"])


def test_random_paths_follow_from_the_seed_and_the_user_alone(recommender, decode, questions):
    def places(asked, seed=0):
        return random_places(recommender, asked, replace(decode, top_k=10), seed=seed, progress=unseen_progress)

    everyone = places(questions)
    np.testing.assert_array_equal(places(questions.take(np.arange(17, 23))), everyone[17:23])
    assert (places(questions, seed=1) != everyone).any()
    assert (everyone == MISSED).any()


def test_random_paths_are_far_below_the_search(report):
    rows = report["side_by_side"]["rows"]
    assert rows["random_paths"]["minus_first_state"]["recall@10"]["high"] < 0
    assert rows["random_paths"]["recall@10"] < rows["beam"]["recall@10"]


def test_stored_places_are_found_by_user(recommender, questions, tmp_path):
    run = open_run(shutil.copytree(recommender.run.path, tmp_path / "run"))
    everyone = held_out(recommender.interactions, "test")
    (run.path / "baselines").mkdir(exist_ok=True)
    StoredPlaces(everyone.users, everyone.users + 1, everyone.users + 2).save(run, "rpg")
    assert stored_rankings(run, questions, "test") == {}, "without its report a training has not finished"
    write_json(run.path / "baselines" / "rpg.json", {"seconds": 7.0, "users_per_second": 9.0})
    ranking = stored_rankings(run, questions, "test")["rpg"]
    np.testing.assert_array_equal(ranking.places["excluded"], questions.users + 1)
    np.testing.assert_array_equal(ranking.places["included"], questions.users + 2)
    assert (ranking.training_seconds, ranking.users_per_second) == (7.0, 9.0)
    assert stored_rankings(run, questions, "valid") == {}
    StoredPlaces(everyone.users[:9], everyone.users[:9] + 1, everyone.users[:9] + 2).save(run, "rpg")
    with pytest.raises(InputError, match="lacks users of the test split; train rpg again"):
        stored_rankings(run, questions, "test")
    (run.path / "baselines" / "rpg.safetensors").write_bytes(b"no numbers")
    with pytest.raises(InputError, match="cannot be read"):
        stored_rankings(run, questions, "test")
