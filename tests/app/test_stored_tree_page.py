"""A stored search of another recommender on the Cohorts page, without a browser."""

import pandas as pd
import pytest
from opened_page import link_of, opened, page_of
from streamlit.testing.v1 import AppTest


@pytest.fixture
def app(tiny_run, monkeypatch, tmp_path) -> AppTest:
    """The application beside checkpoints/tiger: nothing but the two needed tables."""
    folder = tmp_path / "checkpoints" / "tiger"
    folder.mkdir(parents=True)
    nodes = [(u, n, p, s, b, c, -float(s)) for u in (0, 1) for n, p, s, b, c in (
        (0, None, 0, None, None), (1, 0, 1, 0, 17), (2, 1, 2, 1, 5 + u))]  # fmt: skip
    names = ["user", "node", "parent", "step", "codebook", "code", "log_prob"]
    whole = {"parent": "Int32", "codebook": "Int16", "code": "Int32"}
    pd.DataFrame(nodes, columns=names).astype(whole).to_parquet(folder / "nodes.parquet")
    lists = [(u, 1, 3, -2.0) for u in (0, 1)]
    pd.DataFrame(lists, columns=["user", "rank", "item", "score"]).to_parquet(folder / "recommendations.parquet")
    return page_of(tiny_run, monkeypatch, tmp_path)


def test_two_tables_are_explored_and_what_they_lack_is_said(app):
    opened(app, "screens/cohorts.py", user="1", path="0.17")
    assert not app.error
    told = " ".join(element.value for element in [*app.markdown, *app.caption, *app.info]).replace("\\", "")
    assert "One user's search, as it is stored: user 1" in told
    assert "A17: step 1 · code 37 %, path 37 %." in told
    assert "This question needs users.place, users.target, which the store checkpoints/tiger does without." in told
    assert "Stored search tiger of another recommender" in told
    (table,) = [html.value for html in app.html if "<th>user</th>" in html.value]
    assert "store=tiger&amp;user=0" in table
    assert link_of(app)["store"] == "tiger"
    opened(app, "screens/cohorts.py", user="nobody here")
    assert "as it is stored: user 0" in " ".join(element.value for element in app.markdown)
