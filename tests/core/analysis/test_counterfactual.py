"""Edits of histories as properties, comparisons of searches by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookup_model import random_ids
from planted_model import PlantedModel
from small_shop import small_trace

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.analysis.counterfactual import (
    MAX_EDITS,
    Edit,
    Move,
    ask_edited,
    compare_traces,
    edit_history,
    format_edits,
    parse_edits,
)
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.types import InputError

N_ITEMS = 90
histories = st.lists(st.integers(1, N_ITEMS - 1), min_size=1, max_size=8).map(np.array)


@st.composite
def edits(draw, length: int) -> Edit:
    """An edit that a history of this length takes."""
    kind = draw(st.sampled_from(["replace", "move", "append"] + ["remove"] * (length > 1)))
    place, item = st.integers(1, length), st.integers(1, N_ITEMS - 1)
    values = {
        "remove": (place, st.just(0)),
        "replace": (place, item),
        "move": (place, place),
        "append": (st.just(0), item),
    }
    return Edit(kind, *(draw(value) for value in values[kind]))


@given(st.data())
def test_edits_come_back_from_their_text_and_lead_to_the_same_history(data) -> None:
    history = edit_history(data.draw(histories), (), n_items=N_ITEMS)
    for _ in range(data.draw(st.integers(0, 6))):
        history = history.apply(data.draw(edits(len(history.items))), n_items=N_ITEMS)
    text = format_edits(history.edits)
    assert parse_edits(text) == history.edits
    again = edit_history(history.original, parse_edits(text), n_items=N_ITEMS)
    assert again.items.tolist() == history.items.tolist()


@given(st.data())
def test_an_edit_and_its_inverse_restore_the_history(data) -> None:
    history = edit_history(data.draw(histories), (), n_items=N_ITEMS)
    edit = data.draw(edits(len(history.items)))
    before = history.original.copy()
    back = edit_history(history.original, (edit, *history.inverse(edit)), n_items=N_ITEMS)
    assert back.items.tolist() == before.tolist()
    assert back.original.tolist() == before.tolist(), "the original is never changed"
    assert back.edits[0] == edit, "the lineage is kept"


def test_each_edit_does_what_its_text_says() -> None:
    history = np.array([11, 12, 13, 14])

    def after(text: str) -> list[int]:
        return edit_history(history, parse_edits(text), n_items=N_ITEMS).items.tolist()

    assert after("-3") == [11, 12, 14]
    assert after("2>57") == [11, 57, 13, 14]
    assert after("4@1") == [14, 11, 12, 13]
    assert after("1@3") == [12, 13, 11, 14]
    assert after("~57") == [11, 12, 13, 14, 57]
    assert after("-3,2>57, 3@1") == [14, 11, 57], "from left to right, places as they then are"
    assert after("") == after(" ") == [11, 12, 13, 14]


NO_EDITS = ["3", "-", "--3", "2>", ">2", "2>x", "1@", "~", "+5", "-3;-2", "-3,,", "-٣", "-9999999999", "2>5>3", "<b>"]


@pytest.mark.parametrize("text", NO_EDITS)
def test_what_is_no_edit_is_told_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="an edit reads -PLACE, PLACE>ITEM, PLACE@PLACE or ~ITEM, got "):
        parse_edits(text)


def test_too_many_edits_are_refused() -> None:
    assert len(parse_edits(",".join(["1@1"] * MAX_EDITS))) == MAX_EDITS
    with pytest.raises(InputError, match="at most 40 edits, got 41"):
        parse_edits(",".join(["1@1"] * (MAX_EDITS + 1)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-0", "a place from 1 to 2, got 0 in '-0'"),
        ("-3", "a place from 1 to 2, got 3"),
        ("1@3", "a place from 1 to 2, got 3 in '1@3'"),
        ("3>5", "a place from 1 to 2, got 3"),
        ("1>0", "an item from 1 to 89, got 0"),
        ("~90", "an item from 1 to 89, got 90"),
        ("-1,-1", "at least one item, '-1' would leave none"),
        ("-1,-2", "a place from 1 to 1, got 2"),
    ],
)
def test_an_edit_that_does_not_fit_is_told_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        edit_history(np.array([11, 12]), parse_edits(text), n_items=N_ITEMS)


def test_a_search_and_itself_differ_in_nothing() -> None:
    found = compare_traces(small_trace(), small_trace())
    assert found.same_list
    assert found.shared.tolist() == [[row, row] for row in range(8)]
    assert (len(found.only_before), len(found.only_after), len(found.partings)) == (0, 0, 0)
    assert (found.belief_js, abs(found.belief_change).max()) == (0, 0)


def test_items_enter_leave_and_move() -> None:
    found = compare_traces(small_trace(), small_trace(items=np.array([4, 2, 8, 7])))
    assert found.entered == (Move(8, 0, 3),)
    assert found.left == (Move(5, 3, 0),)
    assert found.moved == (Move(4, 2, 1), Move(2, 1, 2))
    assert not found.same_list


def test_trees_part_where_a_code_differs_and_what_follows_is_not_shared() -> None:
    code = small_trace().code.copy()
    code[2] = 3  # the second branch takes another first code, so its children are other paths too
    code[5] = 0
    found = compare_traces(small_trace(), small_trace(code=code))
    assert found.shared.tolist() == [[0, 0], [1, 1], [3, 3], [4, 4]]
    assert found.only_before.tolist() == found.only_after.tolist() == [2, 5, 6, 7]
    assert found.partings.tolist() == [[0, 0], [1, 1]]


def test_trees_part_also_where_only_one_of_them_goes_on() -> None:
    whole = small_trace()
    columns = ["parent", "step", "attempt", "codebook", "code", "log_prob", "score", "confidence"]
    columns += ["js", "fate", "items_left", "beliefs"]
    shorter = small_trace(**{name: getattr(whole, name)[:7] for name in columns}, item_nodes=np.array([4, 6, -1, -1]))
    for found in (compare_traces(whole, shorter), compare_traces(shorter, whole)):
        assert found.partings.tolist() == [[2, 2]]
        assert len(found.only_before) + len(found.only_after) == 1


def test_the_belief_at_the_root_is_compared() -> None:
    beliefs = small_trace().beliefs.copy()
    beliefs[0] = [0.25, 0.45, 0.05, 0.25]
    found = compare_traces(small_trace(), small_trace(beliefs=beliefs))
    assert found.belief_change == pytest.approx([0, 0.2, -0.2, 0])
    middle = np.array([0.25, 0.35, 0.15, 0.25])
    by_hand = sum((p * np.log(p / middle)).sum() for p in (beliefs[0], np.full(4, 0.25))) / 2
    assert found.belief_js == pytest.approx(by_hand)
    assert found.same_list


def edited_question(text: str) -> Question:
    sizes = {"n_items": 40, "n_codebooks": 4, "codebook_size": 3}
    model = PlantedModel(seed=1, gains={(9, 20): 9.0, (9, 2): 9.0, (30, 21): 9.0}, **sizes)
    history, seen = np.array([0, 0, 4, 9, 2]), np.array([7, 4, 9, 2])
    question = Question(
        model, ItemIndex(random_ids(1, **sizes)), history, seen, DecodeConfig(top_k=5), lambda *_: seen[:0]
    )
    return ask_edited(question, parse_edits(text))


def test_edits_count_what_the_model_sees_and_the_list_leaves_out_old_and_new() -> None:
    question = edited_question("-3,1>30")
    assert question.history.tolist() == [0, 0, 0, 30, 9]
    assert question.seen.tolist() == [2, 4, 7, 9, 30]
    assert not set(question.trace().items.tolist()) & {2, 4, 7, 9, 30}


def test_an_edit_changes_the_list_for_its_evidence() -> None:
    before, after = edited_question("").trace(), edited_question("2>30").trace()
    found = compare_traces(before, after)
    assert (before.items[0], after.items[0]) == (20, 21)
    assert 21 in [move.item for move in (*found.entered, *found.moved)]


def test_a_full_history_loses_its_oldest_when_one_is_appended() -> None:
    assert edited_question("~30,~31,~32").history.tolist() == [9, 2, 30, 31, 32]
