import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from reg4rec_core.analysis.counterfactual import compare_traces
from reg4rec_core.analysis.facets import read_facets
from reg4rec_core.analysis.parting import explain_beliefs, explain_parting, fate_changes, find_parting
from reg4rec_core.types import Fate


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def changed(**columns):
    """`small_trace` with single entries of its columns changed: fate={5: 0}."""
    trace = small_trace()
    arrays = {name: getattr(trace, name).copy() for name, entries in columns.items() if isinstance(entries, dict)}
    for name, array in arrays.items():
        for row, value in columns[name].items():
            array[row] = value
    return small_trace(**(columns | arrays))


def told(after, facets) -> str:
    before = small_trace()
    return explain_parting(before, after, facets, compare_traces(before, after))


def test_a_search_and_itself_never_part(facets):
    comparison = compare_traces(small_trace(), small_trace())
    assert find_parting(small_trace(), small_trace(), comparison) is None
    assert len(fate_changes(small_trace(), small_trace(), comparison)) == 0
    assert told(small_trace(), facets).startswith("A and B search alike: ")


def test_a_wider_theta_keeps_what_was_pruned_and_the_reason_is_theta_alone(facets):
    after = changed(fate={5: int(Fate.KEPT), 6: int(Fate.BEAM_CUT)}, attempt={6: 0}, theta=0.2)
    comparison = compare_traces(small_trace(), after)
    assert fate_changes(small_trace(), after, comparison).tolist() == [[5, 5], [6, 6]]
    parting = find_parting(small_trace(), changed(fate={5: int(Fate.KEPT)}, theta=0.2), comparison)
    assert (parting.step, parting.before, parting.after, parting.minor) == (2, 5, 5, False)
    said = told(changed(fate={5: int(Fate.KEPT)}, theta=0.2), facets)
    assert said.startswith("The first difference is at step 2, at the code B2 “")
    assert "In A it is pruned: its belief moved by js 0.110, more than θ 0.060" in said
    assert "In B it is kept: its belief moved by js 0.110, within θ 0.200" in said
    assert "Its belief moves alike in both; only θ differs." in said
    assert said.endswith("In all, A prunes 1 and B 0 candidates.")


def test_where_the_belief_moves_otherwise_theta_is_not_blamed(facets):
    after = changed(fate={5: int(Fate.KEPT)}, theta=0.2, js={5: 0.05})
    assert "only θ differs" not in told(after, facets)


def test_of_two_differences_the_earlier_counts_and_then_the_likelier(facets):
    after = changed(fate={2: int(Fate.BEAM_CUT), 5: int(Fate.KEPT)})
    parting = find_parting(small_trace(), after, compare_traces(small_trace(), after))
    assert (parting.step, parting.before) == (1, 2)
    after = changed(fate={5: int(Fate.KEPT), 6: int(Fate.BEAM_CUT)})
    parting = find_parting(small_trace(), after, compare_traces(small_trace(), after))
    assert (parting.step, parting.before) == (2, 6)


def test_a_search_that_asks_another_facet_is_said_to(facets):
    after = changed(codebook={2: 1}, code={2: 3})
    before = small_trace()
    comparison = compare_traces(after, before)
    said = explain_parting(after, before, facets, comparison, names=("first", "second"))
    assert "The first difference is at step 1" in said
    only = changed(codebook={1: 1, 2: 1, 3: 1})
    said = explain_parting(before, only, facets, compare_traces(before, only))
    assert "In B it was never tried: there the search goes on with facet B." in said


def test_other_codes_of_the_same_facet_are_likelier(facets):
    said = told(changed(code={2: 3}), facets)
    assert "In B it was not even among the candidates that came close to the beam" in said


def test_out_scored_candidates_count_only_where_nothing_else_differs(facets):
    after = changed(code={3: 3})
    parting = find_parting(small_trace(), after, compare_traces(small_trace(), after))
    assert (parting.step, parting.minor) == (1, True)
    assert told(after, facets).startswith("A and B keep and prune the same branches; from step 1 on they differ only")
    both = changed(code={3: 3}, fate={5: int(Fate.KEPT)})
    parting = find_parting(small_trace(), both, compare_traces(small_trace(), both))
    assert (parting.step, parting.before, parting.minor) == (2, 5, False)


def test_the_category_that_differs_most_is_named():
    beliefs = small_trace().beliefs.copy()
    beliefs[0] = [0.25, 0.45, 0.05, 0.25]
    names = small_catalog().category_names
    said = explain_beliefs(compare_traces(small_trace(), small_trace(beliefs=beliefs)), names)
    assert "B expects “Makeup > Eyes” more, by 20 points." in said
    said = explain_beliefs(compare_traces(small_trace(beliefs=beliefs), small_trace()), names)
    assert "A expects “Makeup > Eyes” more" in said
    alike = explain_beliefs(compare_traces(small_trace(), small_trace()), names)
    assert alike == "Before any code, A and B expect the same kinds of item."
