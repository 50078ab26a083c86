"""`reg4rec recommend --json`: the document tells the truth about the search, checked from the document alone."""

import json
import math
import subprocess
import sys

import networkx
import numpy as np
import pytest

from reg4rec_core import Recommender, search_document
from reg4rec_core.cli.output import plain

USER = "visitor 7"
NODE_KEYS = [
    "id", "parent", "step", "attempt", "codebook", "code", "log_prob", "js", "fate", "items_left", "categories",
]  # fmt: skip
SETTINGS = [
    (),
    ("--theta", "0"),
    ("--theta", "0.05", "--beam", "4"),
    ("--theta", "0.2", "--check-from", "1", "--max-regenerations", "0"),
    ("--theta", "inf"),
    ("--theta", "0.05", "--no-look-ahead", "--code-probabilities", "heads"),
    ("--theta", "0.05", "--code-probabilities", "mixture", "--beam", "3"),
]


@pytest.fixture(scope="module")
def recommend(reg4rec, tiny_run):
    def call(*arguments):
        result = reg4rec("recommend", "--run", tiny_run, "--json", *arguments)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout, parse_constant=pytest.fail)

    return call


@pytest.fixture(scope="module", params=SETTINGS, ids=" ".join)
def document(request, recommend):
    return recommend("--user", USER, *request.param)


def divergence(left: list[float], right: list[float]) -> float:
    """Jensen-Shannon divergence by its definition, natural log."""
    p, q = np.array(left, np.float64), np.array(right, np.float64)
    middle = (p + q) / 2
    terms = [(x[x > 0] * np.log(x[x > 0] / middle[x > 0])).sum() for x in (p, q)]
    return float(sum(terms) / 2)


def nodes_with_parents(document):
    nodes = document["trace"]["nodes"]
    return [(node, nodes[node["parent"]]) for node in nodes[1:]]


def test_the_document_has_the_keys_of_the_contract(document):
    assert {"items", "trace", "categories", "theta", "check_from", "beam"} <= set(document)
    assert all(list(node) == NODE_KEYS for node in document["trace"]["nodes"])
    assert all({"key", "title", "score", "node", "source"} <= set(item) for item in document["items"])


def test_the_root_is_the_state_before_any_code(document):
    root = document["trace"]["nodes"][0]
    assert root["categories"] is not None
    expected = {"id": 0, "parent": None, "step": 0, "attempt": 0, "codebook": None, "code": None, "log_prob": 0}
    expected |= {"js": None, "fate": "kept", "items_left": 60}
    assert {key: root[key] for key in expected} == expected


def test_parents_precede_children_and_only_kept_and_fallback_nodes_have_any(document):
    for number, node in enumerate(document["trace"]["nodes"]):
        assert node["id"] == number
    for node, parent in nodes_with_parents(document):
        assert parent["id"] < node["id"]
        assert node["step"] == parent["step"] + 1
        assert parent["fate"] in ("kept", "fallback")


def test_log_prob_never_rises_along_a_path(document):
    for node, parent in nodes_with_parents(document):
        assert node["log_prob"] <= parent["log_prob"]


def test_js_is_the_divergence_of_the_two_beliefs(document):
    for node, parent in nodes_with_parents(document):
        believed = node["categories"] is not None and parent["categories"] is not None
        assert (node["js"] is not None) == believed
        if believed:
            expected = divergence(node["categories"], parent["categories"])
            assert node["js"] == pytest.approx(expected, abs=1e-9)


def test_a_belief_is_a_distribution_over_the_named_categories(document):
    for node in document["trace"]["nodes"]:
        if node["categories"] is not None:
            assert len(node["categories"]) == len(document["categories"])
            assert sum(node["categories"]) == pytest.approx(1, abs=1e-5)


def test_every_decision_follows_theta(document):
    theta = math.inf if document["theta"] is None else document["theta"]
    for node, _ in nodes_with_parents(document):
        if node["step"] < document["check_from"]:
            assert node["fate"] in ("kept", "beam_cut")
        elif node["fate"] == "kept" and node["js"] is not None:
            assert node["js"] <= theta
        elif node["fate"] in ("pruned", "fallback"):
            assert node["js"] > theta


