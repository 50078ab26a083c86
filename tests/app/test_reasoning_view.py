import json

import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.view_models import reasoning as view
from app.view_models.tree import find_focus
from reg4rec_core import DecodeConfig, Fate, FoundUser, TransitionSource, read_facets


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def test_the_shift_says_whether_the_step_was_checked_and_passed():
    trace = small_trace()
    assert [view.belief_shift(trace, node).verdict for node in (0, 1, 4, 5)] == [
        "nothing to compare",
        "not checked at this step",
        "consistent",
        "too far: inconsistent",
    ]
    assert [view.belief_shift(trace, node).too_far for node in (1, 4, 5)] == [False, False, True]
    assert view.belief_shift(small_trace(theta=np.inf), 5).verdict == "checks are off"


def test_the_reason_says_when_a_branch_ended_or_left_the_tree():
    trace = small_trace()
    assert view.node_reason(trace, find_focus(trace, "0.2", 2)).startswith("The branch ended at step 1. Out-scored")
    assert "not in this tree" in view.node_reason(trace, find_focus(trace, "0.1-1.3", 2))
    assert view.node_reason(trace, find_focus(trace, "", 1)).startswith("Kept")


def test_the_list_marks_the_hit_and_says_where_every_path_ends(facets):
    sources = [(TransitionSource(1, 2.0, 0.75),), (), (), ()]
    entries = view.recommendations(small_trace(), facets, 5, sources)
    assert [entry["hit"] for entry in entries] == [False, False, True, False]
    assert [entry["end"] for entry in entries] == small_trace().item_nodes.tolist()
    first = entries[0]
    assert (first["score"], first["path"]) == ("-0.90", "0.0-1.1")
    assert [part["value"] for part in first["parts"]] == ["−1.60", "+0.50", "+0.20"]
    assert first["sources"] == f"other shoppers bought it soon after “{facets.catalog.titles[1]}” (75%)"
    assert [(code["facet"], code["decides"]) for code in first["codes"]] == [("A", True), ("B", True)]
    assert entries[3]["codes"] == []
    assert entries[3]["path"] == ""


def test_a_run_without_transitions_does_not_speak_of_them(facets):
    trace = small_trace(item_evidence=np.zeros(4))
    entries = view.recommendations(trace, facets, 5, [()] * 4)
    assert [part["name"] for part in entries[0]["parts"]] == ["learnt", "reasoning"]


def test_a_forced_code_does_not_count_as_a_decision(facets):
    trace = small_trace(items_left=np.array([8, 3, 2, 3, 3, 1, 1, 1]))
    assert not view.recommendations(trace, facets, -1, [()] * 4)[0]["codes"][1]["decides"]


def test_the_strip_shows_what_the_model_sees_and_when(facets, monkeypatch):
    monkeypatch.setattr(view, "HISTORY_LENGTH", 2)
    cards = view.history_cards(facets.catalog, small_interactions(), 1, 3)
    assert cards["title"].tolist() == ["Plum Lipstick", "Red Lipstick"]
    assert cards["date"].tolist() == ["6 Jan 1970", "7 Jan 1970"]
    assert cards["category"].tolist() == ["Makeup › Lips"] * 2


def test_what_is_not_known_is_left_out_or_said():
    assert view.date_text(-1) == "date unknown"
    assert view.known("unknown") == ""
    assert view.short_category("Hair") == "Hair"
    assert view.target_title(small_catalog(), -1) == "?"


def test_the_outcome_says_where_the_truth_stands_in_the_list():
    assert view.outcome(small_trace(), 4) == "Hit: number 2 of 4."
    assert view.outcome(small_trace(), 8) == "Missed: not in the top 4."
    assert view.outcome(small_trace(), -1) == "What comes next is not known."


def test_why_speaks_of_the_followed_item(facets):
    trace = small_trace()
    assert view.why(trace, facets, find_focus(trace, "", 1)).startswith("“Plum Lipstick” is first")
    assert view.why(trace, facets, find_focus(trace, "0.1", 1)).startswith("“Black Mascara” is number 2")
    assert view.why(trace, facets, find_focus(trace, "0.2", 1)).startswith("“Plum Lipstick” is first")


