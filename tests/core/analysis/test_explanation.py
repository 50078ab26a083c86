import re
from dataclasses import replace

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
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import Fate


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


def test_every_step_is_judged_by_its_own_theta(facets):
    trace = small_trace(theta=np.inf, check_from=1, thetas=(np.inf, 0.06))
    assert [trace.theta_at(step) for step in (1, 2, 3)] == [np.inf, 0.06, 0.06]
    assert explain_node(trace, 5) == (
        "Pruned: its belief moved by js 0.110, more than θ 0.060 of step 2, so the search rolled back."
    )
    assert explain_node(trace, 4).startswith("Kept: its belief moved by js 0.020, within θ 0.060 of step 2;")
    assert explain_node(trace, 1).startswith("Kept: this step has no θ (js 0.300);")
    assert [was_checked(trace, node) for node in (1, 4, 5)] == [False, True, True]
    assert "pruned for moving the belief by more than the θ of its step, and 1" in explain_item(trace, facets)
    off = small_trace(theta=0.1, thetas=(0.1, np.inf))
    assert explain_item(off, facets).endswith("Consistency checks were off.")


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


def facts(text: str) -> dict[str, str]:
    """What a sentence about an item claims, taken apart."""
    found = re.fullmatch(
        r"“(?P<title>.+?)” is (?P<place>first|number \d+): "
        r"(?P<codes>.+), which left (?P<left>[\d,]+) items? of (?P<all>[\d,]+)\. "
        r"Along the way its belief in (?P<category>.+) (?P<verb>rose|fell) from (?P<first>\d+)% to (?P<last>\d+)%\. "
        r"(?P<rest>.+)",
        text,
    )
    assert found, text
    return found.groupdict()


@pytest.mark.parametrize("theta", [0.0, 0.02, 0.1, 0.69, np.inf])
def test_every_fact_of_the_sentence_is_in_the_trace(tiny_run, theta):
    """Each named number and name recomputed from the columns of the trace, the codes and the catalogue alone."""
    recommender = Recommender.load(tiny_run)
    catalog, codes = recommender.catalog, recommender.semantic_ids.codes
    tiny_facets = read_facets(catalog, recommender.semantic_ids, recommender.interactions)
    config = replace(recommender.decode, theta=theta, beam_width=6)
    for trace in recommender.recommend([recommender.history(user) for user in range(4)], config):
        for rank in np.flatnonzero(trace.item_nodes >= 0).tolist():
            told, item = facts(explain_item(trace, tiny_facets, rank)), int(trace.items[rank])
            assert told["title"] == catalog.titles[item]
            assert told["place"] == ("first" if rank == 0 else f"number {rank + 1}")
            node, rows = int(trace.item_nodes[rank]), []
            while node >= 0:
                rows.insert(0, node)
                node = int(trace.parent[node])
            agree, named = np.arange(len(codes)) > 0, []
            for row in rows[1:]:
                still = agree & (codes[:, trace.codebook[row]] == trace.code[row])
                if still.sum() < agree.sum():
                    name = tiny_facets.name(int(trace.codebook[row]), int(trace.code[row]))
                    named.append(f"facet {'ABCD'[trace.codebook[row]]} “{name}”")
                agree = still
            assert agree[item]
            chosen = told["codes"].removeprefix("the model chose ")
            assert chosen == (", ".join(named[:-1]) + f", then {named[-1]}" if len(named) > 1 else named[0])
            assert (told["left"], told["all"]) == (str(agree.sum()), str(catalog.n_items - 1))
            beliefs = [trace.beliefs[row] for row in rows if not np.isnan(trace.beliefs[row]).any()]
            top = int(beliefs[-1].argmax())
            assert catalog.category_names[top].replace(" > ", ">").endswith(told["category"].replace(" > ", ">"))
            assert (told["first"], told["last"]) == (f"{100 * beliefs[0][top]:.0f}", f"{100 * beliefs[-1][top]:.0f}")
            assert (told["verb"] == "rose") == (beliefs[-1][top] >= beliefs[0][top])
            assert_summary_is_true(told["rest"], trace)


def assert_summary_is_true(text: str, trace) -> None:
    """What a sentence says about pruning, from the fates and the divergences."""
    pruned, stayed = (trace.fate == Fate.PRUNED).sum(), (trace.fate == Fate.FALLBACK).sum()
    checked = (trace.step >= trace.check_from) & ~np.isnan(trace.js)
    too_far = (checked & (trace.js > trace.theta)).sum()
    assert pruned + stayed == too_far
    numbers = [int(number) for number in re.findall(r"(?<![\d.])\d+(?![\d.])", text.replace(f"{trace.theta:g}", ""))]
    regenerated = ((trace.fate == Fate.KEPT) & (trace.attempt > 0)).sum()
    if np.isinf(trace.theta):
        assert text == "Consistency checks were off."
    elif too_far == 0:
        assert text.startswith("No branch that was checked moved its belief by more than θ")
    else:
        assert numbers == [count for count in (pruned, regenerated, stayed) if count]
        assert ("pruned for good" in text) == (pruned == 0)


def test_a_search_whose_pruned_branches_all_had_to_stay_does_not_claim_consistency(facets):
    fate = small_trace().fate.copy()
    fate[5] = Fate.FALLBACK
    text = explain_item(small_trace(fate=fate), facets)
    assert text.endswith(
        "No branch was pruned for good; 2 branches that moved the belief by more than θ = 0.06 had to stay."
    )


def test_codes_given_by_hand_are_not_said_to_be_chosen(facets):
    text = explain_item(small_trace(), facets, given={(0, 0), (1, 2)})
    assert "is first: facet A “Lips · lipstick” was given by hand, the model chose facet B “like “Plum Lips" in text
    text = explain_item(small_trace(), facets, given=[(0, 0), (1, 1)])
    assert "then facet B “like “Plum Lipstick”” were given by hand, which left 1 item of 8." in text
