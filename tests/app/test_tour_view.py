import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace
from test_overview_view import a_slice, checks

from app.view_models import tour as view
from reg4rec_core import DecodeConfig, Edit, Range, compare_traces, read_facets

DECODE = DecodeConfig(theta=0.06, beam_width=3)


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


@pytest.mark.parametrize("asked", [None, "", "0", "7", "-1", "two", "٣", "1" * 40, "2.0"])
def test_an_address_that_names_no_stop_is_not_obeyed(asked):
    assert view.stop_number(asked, 6) is None


def test_a_stop_is_named_by_its_number():
    assert [view.stop_number(str(number), 6) for number in (1, 6)] == [1, 6]


def history_stop(target: int) -> view.Stop:
    trace = small_trace()
    return view.history_stop(trace, small_catalog(), DECODE, user="7", history=[1, 3], target=target)


def test_the_first_stop_says_what_was_bought_and_whether_it_was_right():
    assert history_stop(2).caption.startswith(
        "Shopper 7 bought 2 products, the last of them “Coral Lipstick”. From these alone the model lists 4 "
        "suggestions and puts “Plum Lipstick” first. And that is what was really bought next"
    )
    assert "“Black Mascara”, is number 2." in history_stop(4).caption
    assert "“Mint Shampoo”, is not among them" in history_stop(6).caption
    assert history_stop(-1).caption.endswith("puts “Plum Lipstick” first.")
    assert dict(history_stop(2).state) == {
        "user": "7", "at": "test", "corp": True, "theta": 0.06, "beam": 3, "step": 2, "fold": True,
    }  # fmt: skip


def test_a_run_that_prunes_nothing_has_no_theta_in_its_address():
    assert "theta" not in view.search_state("7", DecodeConfig(theta=np.inf), step=1)
    assert view.search_state("7", DecodeConfig(theta=np.inf), step=1)["corp"] is False


def test_the_facet_stop_shows_the_code_that_the_item_carries(facets):
    stop = view.facet_stop(small_trace(), facets, user="7")
    assert (stop.page, dict(stop.state)) == ("codebooks", {"facet": "A", "code": "0"})
    assert "3 of 8 products carry it, “Plum Lipstick” among them" in stop.caption


def test_the_belief_stop_is_the_step_that_moved_it_most(facets):
    stop = view.belief_stop(small_trace(), facets, DECODE, user="7")
    assert (stop.state["step"], stop.state["path"]) == (1, "0.0-1.1")
    assert "Makeup › Lips goes from 25 % to 70 %: a shift of 0.300" in stop.caption
    still = small_trace(js=np.full(8, 0.001))
    assert view.belief_stop(still, facets, DECODE, user="7") is None


def test_the_pruned_stop_names_what_was_cut_and_what_took_its_place(facets):
    stop = view.pruned_stop(small_trace(), facets, DECODE, user="7")
    assert (stop.state["path"], stop.state["step"], stop.state["theta"]) == ("0.0-1.2", 2, 0.06)
    assert "“B2 · " in stop.caption
    assert "moved the belief by 0.110, more than the limit θ = 0.060" in stop.caption
    assert "“B0 · " in stop.caption.split("went back")[1]
    assert view.pruned_stop(small_trace(attempt=np.zeros(8, np.int64)), facets, DECODE, user="7") is None


def edited(trace, after):
    compared, catalog = compare_traces(trace, after), small_catalog()
    edit = Edit("remove", 2, 0)
    return view.edited_stop(compared, catalog, DECODE, user="7", left_out=3, edit=edit, step=2)


def test_the_edited_stop_says_what_fell_and_what_entered():
    stop = edited(small_trace(), small_trace(items=np.array([6, 4, 2, 7])))
    assert stop.state["edit"] == "-2"
    assert "never bought “Coral Lipstick”? Searched again without it, “Plum Lipstick” falls to place 3" in stop.caption
    assert "“Mint Shampoo” enters at place 1" in stop.caption
    assert "“Plum Lipstick” leaves the list" in edited(small_trace(), small_trace(items=np.array([6, 4, 5, 7]))).caption


def test_an_edit_that_changes_nothing_worth_showing_is_no_stop():
    assert edited(small_trace(), small_trace()) is None
    assert edited(small_trace(), small_trace(items=np.array([2, 4, 5, 6]))) is None
    assert edited(small_trace(), small_trace(items=np.array([4, 2, 5, 7]))) is None


def test_the_cohort_stop_compares_the_best_and_the_worst_of_enough_users():
    slices = [a_slice(0.3, 500, history=Range(5, 9)), a_slice(0.1, 100), a_slice(0.9, 3)]
    stop = view.cohort_stop(slices, store="all", by="history length")
    assert (stop.page, dict(stop.state)) == (
        "cohorts",
        {"store": "all", "by": "history length", "metric": "recall@10", "cohort": ""},
    )
    assert "30% of the 500 users with 5 to 9, but for 10% of the 100" in stop.caption
    assert view.cohort_stop(slices[1:], store="all", by="history length") is None


def test_without_stored_searches_the_last_stop_is_the_health_of_the_run():
    stop = view.health_stop(checks(), 0.123, 1000)
    assert (stop.page, dict(stop.state)) == ("overview", {})
    assert stop.caption.startswith("For 12.3% of 1,000 users the next purchase is among the first ten. 1 of 2 health")
    assert "“branches pruned”" in stop.caption
    assert view.health_stop(checks(), None, 0).caption.startswith("1 of 2 health checks pass")


def test_a_stop_says_what_has_been_changed_since():
    stop = view.Stop("reasoning", "", "", view.search_state("7", DECODE, step=2, path="0.1"))
    as_set = {"user": "7", "at": "test", "theta": "0.06", "corp": "true", "weights": "", "edit": ""}
    assert view.changed_since(stop, as_set) == ""
    assert view.changed_since(stop, {}) == ""
    assert view.changed_since(stop, as_set | {"theta": "0.1"}) == (
        "You have changed θ (0.06 at this stop) since: the text speaks of the view before that."
    )
    assert "the shopper, θ (0.06 at this stop) and the history since" in view.changed_since(
        stop, as_set | {"user": "8", "theta": "0.5", "edit": "-1"}
    )
    assert view.changed_since(stop, as_set | {"path": "0.2", "step": "1"}) == "", "walking through the tree"
