"""Wrong prunes and the calibration of the category belief, on numbers by hand."""

from dataclasses import fields, replace

import numpy as np
import pytest

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import SearchedItems
from reg4rec_core.evaluation import search_split
from reg4rec_core.evaluation.beam_search import category_accuracy
from reg4rec_core.evaluation.prunes import counts_per_user, prune_table, prunes_by_belief, pruning_by_step, reliability
from reg4rec_core.recommender import Recommender


@pytest.fixture(scope="module")
def recommender(tiny_run):
    return Recommender.load(tiny_run)


@pytest.fixture(scope="module")
def result(recommender):
    return search_split(recommender, "valid", DecodeConfig(beam_width=6, theta=0.05, check_from=1), users=40)


def test_the_table_counts_prunes_by_what_was_lost_and_what_the_head_said(result):
    counts = np.zeros((40, 4, 2, 2), int)
    counts[0, 1] = [[5, 3], [2, 0]]  # pruned right: 5 with a wrong head, 3 with a right one; wrong: 2 and 0
    counts[7, 2] = [[0, 0], [0, 1]]
    table = prune_table(replace(result, searched=replace(result.searched, prunes_by=counts)))
    assert table["prune_right"] == {"head_right": 3, "head_wrong": 5}
    assert table["prune_wrong"] == {"head_right": 1, "head_wrong": 2}
    assert table["wrong_share_head_right"] == pytest.approx(1 / 4)
    assert table["wrong_share_head_wrong"] == pytest.approx(2 / 7)
    none = prune_table(replace(result, searched=replace(result.searched, prunes_by=0 * counts)))
    assert none["wrong_share_head_right"] is None


def test_what_the_belief_before_a_code_says_of_its_prunes(result):
    counts = np.zeros((40, 4, 2, 2, 2), int)
    counts[0, 1] = [[[50, 7], [2, 1]], [[30, 0], [8, 2]]]  # wrong belief: 50 let and 7 pruned without the target, ...
    counts[9, 1, 1] = [[10, 4], [0, 0]]
    steps = prunes_by_belief(replace(result, searched=replace(result.searched, tried_by=counts)))
    assert list(steps) == ["1", "2", "3"]
    second = steps["2"]
    assert second["belief_accuracy"] == pytest.approx(54 / 114)
    assert (second["tried"], second["pruned"], second["wrong_prunes"]) == (114, 14, 3)
    assert second["pruned_share"] == pytest.approx(14 / 114)
    assert second["wrong_share"] == pytest.approx(3 / 14)
    assert (second["tried_to_target"], second["lost_share"]) == (13, pytest.approx(3 / 13))
    assert second["belief_right"]["wrong_share"] == pytest.approx(2 / 6)
    assert second["belief_wrong"]["wrong_share"] == pytest.approx(1 / 8)
    assert second["belief_wrong"]["lost_share"] == pytest.approx(1 / 3)
    assert steps["1"]["wrong_share"] is steps["1"]["belief_accuracy"] is None


def test_the_belief_parts_exactly_the_prunes_of_the_search(result, recommender):
    steps, found = prunes_by_belief(result), result.searched
    for step, row in steps.items():
        column = int(step) - 1
        assert row["tried"] == sum(getattr(found, name)[:, column].sum() for name in ("kept", "pruned", "fallback"))
        assert row["pruned"] == found.pruned[:, column].sum()
        assert row["wrong_prunes"] == found.prunes_by[:, column, 1].sum()
    at_root = found.categories[:, 0] == recommender.catalog.categories[result.questions.targets]
    assert steps["1"]["belief_right"]["tried"] == found.tried_by[at_root, 0].sum() > 0
    assert not found.tried_by[~at_root, 0, 1].any()


def test_the_steps_add_up_to_what_the_search_counted(result):
    steps, found = pruning_by_step(result), result.searched
    assert list(steps) == ["1", "2", "3"]
    assert sum(step["pruned"] for step in steps.values()) == pytest.approx(found.pruned.sum() / 40)
    counts = counts_per_user(result)
    assert counts.nodes.mean() == pytest.approx(1 + sum(step["tried"] for step in steps.values()))
    for name in ("pruned", "regenerated", "fallback", "wrong_prunes"):
        assert getattr(counts, name).mean() == pytest.approx(sum(step[name] for step in steps.values()))
    table = prune_table(result)
    assert sum(sum(row.values()) for row in (table["prune_right"], table["prune_wrong"])) == found.pruned.sum()
    lost = [steps[step]["target_in_beam"] for step in steps]
    assert lost == sorted(lost, reverse=True), "a target once lost does not come back"
    hits = ((found.items == result.questions.targets[:, None]) & found.from_path).any(1).mean()
    assert found.target_in_beam[:, -1].mean() >= hits > 0


def test_reliability_puts_users_into_bins_by_confidence(result, recommender):
    four = {field.name: getattr(result.searched, field.name)[:4] for field in fields(result.searched)}
    few = replace(result, questions=result.questions.take(np.arange(4)), searched=SearchedItems(**four))
    truth = recommender.catalog.categories[few.questions.targets]
    categories = np.repeat(truth[:, None], 4, 1)
    categories[1, 0] += 1
    confidences = np.ones((4, 4))
    confidences[:, 0] = [0.31, 0.39, 0.85, 0.05]
    found = replace(few.searched, categories=categories, confidences=confidences)
    rows = reliability(replace(few, searched=found), recommender.catalog)
    first = rows["0"]
    assert [(row["from"], row["users"], row["accuracy"]) for row in first["bins"]] == [
        (0.0, 1, 1.0),
        (0.3, 2, 0.5),
        (0.8, 1, 1.0),
    ]
    assert first["bins"][1]["confidence"] == pytest.approx(0.35)
    assert first["calibration_error"] == pytest.approx((0.95 + 2 * 0.15 + 0.15) / 4)
    assert rows["1"]["calibration_error"] == 0
    assert [row["from"] for row in rows["1"]["bins"]] == [0.9]


def test_reliability_knows_the_accuracy_that_reports_show(result, recommender):
    rows = reliability(result, recommender.catalog)
    assert {step: row["accuracy"] for step, row in rows.items()} == category_accuracy(result, recommender.catalog)
