import numpy as np
from small_shop import small_catalog, small_trace

from reg4rec_core.analysis.document import search_document


def test_the_root_lacks_parent_codebook_and_code():
    root = search_document(small_catalog(), small_trace())["trace"]["nodes"][0]
    assert root["parent"] is root["codebook"] is root["code"] is None
    assert (root["step"], root["log_prob"], root["fate"], root["items_left"]) == (0, 0.0, "kept", 8)
    assert root["categories"] == [0.25] * 4


def test_a_node_without_a_belief_has_no_categories():
    nodes = search_document(small_catalog(), small_trace())["trace"]["nodes"]
    assert nodes[3]["categories"] is None
    assert nodes[3]["fate"] == "beam_cut"
    assert nodes[6]["attempt"] == 1


def test_items_name_their_leaf_and_neighbours_have_none():
    items = search_document(small_catalog(), small_trace())["items"]
    assert [(item["key"], item["node"], item["source"]) for item in items] == [
        ("p2", 4, "path"),
        ("p4", 6, "path"),
        ("p5", 7, "path"),
        ("p7", None, "neighbour"),
    ]


def test_numbers_are_plain_python_numbers():
    document = search_document(small_catalog(), small_trace())
    assert all(
        type(node["log_prob"]) is float and type(node["code"]) in (int, type(None))
        for node in document["trace"]["nodes"]
    )
    assert np.isclose(document["items"][0]["score"], -0.9)
