"""A stored tree of another recommender in tables and sentences."""

import numpy as np
import pytest
from small_shop import small_trace

from app.charts import reasoning as charts
from app.view_models import cohorts, tree
from app.view_models import stored_tree as view
from reg4rec_core import Cohort, PathCodes, StoredSearch

TRACE = small_trace()
ITEMS = tuple(f"item {item}" for item in TRACE.items.tolist())
FOUND = StoredSearch("7", TRACE, ITEMS, int(TRACE.items[0]))


def test_a_stored_tree_is_drawn_with_its_codes_and_its_hit():
    focus = tree.find_focus(TRACE, "", 1)
    nodes = view.nodes(FOUND)
    drawn = charts.search_tree(nodes, tree.tree_columns(TRACE, fold=False), "light", alt=view.summary(FOUND))
    assert len(drawn["nodes"]) == TRACE.n_nodes
    leaf = int(TRACE.item_nodes[0])
    assert drawn["nodes"][leaf]["label"] == f"★ 1 · {ITEMS[0]}"
    assert nodes["heading"].iloc[0] == "Start"
    assert nodes["heading"].iloc[leaf] == f"{'ABC'[TRACE.codebook[leaf]]}{TRACE.code[leaf]}"
    assert view.chosen_words(FOUND, focus).startswith(nodes["heading"].iloc[focus.node])
    assert f"Search tree of user 7: {TRACE.n_nodes} nodes over {TRACE.step.max()} steps" in drawn["alt"]


def test_a_list_says_the_path_of_every_item():
    rows = view.listed(FOUND)
    assert rows["item"].iloc[0] == f"★ to be found · {ITEMS[0]}"
    for place, leaf in enumerate(TRACE.item_nodes.tolist()):
        codes = [view.code_name(FOUND, row) for row in TRACE.path(leaf)[1:]] if leaf >= 0 else ["–"]
        assert rows["path"].iloc[place] == " ".join(codes)


def test_what_a_store_does_not_know_is_left_out():
    silent = small_trace(js=np.full(TRACE.n_nodes, np.nan), items_left=np.zeros(TRACE.n_nodes, np.int64))
    found = StoredSearch("7", silent, ITEMS, 0)
    assert not any("js" in view.reason(found, row) for row in range(silent.n_nodes))
    assert not any("items left" in text for text in view.nodes(found)["numbers"])
    assert not any(view.nodes(found)["hit"])


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ((17,), "a path to one of their ten items uses code C17"),
        ((1, 2), "a path to one of their ten items uses one of 2 codes of facet C (C1, C2)"),
        ((1, 2, 3, 4, 5), "a path to one of their ten items uses one of 5 codes of facet C (C1, C2, C3, C4, …)"),
    ],
)
def test_codes_of_a_cohort_in_words(codes, words):
    assert cohorts.cohort_words(Cohort(codes=PathCodes(2, codes))) == [words]
    assert cohorts.cohort_words(Cohort(maker="A > B")) == ["target of the brand A > B"]


def test_the_footer_of_another_recommender_says_what_its_store_says():
    silent = cohorts.foreign_footer("tiger", {})
    assert silent.startswith("Stored search tiger of another recommender · its store.json does not say")
    known = {"model": "TIGER", "git_revision": "abc", "data_checksum": "0123456789abcdef", "users": 12}
    assert cohorts.foreign_footer("tiger", known) == (
        "Stored search tiger of another recommender · made by TIGER · revision abc · data 0123456789ab · "
        "all 12 users, no sample"
    )