def test_a_step_keeps_no_more_than_the_beam_and_each_child_narrows_its_parent(document):
    for step in range(1, 5):
        nodes = [node for node in document["trace"]["nodes"] if node["step"] == step]
        assert 1 <= sum(node["fate"] in ("kept", "fallback") for node in nodes) <= document["beam"]
    for node, parent in nodes_with_parents(document):
        assert 1 <= node["items_left"] <= parent["items_left"]


def test_a_path_uses_every_codebook_once_and_no_two_siblings_are_the_same(document):
    nodes = document["trace"]["nodes"]
    children = [(node["parent"], node["codebook"], node["code"]) for node in nodes[1:]]
    assert len(children) == len(set(children))
    for node in nodes:
        used = []
        while node["parent"] is not None:
            used.append(node["codebook"])
            node = nodes[node["parent"]]
        assert len(used) == len(set(used))


def test_items_come_from_leaves_and_neighbours_score_below_every_path(document):
    nodes, items = document["trace"]["nodes"], document["items"]
    assert len(items) == 10
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert len({item["key"] for item in items}) == len(items)
    for item in items:
        if item["source"] == "path":
            leaf = nodes[item["node"]]
            assert leaf["step"] == 4
            assert leaf["fate"] in ("kept", "fallback")
            assert item["score"] <= leaf["log_prob"]
        else:
            assert (item["source"], item["node"]) == ("neighbour", None)
    by_path = [item["score"] for item in items if item["source"] == "path"]
    others = [item["score"] for item in items if item["source"] == "neighbour"]
    assert by_path
    assert not others or max(others) < min(by_path)


def test_a_small_theta_prunes_and_an_infinite_one_never_does(recommend):
    strict, plain = recommend("--user", USER, "--theta", "0"), recommend("--user", USER, "--theta", "inf")
    fates = [{node["fate"] for node in document["trace"]["nodes"]} for document in (strict, plain)]
    assert {"pruned", "fallback"} <= fates[0]
    assert fates[1] <= {"kept", "beam_cut"}
    assert plain["theta"] is None


def test_a_theta_above_every_divergence_is_plain_beam_search(recommend):
    plain, loose = recommend("--user", USER, "--theta", "inf"), recommend("--user", USER, "--theta", "0.7")
    assert loose.pop("theta") == 0.7
    assert plain.pop("theta") is None
    assert loose == plain


def test_the_settings_given_are_the_settings_told(recommend):
    document = recommend("--user", USER, "--theta", "0.01", "--beam", "5", "--top", "3", "--check-from", "3")
    assert (document["theta"], document["beam"], document["check_from"]) == (0.01, 5, 3)
    assert len(document["items"]) == 3


def test_the_same_call_gives_the_same_document(recommend):
    assert recommend("--user", USER) == recommend("--user", USER)


def test_a_user_and_the_history_spelt_out_give_the_same_search(recommend, tiny_run):
    recommender = Recommender.load(tiny_run)
    for moment in ("test", "valid", "now"):
        rows = recommender.history(recommender.user_index(USER), moment)
        keys = " , ".join(recommender.catalog.item_keys[row] for row in rows)
        assert recommend("--user", USER, "--at", moment) == recommend("--history", keys)


def test_a_user_asked_alone_gets_the_trace_of_the_batch(recommend, tiny_run):
    recommender = Recommender.load(tiny_run)
    user = recommender.user_index(USER)
    others = (3, 40, 41, 8, 9, 10, 11, 12, 100)
    histories = [recommender.history(row) for row in (others[0], user, *others[1:], user)]
    traces = recommender.recommend(histories, recommender.decode)
    alone = recommend("--user", USER)
    for place in (1, len(histories) - 1):
        assert json.loads(json.dumps(plain(search_document(recommender.catalog, traces[place])))) == alone


def test_no_item_of_the_history_is_recommended(recommend):
    keys = ["p000", "p001", "p002", "p013"]
    document = recommend("--history", ",".join(keys), "--top", "40", "--beam", "40")
    assert not {item["key"] for item in document["items"]} & set(keys)