def test_a_telling_search_has_a_hit_high_up_that_moved_the_belief_prunings_and_a_regeneration():
    fate = small_trace().fate.copy()
    assert not view.is_telling(small_trace(), 2)  # one pruning is too few
    fate[[3, 7]] = Fate.PRUNED
    assert view.is_telling(small_trace(fate=fate), 2)
    assert not view.is_telling(small_trace(fate=fate), 8)  # missed
    still = small_trace().js.copy()
    still[4] = 0.001
    assert not view.is_telling(small_trace(fate=fate, js=still), 2)
    assert not view.is_telling(small_trace(fate=fate), 7)  # a neighbour has no path


def test_a_search_tells_more_with_a_higher_hit_and_with_fewer_last_resorts():
    fallbacks = small_trace().fate.copy()
    fallbacks[[5, 6]] = Fate.FALLBACK
    assert (
        view.telling_score(small_trace(), 2)
        > view.telling_score(small_trace(), 4)
        > view.telling_score(small_trace(), 8)
    )
    assert view.telling_score(small_trace(), 2) > view.telling_score(small_trace(fate=fallbacks), 2)
    assert view.telling_score(small_trace(), -1) == view.telling_score(small_trace(), 8)


def test_found_users_come_with_what_made_them_found():
    rows = view.found_users([FoundUser(1, 3), FoundUser(0, -1)], small_catalog(), small_interactions())
    assert rows.to_dict("list") == {
        "user": ["70", "7"],
        "purchases": [5, 4],
        "bought": ["Coral Lipstick", "Black Mascara"],
    }


def test_a_link_spells_out_every_choice():
    trace = small_trace()
    state = view.link_state(DecodeConfig(theta=0.05, beam_width=7), find_focus(trace, "0.1", 1), trace)
    link = view.permalink("http://127.0.0.1:1/?old=1", {"user": "a b&c"} | state)
    assert link == "http://127.0.0.1:1/?user=a+b%26c&theta=0.05&check_from=2&corp=true&beam=7&step=1&path=0.1-1.0"


def test_a_link_to_a_search_without_theta_says_so_and_gives_no_number():
    state = view.link_state(DecodeConfig(theta=np.inf), find_focus(small_trace(), "", 1), small_trace())
    assert (state["corp"], state["theta"]) == ("false", "")


def test_a_link_to_thetas_by_step_names_no_single_theta():
    decode = DecodeConfig(theta=0.2, thetas=(0.1, np.inf), check_from=3)
    state = view.link_state(decode, find_focus(small_trace(), "", 1), small_trace())
    assert (state["corp"], state["theta"], state["check_from"]) == ("true", "", "3")


def test_the_gauge_shows_the_theta_of_the_step():
    trace = small_trace(theta=np.inf, thetas=(0.4, 0.06), check_from=2)
    assert [view.belief_shift(trace, node).theta for node in (1, 5)] == [0.4, 0.06]
    assert [view.belief_shift(trace, node).verdict for node in (1, 5)] == [
        "not checked at this step",
        "too far: inconsistent",
    ]


def test_the_export_is_strict_json_with_null_for_what_is_no_number():
    document = json.loads(view.trace_json(small_catalog(), small_trace(theta=np.inf)))
    assert document["theta"] is None
    assert [node["js"] for node in document["trace"]["nodes"]][:4] == [None, 0.3, 0.2, None]
    assert [item["key"] for item in document["items"]] == ["p2", "p4", "p5", "p7"]


def test_messages_read_as_sentences():
    assert view.sentence("there is no user 'x'") == "There is no user 'x'."
    assert view.sentence("Really?") == "Really?"


def test_the_explanation_says_whose_search_it_is_where_there_is_a_choice():
    stages = ["post_trained", "pretrained"]
    assert view.whose_search("pretrained", stages) == "With the pre-trained weights: "
    assert view.whose_search("post_trained", stages) == "With the post-trained weights: "
    assert view.whose_search("pretrained", ["pretrained"]) == ""


def test_the_footer_and_the_file_name_say_which_weights():
    assert view.footer("demo", "pretrained", {"package_version": "1"}).startswith(
        "Run demo, pre-trained weights · made by"
    )
    what = {"run": "demo", "weights": "post_trained", "user": "42", "at": "test"}
    assert view.file_name(what) == "search-demo-post_trained-42-test.json"
