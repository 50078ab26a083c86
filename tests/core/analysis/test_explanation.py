import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from reg4rec_core.analysis.explanation import (
    beam_cut,
    count_fates,
    deciding_steps,
    explain_item,
    explain_node,
    facet_letter,
    was_checked,
)
from reg4rec_core.analysis.facets import read_facets


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def test_facets_have_letters_until_the_alphabet_ends():
    assert [facet_letter(codebook) for codebook in (0, 7, 25, 26)] == ["A", "H", "Z", "F26"]


def test_the_sentence_names_the_codes_the_belief_and_what_was_dropped(facets):
    text = explain_item(small_trace(), facets)
    assert text == (
        "“Plum Lipstick” is first: the model chose facet A “Lips · lipstick”, then facet B “like “Plum Lipstick””, "
        "which left 1 item of 8. Along the way its belief in Makeup > Lips rose from 25% to 90%. "
        "1 branch was pruned for moving the belief by more than θ = 0.06, and 1 regenerated in its place; "
        "1 inconsistent one had to stay."
    )


def test_a_neighbour_is_never_given_a_path(facets):
    text = explain_item(small_trace(), facets, 3)
    assert text.startswith("“Honey Shampoo” is number 4 only as a neighbour")
    assert "chose" not in text


def test_a_belief_that_fell_is_not_said_to_have_risen(facets):
    beliefs = small_trace().beliefs.copy()
    beliefs[0] = [0.97, 0.01, 0.01, 0.01]
    assert "fell from 97% to 90%" in explain_item(small_trace(beliefs=beliefs), facets)


def test_the_belief_is_left_out_where_the_search_made_none(facets):
    beliefs = np.full((8, 4), np.nan)
    assert "belief in" not in explain_item(small_trace(beliefs=beliefs), facets)


def test_a_search_without_theta_says_that_checks_were_off(facets):
    assert explain_item(small_trace(theta=np.inf), facets).endswith("Consistency checks were off.")


def test_only_codes_that_narrow_the_items_down_decide():
    trace = small_trace(items_left=np.array([8, 3, 2, 3, 3, 1, 1, 1]))
    assert deciding_steps(trace, 4) == [1]


def test_fates_are_counted_and_regenerated_ones_are_kept_ones():
    expected = {"kept": 5, "beam_cut": 1, "pruned": 1, "fallback": 1, "regenerated": 1}
    assert count_fates(small_trace()) == expected


def test_the_beam_cut_is_the_lowest_score_that_entered_without_being_a_fallback():
    assert beam_cut(small_trace(), 1) == -1.6
    assert beam_cut(small_trace(), 2) == -1.6
    assert beam_cut(small_trace(), 5) == -np.inf


def test_a_node_is_checked_from_the_first_checked_step_on_where_both_have_beliefs():
    trace = small_trace()
    assert [was_checked(trace, node) for node in range(8)] == [False, False, False, False, True, True, True, True]
    assert not any(was_checked(small_trace(theta=np.inf), node) for node in range(8))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (0, "The start: every item is still possible."),
        (1, "Kept: beliefs are compared from step 2 on (js 0.300); score -0.90, the beam's cut was -1.60."),
        (3, "Out-scored: its score -2.10 lies below -1.60, the lowest that entered the beam."),
        (4, "Kept: its belief moved by js 0.020, within θ 0.060; score -0.90, the beam's cut was -1.60."),
        (5, "Pruned: its belief moved by js 0.110, more than θ 0.060, so the search rolled back."),
        (6, "Regenerated in round 1 in a pruned branch's place: its belief moved by js 0.050, within θ 0.060; "
            "score -1.60, the beam's cut was -1.60."),
        (7, "Kept as a last resort: js 0.090 exceeds θ 0.060, but nothing else could take its place."),
    ],
)  # fmt: skip
def test_every_fate_has_its_reason(node, expected):
    assert explain_node(small_trace(), node) == expected


def test_the_last_code_needs_no_belief():
    js = small_trace().js.copy()
    js[4] = np.nan
    assert "the last code needs no belief" in explain_node(small_trace(js=js), 4)
