import pandas as pd
import pytest

from app.charts import overview as charts
from app.view_models import links
from app.view_models import overview as view
from reg4rec_core import Cohort, HealthCheck, Range, SliceMetrics
from reg4rec_core.metrics import Interval

REPORT = {
    "split": "test",
    "users": 1200,
    "recall@10": 0.12,
    "ndcg@10": 0.06,
    "intervals_95": {"recall@10": [0.1, 0.14]},
    "baselines": {"popularity": {"recall@10": 0.01}, "transitions": {"recall@10": 0.1}},
    "coverage": 0.5,
}


def checks() -> list[HealthCheck]:
    said = {"holds": "at most", "unit": "share", "reason": "Because."}
    verdicts = {"dead codes": "passed", "branches pruned": "failed", "entropy": "unknown"}
    return [
        HealthCheck("codes", name, verdict, None if verdict == "unknown" else 0.1, 0.05, **said)
        for name, verdict in verdicts.items()
    ]


def a_slice(recall: float, users: int, **conditions: object) -> SliceMetrics:
    metrics = {name: Interval(recall, recall - 0.01, recall + 0.01) for name in ("recall@10", "ndcg@10")}
    return SliceMetrics("5 to 9", Cohort(**conditions), users, metrics)


def test_cards_hold_intervals_where_there_are_any_and_what_to_beat():
    cards = {name: (value, beside) for name, value, beside in view.metric_cards(REPORT)}
    assert cards["Recall@10"] == ("0.120", "95 %: 0.100 to 0.140; popularity 0.010")
    assert cards["NDCG@10"] == ("0.060", "no interval stored")
    assert cards["Recall@10 over simple counting"][0] == "+20 %"
    assert "NDCG@10 gained by post-training" not in cards


def test_the_health_sentence_counts_and_names_what_failed():
    assert view.health_sentence(checks()) == (
        "1 of 2 checks pass; 1 cannot be made yet. To look at: “branches pruned”."
    )
    assert view.health_sentence(checks()[:1]) == "1 of 1 checks pass."


def test_a_check_says_its_verdict_by_sign_and_by_word():
    rows = view.health_rows(checks())
    assert [(row["sign"], row["word"], row["value"]) for row in rows] == [
        ("✓", "pass", "10 %"),
        ("✕", "FAIL", "10 %"),
        ("?", "unknown", "–"),
    ]


def test_losses_are_drawn_from_the_first_epoch_that_has_them():
    log = [
        {"stage": "fit-tokenizer", "epoch": 1},
        {"stage": "pretrain", "epoch": 1, "encoder_item": 3.0, "token": 0.0, "valid_ndcg@10": 0.1},
        {"stage": "pretrain", "epoch": 2, "encoder_item": 2.0, "token": 5.0, "valid_ndcg@10": 0.2},
    ]
    panels = {panel.title: panel.lines for panel in view.pretrain_panels(log)}
    assert list(panels) == ["item losses", "token loss", "validation NDCG@10"]
    assert panels["token loss"]["x"].tolist() == [2]
    assert view.post_train_panels(log) == []


def test_training_is_told_as_it_went():
    report = {"epochs": 3, "best_epoch": 2, "valid_ndcg@10": 0.05, "seconds": 60.0}
    told = view.pretrain_sentence({"pretrain_report": report, "pretrain": {"encoder_share": 0.5}})
    assert "3 epochs in 60 seconds; best on validation at epoch 2, NDCG@10 0.0500" in told
    assert "encoder learns first" in told
    assert "encoder learns first" not in view.pretrain_sentence({"pretrain_report": report})
    assert view.post_train_sentence({}) == "This run was not post-trained."


def test_curves_draw_every_line_and_a_running_mean_where_steps_are_noisy():
    log = [{"stage": "post-train", "step": s, "reward": 1.0 + s % 2, "kl": float("nan")} for s in range(60)]
    (panel,) = view.post_train_panels(log)
    figure = charts.curves([panel], "light", columns=2)
    assert [len(line.y) for line in figure.data] == [60, 60]
    assert figure.data[1].y[30] == pytest.approx(1.5)
    assert view.panels_summary([panel]) == "reward, all terms from 1 to 2."


def test_lines_of_one_panel_are_told_apart_without_their_colours():
    rows = [{"stage": "pretrain", "epoch": e, "encoder_item": 2.0, "first_item": 3.0} for e in (1, 2)]
    figure = charts.curves(view.pretrain_panels(rows), "dark", columns=2)
    assert len({line.line.dash for line in figure.data}) == 2
    assert all(name in figure.layout.annotations[0].text for name in ("encoder", "first state"))


def test_slices_of_few_users_are_not_blamed():
    slices = [a_slice(0.3, 500), a_slice(0.1, 100), a_slice(0.01, 19), a_slice(0.2, 400)]
    assert [part.users for part in view.worst_slices(slices, 1000)] == [100, 400, 500]


def test_a_slice_leads_to_its_users_on_the_cohorts_page():
    part = a_slice(0.1, 100, history=Range(5, 9))
    (row,) = view.slice_rows([part], "http://127.0.0.1:1/?run=demo", "demo", "all")
    assert row.who == "5 to 9 purchases"
    assert row.link == "http://127.0.0.1:1/cohorts?run=demo&store=all&cohort=history_5~9"


def test_how_often_training_saw_the_target_stands_in_for_a_store():
    block = {"recall@10": 0.05, "intervals_95": {"recall@10": [0.04, 0.06]}}
    groups = [
        {"from": 0, "to": 0, "users": 3, "first_state": block},
        {"from": 1, "to": 4, "users": 30, "first_state": {**block, "recall@10": 0.2}},
        {"from": 20, "to": None, "users": 50, "first_state": block},
    ]
    rows = view.frequency_rows({"side_by_side": {"by_training_interactions": groups}})
    assert [row.who for row in rows] == [
        "target seen 20 or more times in training",
        "target seen 1 to 4 times in training",
    ]
    assert view.frequency_rows(None) == view.frequency_rows({}) == []


PLANS = [
    {"stage": "pretrain", "step": step, "layer": layer, "dtype": number_format}
    for step, formats in ((7, ("fp32", "bf16")), (507, ("fp8", "bf16")))
    for layer, number_format in zip(("encoder.0", "decoder.0"), formats, strict=True)
]


def test_the_plan_of_number_formats_is_drawn_by_layer_and_plan():
    table = view.precision_table(PLANS)
    figure = charts.precision_map(table, "light")
    assert list(figure.data[0].y) == ["encoder.0", "decoder.0"]
    assert list(figure.data[0].x) == ["pretrain 7", "pretrain 507"]
    assert pd.DataFrame(figure.data[0].text).to_numpy().tolist() == [["32", "8"], ["16", "16"]]
    assert view.precision_sentence(PLANS) == (
        "Of 2 layers, the latest plan (pretrain, step 507) keeps 1 in bf16, 1 in fp8. A column is a plan, a row a "
        "layer; the number in a cell is how many bits the layer computes with."
    )


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1/reasoning?user=1"),
        ("http://127.0.0.1:1/?a=b", "http://127.0.0.1:1/reasoning?user=1"),
        ("http://127.0.0.1:1/cohorts?a=b", "http://127.0.0.1:1/reasoning?user=1"),
        ("https://host/base/cohorts", "https://host/base/reasoning?user=1"),
        ("", "reasoning?user=1"),
    ],
)
def test_a_link_leads_from_any_page_to_another(address, link):
    assert links.page_link(address, "reasoning", {"user": "1", "path": ""}) == link
