"""A theta for every step in links, settings and words."""

import math

import pytest

from app.view_models import step_thetas as view
from app.view_models.cohorts import tree_link
from reg4rec_core import DecodeConfig, InputError

OWN, BY_STEP = DecodeConfig(theta=0.2), DecodeConfig(theta=0.2, thetas=(0.5, 0.1))


def read(text, own=OWN, *, theta_asked=False):
    return view.read_thetas(text, own, 3, theta_asked=theta_asked)


def test_a_link_names_thetas_by_step_or_the_runs_own_hold():
    assert read("0.1,0,0.7") == (0.1, 0.0, 0.7)
    assert read("") == read("one", BY_STEP) == read("", BY_STEP, theta_asked=True) == ()
    assert read("", BY_STEP) == (0.5, 0.1, 0.1), "the last one holds for all later steps"


@pytest.mark.parametrize(
    "text", ["0.1,0.2", "0.1,0.2,-0.1", "0.1,0.2,nan", "0.1,0.2,0.8", "a,b,c", "0.1,0.2,0.3,0.4", "inf"]
)
def test_thetas_that_make_no_sense_are_refused_in_words(text):
    with pytest.raises(InputError, match=r"thetas must be 3 numbers from 0 to 0\.7 with commas.*got '"):
        read(text)


def test_what_is_written_is_read_back():
    thetas = (0.1, 0.07341234567891, 0.7)
    assert read(view.text_of(thetas)) == thetas
    assert view.link_text((), OWN) == ""
    assert read(view.link_text((), BY_STEP), BY_STEP) == ()
    assert view.text_of([0.25, None, math.inf, 1.0]) == "0.25,0.7,0.7,0.7"


def test_the_highest_theta_prunes_nothing():
    decode = view.with_thetas(BY_STEP, (0.1, 0.7, 0.3))
    assert (decode.thetas, decode.theta) == ((0.1, math.inf, 0.3), 0.2)
    assert view.with_step((0.1, 0.2, 0.3), 2, 0.5) == (0.1, 0.5, 0.3)
    assert view.summary((0.1, math.inf, 0.25), 2) == "θ from step 2 on: 0.7 · 0.25"


def test_a_stored_search_by_step_leads_to_its_own_tree():
    decode = {"theta": None, "thetas": [0.1, None], "check_from": 1, "beam_width": 6}
    link = tree_link("http://host/cohorts", "demo", "7", {"decode": decode})
    assert "thetas=0.1%2C0.7&check_from=1&beam=6" in link
    assert "corp" not in link
    assert "theta=&" not in link


def test_limits_tell_searches_apart_and_nothing_else():
    inf = math.inf
    assert view.limits(DecodeConfig(theta=0.2, check_from=2), 3) == (inf, 0.2, 0.2)
    by_step = DecodeConfig(thetas=(0.5, 0.1, 0.7), check_from=1)
    assert view.limits(by_step, 3) == (0.5, 0.1, inf), "no belief moves further than the highest theta"
    assert view.stored_limits({"theta": 0.06, "thetas": [0.5, 0.1, None], "check_from": 1}, 3) == (0.5, 0.1, inf)
    assert view.stored_limits({"theta": None, "check_from": 2}, 3) == (inf, inf, inf)


def test_a_search_says_its_thresholds_in_a_few_words():
    assert view.limit_words(DecodeConfig(theta=math.inf), 3, 2) == "no pruning"
    assert view.limit_words(DecodeConfig(theta=0.2, check_from=2), 3, 2) == "θ 0.2"
    assert view.limit_words(DecodeConfig(theta=0.2, check_from=3), 3, 2) == "θ 0.2 from step 3 on"
    assert view.limit_words(DecodeConfig(thetas=(0.5, math.inf)), 3, 2) == "θ from step 2 on: 0.7 · 0.7"
