"""A user's search read back from a store, be it of two tables or one of ours."""

import pandas as pd
import pytest

from reg4rec_core import Fate, InputError, open_store, stored_search

NODES = pd.DataFrame(
    [
        (3, 0, None, 0, None, None, 0.0),
        (3, 4, 0, 1, 0, 17, -0.5),
        (3, 5, 0, 1, 0, 18, -1.0),
        (3, 9, 4, 2, 1, 2, -0.7),
        (8, 1, None, 0, None, None, 0.0),
    ],
    columns=["user", "node", "parent", "step", "codebook", "code", "log_prob"],
).astype({"parent": "Int32", "codebook": "Int16", "code": "Int32"})
LISTS = pd.DataFrame([(3, 1, 40, -0.7), (3, 2, 7, -3.0), (8, 1, 7, -1.0)], columns=["user", "rank", "item", "score"])


@pytest.fixture
def folder(tmp_path):
    """A store of another recommender: the two needed tables, and nothing but what they need."""
    NODES.to_parquet(tmp_path / "nodes.parquet")
    LISTS.to_parquet(tmp_path / "recommendations.parquet")
    return tmp_path


def test_two_tables_are_enough_for_a_tree(folder):
    found = stored_search(open_store(folder), "3")
    trace = found.trace
    assert (found.user, found.items, found.target) == ("3", ("item 40", "item 7"), 0)
    assert trace.parent.tolist() == [-1, 0, 0, 1], "numbers of nodes become rows"
    assert trace.path(3) == [0, 1, 3]
    assert trace.confidence == pytest.approx([1, 0.6065, 0.3679, 0.8187], abs=1e-4)
    assert set(trace.fate.tolist()) == {int(Fate.KEPT)}
    assert trace.item_nodes.tolist() == [-1, -1], "the lists do not say which path led to an item"
    assert stored_search(open_store(folder), "8").trace.n_nodes == 1


def test_titles_keys_and_paths_are_used_where_they_are_there(folder):
    LISTS.assign(leaf=pd.array([9, None, None], "Int32")).to_parquet(folder / "recommendations.parquet")
    pd.DataFrame({"item": [40, 7], "key": ["a", "b"], "title": ["Mint Shampoo", None]}).to_parquet(
        folder / "items.parquet"
    )
    pd.DataFrame({"user": [3, 8], "key": ["anna", "ben"], "target": [40, 7]}).to_parquet(folder / "users.parquet")
    found = stored_search(open_store(folder), "anna")
    assert (found.items, found.target) == (("Mint Shampoo", "b"), 40)
    assert found.trace.item_nodes.tolist() == [3, -1]


def test_what_is_not_in_a_store_is_said(folder):
    with pytest.raises(InputError, match="has no user '4'; choose one"):
        stored_search(open_store(folder), "4")
    NODES.assign(parent=pd.array([None, 9, 0, 4, None], "Int32")).to_parquet(folder / "nodes.parquet")
    with pytest.raises(InputError, match=r"breaks a rule of trace stores \(parents must stand before their children"):
        stored_search(open_store(folder), "3")
    NODES[NODES["step"] > 0].to_parquet(folder / "nodes.parquet")
    with pytest.raises(InputError, match="must begin with a node of step 0"):
        stored_search(open_store(folder), "3")