def test_the_order_of_a_history_matters_and_old_items_beyond_20_do_not(recommend):
    keys = [f"p{number:03d}" for number in range(24)]
    whole, newest = recommend("--history", ",".join(keys)), recommend("--history", ",".join(keys[4:]))
    # What lies beyond the newest 20 is not read by the network; it is still left out of the list.
    assert whole["trace"]["nodes"][0] == newest["trace"]["nodes"][0]
    turned = recommend("--history", ",".join(reversed(keys[4:])))
    assert turned["trace"]["nodes"][0] != newest["trace"]["nodes"][0]


def test_a_steered_search_recommends_only_what_keeps_to_the_rules_and_says_what_was_asked(recommend, tiny_run):
    catalog = Recommender.load(tiny_run).catalog
    rules = "forbid_brand:Avalon,require_category:Beauty > Nails"
    document = recommend("--user", USER, "--steer", rules)
    rows = [catalog.item_keys.index(item["key"]) for item in document["items"]]
    assert rows
    for row in rows:
        assert catalog.brands[row] != "Avalon"
        assert catalog.category_names[catalog.categories[row]].startswith("Beauty > Nails")
    assert document["steer"] == rules
    assert "from" not in document


def test_a_dropped_branch_can_be_searched_from(recommend):
    nodes = recommend("--user", USER)["trace"]["nodes"]
    node = next(node for node in nodes if node["fate"] in ("pruned", "beam_cut") and node["step"] == 2)
    codes = [(nodes[node["parent"]]["codebook"], nodes[node["parent"]]["code"]), (node["codebook"], node["code"])]
    branch = "-".join(f"{codebook}.{code}" for codebook, code in codes)
    document = recommend("--user", USER, "--from", branch)
    found = document["trace"]["nodes"]
    assert [(n["codebook"], n["code"], n["fate"]) for n in found[1:3]] == [(*code, "kept") for code in codes]
    assert found[2]["log_prob"] == pytest.approx(node["log_prob"], abs=1e-5)
    assert (document["from"], document["check_from"]) == (branch, 3)


def test_the_tree_is_written_as_graphml(recommend, tmp_path):
    file = tmp_path / "tree.graphml"
    nodes = recommend("--user", USER, "--graphml", file)["trace"]["nodes"]
    graph = networkx.read_graphml(file)
    assert set(graph.edges) == {(f"n{node['parent']}", f"n{node['id']}") for node in nodes[1:]}
    assert [graph.nodes[f"n{node['id']}"]["fate"] for node in nodes] == [node["fate"] for node in nodes]
    assert list(tmp_path.iterdir()) == [file], "nothing half-written is left"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--user", USER, "--steer", "want:2.1"), "a steering rule is one of fix, forbid,"),
        (("--user", USER, "--steer", "require_brand:Avalom"), "near matches: Avalon"),
        (("--user", USER, "--from", "1"), "a branch reads CODEBOOK.CODE-"),
        (("--user", USER, "--graphml", "/nowhere/tree.graphml"), "--graphml needs a file that can be written"),
        (("--user", "visitor 1444"), "visitor 144"),
        (("--history", "p001,p0002"), "p002"),
        (("--user", "zzz"), "visitor 1"),
        (("--history", " , "), "at least one item"),
        (("--user", USER, "--theta", "-1"), "theta must be >= 0"),
        (("--user", USER, "--theta", "nan"), "theta must be >= 0"),
        (("--user", USER, "--beam", "0"), "beam_width must be >= 1"),
        (("--user", USER, "--top", "0"), "top_k must be >= 1"),
        (("--user", USER, "--weights", "best"), "pretrained"),
    ],
)
def test_bad_input_is_one_line_with_a_remedy(reg4rec, tiny_run, arguments, hint):
    result = reg4rec("recommend", "--run", tiny_run, "--json", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert hint in result.stderr


def test_the_command_speaks_json_as_a_process_of_its_own(tiny_run, recommend):
    command = [sys.executable, "-m", "reg4rec_core.cli", "recommend", "--run", str(tiny_run), "--user", USER, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["items"]) == len(recommend("--user", USER)["items"])
    bad = subprocess.run([*command, "--user", "nobody"], capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (2, "")
