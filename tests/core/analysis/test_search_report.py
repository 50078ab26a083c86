"""Reports: they say what the search says, need nothing from elsewhere, and titles stay text."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from reg4rec_core.analysis.counterfactual import compare_traces
from reg4rec_core.analysis.document import search_document
from reg4rec_core.analysis.facets import read_facets
from reg4rec_core.analysis.report import (
    ReportedSearch,
    ReportedUser,
    comparison_report,
    followed_end,
    reported_user,
    search_report,
)
from reg4rec_core.analysis.report_page import report_page

SETTINGS = {"package_version": "0.1.0", "git_revision": "abc", "data_checksum": "d" * 40}
WICKED = "<script>alert('&\"')</script>"
VOID = {"meta", "path", "circle", "br"}


class Reader(HTMLParser):
    """Checks that every element is closed where it was opened; keeps the tags, their attributes and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def searched(trace=None, *, side="", facets=None, weights="pretrained") -> ReportedSearch:
    trace = trace or small_trace()
    facets = facets or read_facets(small_catalog(), small_ids(), small_interactions())
    return ReportedSearch(side, "tiny", weights, SETTINGS, facets, trace, ((),) * len(trace.items), followed_end(trace))


def whose(**changes) -> ReportedUser:
    values = {"key": "Ann", "at": "test", "history": np.array([6, 7]), "dates": ("1 Jan", ""), "target": 4, "edits": ""}
    return ReportedUser(**(values | changes))


NOTE = {"label": -1, "tag": "odd", "text": WICKED, "path": [{"codebook": 0, "code": 1}], "item": None}


def test_the_document_says_what_the_search_says():
    document = search_report(whose(), searched(), link="http://127.0.0.1:8501/?user=Ann", notes=[NOTE])
    assert document == json.loads(json.dumps(document, allow_nan=False))
    (found,) = document["searches"]
    plain = search_document(small_catalog(), small_trace())
    for item, expected in zip(found["items"], plain["items"], strict=True):
        assert {name: item[name] for name in ("key", "title", "score", "parts", "node")} == {
            name: expected[name] for name in ("key", "title", "score", "parts", "node")
        }
    for node, expected in zip(found["tree"], plain["trace"]["nodes"], strict=True):
        js = None if np.isnan(expected["js"]) else expected["js"]
        assert (node["js"], node["fate"], node["items_left"]) == (js, expected["fate"], expected["items_left"])
        assert node["log_prob"] == expected["log_prob"]
    assert [step["step"] for step in found["belief"]] == [0, 1, 2]
    assert [row["probability"] for row in found["belief"][2]["categories"]] == [0.9, 0.04, 0.03, 0.03]
    assert [item["key"] for item in document["history"]] == ["p6", "p7"]
    assert (document["target"]["key"], found["target_place"]) == ("p4", 2)
    assert (found["settings"]["theta"], found["counts"]["pruned"]) == (0.06, 1)
    assert found["items"][0]["path"][0] | {"name": ""} == {"codebook": 0, "code": 0, "facet": "A", "name": ""}
    assert [node["id"] for node in found["tree"] if node["followed"]] == [0, 1, 4]


def test_the_page_shows_the_numbers_of_its_document():
    document = search_report(whose(), searched(), notes=[NOTE])
    text = read(report_page(document)).text
    for item in document["searches"][0]["items"]:
        assert item["title"] in text
        assert f"{item['score']:.2f}" in text
    assert "★ Black Mascara" in text
    assert "90.0%" in text
    assert "What was bought next is number 2 of the list." in text
    assert document["searches"][0]["sentence"] in text
    assert "pruned: the belief moved by more than θ 1" in text
    assert "thumb down" in text
    assert "revision abc" in text


def test_a_page_loads_nothing_and_runs_nothing():
    page = report_page(search_report(whose(), searched(), link="http://127.0.0.1:8501/?user=Ann", notes=[NOTE]))
    tags = read(page).tags
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    assert not [name for _, attributes in tags for name in attributes if name == "src" or name.startswith("on")]
    assert [tag for tag, attributes in tags if "href" in attributes] == ["a"]
    assert not re.search(r"@import|url\(", page)
    assert "default-src 'none'" in page
    assert len(page.encode()) < 5_000_000


