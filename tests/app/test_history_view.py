import numpy as np
import pandas as pd
import pytest
from small_shop import small_catalog, small_interactions, small_trace

from app.view_models import history
from app.view_models.reasoning import history_cards
from app.view_models.tree import find_focus
from reg4rec_core import Attribution, Edit, compare_traces, parse_edits

CATALOG = small_catalog()


def cards() -> pd.DataFrame:
    """Red, plum, coral lipstick turned round: user 1 bought items 3, 2, 1."""
    return history_cards(CATALOG, small_interactions(), 1, 3)


def small_attribution(influence: list[list[float]]) -> Attribution:
    values = np.array(influence)
    items = np.array([2, 4])
    return Attribution(
        np.arange(3), np.array([3, 2, 1]), items, np.zeros(2), values, np.zeros(2), np.zeros_like(values)
    )


def test_edited_cards_follow_the_edits_and_keep_their_dates():
    before = cards()
    after = history.edited_cards(before, parse_edits("-1,2>4,2@1,~7"), CATALOG, length=20)
    assert after["title"].tolist() == ["Black Mascara", "Plum Lipstick", "Honey Shampoo"]
    assert after["date"].tolist() == ["edited in", before["date"][1], "edited in"]
    assert after["brand"].tolist() == ["", "Avalon", "Birch"]
    assert before["title"].tolist() == ["Coral Lipstick", "Plum Lipstick", "Red Lipstick"], "the original stays"
    assert history.edited_cards(before, parse_edits("~7"), CATALOG, length=3)["title"].tolist()[0] == "Plum Lipstick"


def test_influence_is_shown_as_a_share_of_the_largest_and_in_words():
    shown = history.with_influence(cards(), small_attribution([[1.0, 9], [-2.0, 9], [0.001, 9]]), 0)
    assert shown["share"].tolist() == [0.5, -1.0, 0.0005]
    assert shown["said"].tolist() == [
        "speaks for it, +1.00 nats",
        "speaks against it, -2.00 nats",
        "hardly matters, 0.00 nats",
    ]
    assert history.purchase_names(shown)[1] == "2 · -2.00 nats · Plum Lipstick"


def test_a_neighbour_shows_no_influence():
    nan = float("nan")
    shown = history.with_influence(cards(), small_attribution([[1.0, nan]] * 3), 1)
    assert "share" not in shown
    assert history.purchase_names(shown)[0] == "1 · Coral Lipstick"
    assert "has no path of its own" in history.influence_note(small_trace(), CATALOG, 3)


def test_the_note_names_the_followed_item():
    trace = small_trace()
    rank = history.followed_rank(trace, find_focus(trace, "1.0", 2))
    assert "“" + CATALOG.titles[trace.items[rank]] + f"” (number {rank + 1})" in history.influence_note(
        trace, CATALOG, rank
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-3", "Edited history: 1 item removed."), ("-3,-2,1>4,~5", "2 items removed, 1 item replaced, 1 item added.")],
)
def test_the_banner_counts_what_was_done(text, expected):
    assert expected in history.edit_banner(parse_edits(text))
    assert history.edit_banner((Edit("move", 1, 2),)).startswith("Edited history: 1 item moved.")


def test_changes_list_what_entered_left_and_moved():
    comparison = compare_traces(small_trace(), small_trace(items=np.array([4, 2, 6, 7])))
    changes = history.changes(comparison, CATALOG)
    assert changes.rows.to_numpy().tolist() == [
        ["▲\N{NO-BREAK SPACE}entered", "Mint Shampoo", "–", "3"],
        ["▼\N{NO-BREAK SPACE}left", "Brown Mascara", "3", "–"],
        ["↕\N{NO-BREAK SPACE}moved", "Black Mascara", "2", "1"],
        ["↕\N{NO-BREAK SPACE}moved", "Plum Lipstick", "1", "2"],
    ]
    assert changes.summary.startswith(
        "Against the original list: 1 entered, 1 left, 2 moved. 8 of the original tree's 8"
    )
