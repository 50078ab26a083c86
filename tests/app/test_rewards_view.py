"""The Rewards page's tables and sentences, with numbers by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_shop import small_catalog, small_interactions, small_trace

from app.charts import rewards as charts
from app.view_models import previews as preview_view
from app.view_models import rewards as view
from reg4rec_core import InputError, RewardWeights, Rollouts, WeightsEffect, survey_rewards, weigh
from reg4rec_core.config import PostTrainConfig
from reg4rec_core.experiments.previews import PreviewPlan, PreviewState
from reg4rec_core.metrics import Interval

OWN = RewardWeights()
PATH = RewardWeights.parse("path=1")


def rollouts(terms=None, items=(2, 4, 5, 3)) -> Rollouts:
    """One history of the second user, who bought 2 next and 4 later; four paths."""
    hit = [(0.2, 0.5, 0.9, 1.0), (0.9, 0.5, 0.9, 0.0), (0.1, 0.5, 0.9, 0.0), (0.0, 0.5, 0.9, 0.0)]
    values = np.array([terms or hit], np.float32)
    steps = np.zeros((1, 4, 2), np.int64)
    none = steps.astype(np.float32)
    return Rollouts(
        np.array([1]), np.array([1]), np.array([[2, 4, 0]]), steps, steps, np.array([items]), none, none, values
    )


def group(weights: RewardWeights, **changes) -> view.Group:
    return view.weigh_group(rollouts(**changes), 0, weights, OWN, small_catalog(), std_floor=0.05)


def test_the_paths_stand_in_the_order_of_the_runs_own_weights_and_say_what_they_are():
    found = group(OWN)
    # totals 2.6, 2.3, 1.5, 1.4: mean 1.95, deviation .51235
    np.testing.assert_allclose(found.rows["total"], [2.6, 2.3, 1.5, 1.4], rtol=1e-6)
    np.testing.assert_allclose(found.rows["advantage"], np.array([0.65, 0.35, -0.45, -0.55]) / 0.51235, rtol=1e-4)
    assert found.rows["item"].tolist() == ["Plum Lipstick", "Black Mascara", "Brown Mascara", "Coral Lipstick"]
    assert found.rows["mark"].tolist() == ["★ next purchase", "☆ bought later", "", ""]
    assert found.rows["verdict"].tolist() == ["▲ reinforced"] * 2 + ["▼ suppressed"] * 2
    assert not found.rows["changed"].any()
    parts = found.rows[[f"part_{name}" for name in view.TERMS]]
    np.testing.assert_allclose(parts.sum(axis=1), found.rows["advantage"], atol=1e-5)
    assert found.rows["part_path"].iloc[0] == pytest.approx(0.75 / 0.51235, rel=1e-4)
    assert found.summary.endswith("would reinforce 2 and suppress 2. These are the run's own weights.")
    assert found.scale == pytest.approx(max(0.75, 0.25 + 0.3, 0.25 + 0.2, 0.25 + 0.3) / 0.51235, rel=1e-4)


def test_other_weights_keep_the_rows_and_tell_who_changes_sides():
    found = group(PATH)
    assert found.rows["item"].tolist() == group(OWN).rows["item"].tolist()
    assert found.rows["verdict"].tolist() == ["▲ reinforced"] + ["▼ suppressed"] * 3
    assert found.rows["changed"].tolist() == ["", "was ▲ reinforced", "", ""]
    assert found.summary.endswith("reinforce 1 and suppress 3. 1 path changes sides against the run's own weights.")
    assert view.changed_share(rollouts(), PATH, OWN, std_floor=0.05) == 0.25
    assert view.changed_share(rollouts(), OWN, OWN, std_floor=0.05) == 0


def test_a_group_without_signal_is_left_alone_in_words():
    same = [(0.5, 0.5, 0.9 - 0.1 * row, 0.0) for row in range(4)]
    found = group(PATH, terms=same)
    assert set(found.rows["verdict"]) == {"● left alone"}
    assert found.summary.startswith("This group has no signal")
    close = group(OWN, terms=[(0.01 * row, 0.5, 0.9, 0.0) for row in range(4)])
    assert close.summary.endswith("so that it counts less than others.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("step=0,category=0,consistency=0,path=0", "at least one of the reward weights"),
        ("step=-1", "must be finite and >= 0"),
        ("step=nan,path=1", "must be finite and >= 0"),
        ("step=inf", "must be finite and >= 0"),
        ("step=5", "the sliders go up to 4"),
        ("taste=1", "there is no reward 'taste'"),
        ("step", "NAME=NUMBER"),
    ],
)
def test_weights_that_make_no_sense_are_refused_in_words(text, said):
    with pytest.raises(InputError, match=said):
        view.read_weights(text, OWN)


def test_weights_travel_as_text():
    values = {"step": 0.25, "category": 0.0, "consistency": 1.5, "path": 4.0}
    text = view.weights_text(values)
    assert view.read_weights(text, OWN).to_dict() == values
    assert view.read_weights("", OWN) == OWN
    assert view.preset_of(PATH) == "path only"
    assert view.preset_of(RewardWeights(0.3, 1.0, 1.0, 1.0)) is None


def test_locked_weights_stay_and_the_others_share_what_is_left():
    now = {"step": 1.0, "category": 1.0, "consistency": 0.0, "path": 2.0}
    assert view.with_locks(PATH, now, ["step"]) == {"step": 1.0, "category": 0.0, "consistency": 0.0, "path": 1.0}
    assert view.normalised(now, ["path"]) == now
    assert view.normalised(now, ["category"]) == {"step": 1.0, "category": 1.0, "consistency": 0.0, "path": 2.0}
    assert view.normalised({**now, "path": 1.0}, []) == {"step": 1.34, "category": 1.33, "consistency": 0, "path": 1.33}
    assert view.normalised(now, ["step"]) == {"step": 1.0, "category": 1.0, "consistency": 0.0, "path": 2.0}
    for locked in (list(now), ["step", "category", "path"]):
        with pytest.raises(InputError, match="unlock or raise one"):
            view.normalised(now, locked)


def test_histories_are_named_and_the_first_shown_has_a_hit_and_a_miss():
    shop, catalog = small_interactions(), small_catalog()
    assert view.group_names(rollouts(), catalog, shop) == ["user 70 after 1 purchase · next: Plum Lipstick"]
    assert view.future_words(rollouts(), 0, catalog).startswith(
        "Judged by what was bought: next “Plum Lipstick”; later “Black Mascara”."
    )
    nothing = rollouts(items=(6, 6, 6, 6))
    both = Rollouts(*(np.concatenate([getattr(nothing, n), getattr(rollouts(), n)]) for n in vars(nothing)))
    assert view.first_group(both, weigh(both.terms, OWN, std_floor=0.05)) == 1
    assert view.first_group(nothing, weigh(nothing.terms, OWN, std_floor=0.05)) == 0


def test_the_judged_purchases_begin_where_training_knows_three_or_where_the_held_out_ones_do():
    shop = small_interactions()
    assert view.position_of("learnt", shop, 1) == 1
    assert view.position_of("held out", shop, 1) == 3
    with pytest.raises(InputError, match="training knows fewer than two purchases of user Ann"):
        view.position_of("learnt", shop, 2)


def test_the_survey_in_cards_and_tables():
    survey = survey_rewards(rollouts(), OWN, std_floor=0.05)
    cards = {name: value for name, value, _ in view.glance(survey, 0.25)}
    assert cards["groups without signal"] == "0%"
    assert cards["paths at the next purchase"] == "25.0%"
    assert cards["paths that change sides"] == "25.0%"
    directions = view.direction_rows(survey).set_index("reward")
    assert directions.loc["path alone", "★ next"] == "+1.73"
    assert directions.loc["category alone", "with total"] == "–"
    assert directions.loc["weighted total", "with total"] == "+1.00"
    table = view.correlation_rows(survey).set_index("reward")
    assert (table.loc["step", "step"], table.loc["step", "category"]) == ("+1.00", "–")
    document = json.loads(view.rewards_json(OWN, group(OWN), survey))
    assert document["survey"]["without_signal"] == 0
    assert document["survey"]["correlation"][1] == [None] * 4
    assert len(document["paths"]) == 4


def state(phase="training", steps=8, done=4, **changes) -> PreviewState:
    records = tuple(
        {"step": number, "reward": float(number), "hit_rate": 0.1 * number}
        | {f"rewards/{name}/mean": 0.5 * number for name in view.TERMS}
        for number in range(1, done + 1)
    )
    plan = PreviewPlan(Path("run"), PATH, PostTrainConfig(steps=steps))
    return PreviewState(
        **{
            "number": "2",
            "plan": plan,
            "phase": phase,
            "path": Path("copy"),
            "ahead": 0,
            "error": "",
            "records": records,
        }
        | changes
    )


def test_a_preview_says_where_it_stands():
    assert preview_view.progress_share(state()) == 0.5
    assert preview_view.progress_text(state()) == "Preview 2 trains · step 4 of 8"
    assert preview_view.progress_text(state("waiting", done=0, ahead=1)) == "Preview 2 waits for its turn, 1 before it"
    assert preview_view.progress_text(state("failed", error="no disk")) == "Preview 2 failed: no disk"
    assert preview_view.progress_share(state("done")) == 1
    assert preview_view.gone_words(state()).startswith("Preview 2 was cancelled: its training has ended and its copy")
    assert preview_view.gone_words(state("waiting", done=0)).startswith("Preview 2 was cancelled: its copy of the run")
    assert preview_view.gone_words(state("done")).startswith("Preview 2 was discarded: its copy of the run is deleted.")
    assert preview_view.curve(state())["reward"].tolist() == [1, 2, 3, 4]
    assert preview_view.curve_words(state()).endswith("1.000 at the first, 4.000 at the last")
    changes = preview_view.reward_changes(state()).set_index("reward")
    assert changes.loc["path"].tolist() == ["0.500", "2.000", "+1.500"]
    assert changes.loc["ends at the next purchase", "change"] == "+0.300"
    drawn = charts.reward_curve(preview_view.curve(state()), 8, "light")
    assert tuple(drawn.layout.xaxis.range) == (0.5, 8.5)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.01, 0.03, "No difference"), (0.001, 0.03, "better, beyond chance"), (-0.3, -0.1, "worse, beyond chance")],
)
def test_an_effect_is_only_called_one_when_its_interval_leaves_out_zero(low, high, said):
    change = Interval((low + high) / 2, low, high)
    metrics = {"recall@10": 0.1, "ndcg@10": 0.05}
    effect = WeightsEffect(2000, metrics, metrics, {"recall@10": change, "ndcg@10": change}, 7, 5)
    assert said in preview_view.effect_sentence(effect)
    cards = preview_view.effect_cards(effect)
    assert cards[1][:2] == ("NDCG@10", "0.0500 → 0.0500")
    assert cards[2] == ("users that gained a hit", "7", "5 lost one")


def test_two_lists_stand_side_by_side_with_what_moved():
    before, after = small_trace(), small_trace(items=np.array([4, 2, 1, 7]))
    rows = preview_view.lists_beside(before, after, small_catalog(), target=4)
    assert rows["before"].tolist() == ["Plum Lipstick", "★ Black Mascara", "Brown Mascara", "Honey Shampoo"]
    assert rows["after"].tolist() == ["★ Black Mascara", "Plum Lipstick", "Red Lipstick", "Honey Shampoo"]
    assert rows["move"].tolist() == ["▲ was 2", "▼ was 1", "new", ""]
    tree = preview_view.tree_rows(before, after).set_index("tree")
    assert tree.loc["nodes"].tolist() == ["8", "8"]
    assert tree.loc["pruned"].tolist() == ["1", "1"]
    assert tree.loc["nodes of both trees"].tolist() == ["8", "8"]


def test_a_link_to_a_preview_that_is_gone_says_so():
    assert preview_view.chosen_number("", ["1", "2"]) == "2"
    assert preview_view.chosen_number("1", ["1", "2"]) == "1"
    assert preview_view.chosen_number("", []) == ""
    assert preview_view.chosen_number("3", ["1", "2"], ["3"]) == "2", "that is one of another run"
    with pytest.raises(InputError, match="there is no preview '9' in this application any more"):
        preview_view.chosen_number("9", ["1"])


def test_the_table_draws_every_part_and_escapes_titles(monkeypatch):
    from app.components import reward_paths

    drawn = []
    monkeypatch.setattr(reward_paths, "html_part", lambda html, key: drawn.append(html))
    rows = group(PATH).rows.assign(item="<b>Plum</b>")
    assert isinstance(rows, pd.DataFrame)
    reward_paths.path_table(rows, 2.0, "dark", alt="four paths")
    (html,) = drawn
    assert "<b>Plum" not in html
    assert html.count('class="part"') == 16
    assert "was ▲ reinforced" in html


def test_how_stored_histories_were_drawn():
    assert view.sample_words(128, 3) == "128 stored histories drawn at random from training, seed 3"
    assert view.sample_words(0, 3) == ""
