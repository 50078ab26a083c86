import json
import math

import numpy as np
import pytest
from small_shop import small_catalog, small_trace
from test_theta_tree import loose_trace, profile_of

from app.view_models import tuning as view
from reg4rec_core import DecodeConfig, InputError, compare_traces, theta_changes

OWN = DecodeConfig(theta=0.2, check_from=2)


@pytest.mark.parametrize("text", ["-0.01", "nan", "inf", "0.71", "much", "0,1", "1e-1e"])
def test_a_theta_that_makes_no_sense_is_refused_in_words(text):
    with pytest.raises(InputError, match=r"theta must be a number from 0 to 0\.7, got '"):
        view.read_theta(text, 0.2)


def test_a_theta_is_read_or_the_runs_own():
    assert [view.read_theta(text, 0.2) for text in ("0", "0.0433", "0.7", "")] == [0, 0.0433, 0.7, 0.2]
    assert view.read_theta("", math.inf) == 0.7


def test_a_theta_is_written_as_it_is_read():
    assert [view.theta_text(theta) for theta in (0.0, 0.5, 0.0433)] == ["0", "0.5", "0.0433"]


def test_beliefs_may_be_compared_from_steps_before_the_last():
    assert view.check_steps(2, 8) == [2, 3, 4]
    assert view.check_steps(5, 8) == [2, 3, 4, 5]
    assert view.check_steps(2, 4) == [2, 3]


def said(own, now):
    return view.change_sentence(own, now, compare_traces(own, now), OWN, small_catalog())


def test_what_a_theta_changes_is_said_of_the_list_and_of_the_tree():
    assert said(loose_trace(), small_trace()) == (
        "Against the run's own setting (θ = 0.2, compared from step 2), θ = 0.06, compared from step 2: 1 item is new "
        "in the list (“Black Mascara”), 1 has left it; 1 branch is pruned instead of 0; 7 of the 8 nodes were there "
        "before."
    )


def test_nothing_changed_is_said_too():
    assert said(loose_trace(), loose_trace()).endswith("from step 2: the list stays as it is; the tree is the same.")


def test_a_run_that_does_not_prune_says_so():
    assert view.own_words(DecodeConfig(theta=math.inf)) == "no pruning"
    by_step = DecodeConfig(thetas=(0.1, 0.2), check_from=2)
    assert view.own_words(by_step) == "θ by step, compared from step 2"


def test_thetas_by_step_are_compared_with_the_runs_own_setting():
    by_step = small_trace(thetas=(0.4, 0.06))
    assert said(loose_trace(), by_step).startswith(
        "Against the run's own setting (θ = 0.2, compared from step 2), θ by step, compared from step 2: 1 item is new"
    )
    kept = view.preset_decode(OWN, 0.2, 3, (0.1, 0.7, 0.3))
    assert (kept.thetas, kept.check_from) == ((0.1, math.inf, 0.3), 3)
    document = json.loads(view.step_json(small_catalog(), "7", by_step, (0.4, 0.06)))
    assert (document["thetas"], document["nodes"], document["pruned"]) == ([0.4, 0.06], 8, 1)


def test_the_next_other_lists_are_named_on_both_sides():
    changes = theta_changes(profile_of(small_trace(), loose_trace(), small_trace(), lows=(0.0, 0.1, 0.3)))
    said = [view.neighbours_sentence(changes, theta) for theta in (0.05, 0.1, 0.5)]
    ends = ["from 0.1 on.", "below 0.1 and from 0.3 on.", "below 0.3."]
    assert [text.split("lies ")[1] for text in said] == ends
    assert said[0].startswith("This user's list changes at 2 values of θ and the tree at 2;")
    same = theta_changes(profile_of(small_trace(), small_trace()))
    assert view.neighbours_sentence(same, 0.1) == "No θ changes this user's list."


def test_the_target_is_found_among_the_drawn_items():
    assert [view.place_of(item, [5, 7]) for item in (7, 6, -1)] == [1, -1, -1]


def test_every_result_comes_away_as_the_command_line_prints_it():
    document = json.loads(view.profile_json(small_catalog(), "7", profile_of(small_trace(), loose_trace())))
    assert [interval["low"] for interval in document["intervals"]] == [0.0, 0.1]
    first = document["intervals"][0]
    assert (first["nodes"], first["items"][0]) == (8, {"key": "p2", "score": -0.9})
    assert np.isfinite(first["high"])