def test_every_node_is_drawn_once_with_its_reason():
    document = search_report(whose(), searched())
    page = report_page(document)
    tags = read(page).tags
    marks = [attributes["class"].split() for tag, attributes in tags if tag == "g" and attributes.get("class")]
    drawn = [kinds for kinds in marks if kinds[0] == "node"][5:]  # after the legend's
    assert [kinds[1] for kinds in drawn] == [
        "kept", "kept", "kept", "beam_cut", "kept", "pruned", "regenerated", "fallback",
    ]  # fmt: skip
    assert sum(tag == "path" and "link" in attributes.get("class", "") for tag, attributes in tags) == 7
    for node in document["searches"][0]["tree"]:
        assert node["reason"] in read(page).text


def test_titles_users_and_notes_stay_text(monkeypatch):
    monkeypatch.setattr("small_shop.TITLES", ("", *[WICKED] * 8))
    monkeypatch.setattr("small_shop.BRANDS", ("", *[WICKED] * 8))
    monkeypatch.setattr("small_shop.NAMES", (WICKED,) * 4)
    facets = read_facets(small_catalog(), small_ids(), small_interactions())
    user = whose(key=WICKED, dates=(WICKED, ""))
    document = search_report(user, searched(facets=facets), link='"><script>', notes=[NOTE | {"tag": WICKED}])
    page = report_page(document)
    assert "<script" not in page
    reader = read(page)
    assert WICKED in reader.text
    assert all(tag != "script" for tag, _ in reader.tags)


def test_two_searches_are_reported_side_by_side():
    after = small_trace(items=np.array([4, 2, 8, 7]), theta=float("inf"))
    sides = searched(side="A"), searched(after, side="B", weights="post_trained")
    document = comparison_report(whose(), sides, compare_traces(small_trace(), after), "They differ.", notes=[])
    json.dumps(document, allow_nan=False)
    assert [(move["key"], move["a"], move["b"]) for move in document["movement"]] == [
        ("p8", None, 3), ("p5", 3, None), ("p4", 2, 1), ("p2", 1, 2),
    ]  # fmt: skip
    text = read(report_page(document)).text
    for said in (
        "Two searches for user Ann",
        "They differ.",
        "A: tiny",
        "B: tiny",
        "no pruning",
        "post-trained weights",
    ):
        assert said in text


def test_a_search_without_recommendations_can_be_reported():
    empty = {name: np.zeros(0) for name in ("item_scores", "item_first_state", "item_evidence")}
    trace = small_trace(**empty, **{name: np.zeros(0, np.int64) for name in ("items", "item_nodes")})
    document = search_report(whose(target=-1), searched(trace))
    assert "Nothing is recommended" in read(report_page(document)).text
    assert document["target"] is None


def test_a_user_brings_the_newest_purchases_with_their_days():
    user = reported_user(small_interactions(), 1, "test", 4, 5)
    assert (user.key, user.history.tolist(), user.target) == ("70", [3, 2, 1, 4], 5)
    assert user.dates == ("1970-01-05", "1970-01-06", "1970-01-07", "1970-01-08")


def test_the_command_writes_a_page_and_its_twin(reg4rec, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setenv("REG4REC_NOTES", str(tmp_path / "notes.sqlite"))
    out = tmp_path / "new" / "report.html"
    done = reg4rec("report", "--run", tiny_run, "--user", "visitor 9", "--theta", "0.1", "--out", out, "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert report_page(document) == out.read_text(encoding="utf-8")
    asked = reg4rec("recommend", "--run", tiny_run, "--user", "visitor 9", "--theta", "0.1", "--json")
    expected = json.loads(asked.stdout)
    (found,) = document["searches"]
    assert [(i["key"], i["score"]) for i in found["items"]] == [(i["key"], i["score"]) for i in expected["items"]]
    assert [node["js"] for node in found["tree"]] == [node["js"] for node in expected["trace"]["nodes"]]
    wrong = reg4rec("report", "--run", tiny_run, "--user", "visitor 9", "--out", tmp_path / "report.pdf")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "ends in .html" in wrong.stderr


@pytest.mark.parametrize("rank", [0, 3])
def test_the_followed_path_ends_at_the_items_leaf_or_at_the_likeliest_deep_node(rank):
    assert followed_end(small_trace(), rank) == 4
