from io import BytesIO

import networkx
import numpy as np
import pytest
from small_shop import TITLES, small_catalog, small_ids, small_interactions, small_trace

from reg4rec_core.analysis.facets import read_facets
from reg4rec_core.analysis.graph_file import search_graphml
from reg4rec_core.types import Catalog, Fate


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def read(text: str) -> networkx.DiGraph:
    return networkx.read_graphml(BytesIO(text.encode()))


def test_networkx_reads_the_same_tree_back(facets):
    trace = small_trace()
    graph = read(search_graphml(trace, facets))
    assert graph.is_directed()
    assert list(graph) == [f"n{node}" for node in range(8)]
    assert set(graph.edges) == {(f"n{trace.parent[node]}", f"n{node}") for node in range(1, 8)}
    assert networkx.is_arborescence(graph)
    for node in range(8):
        found = graph.nodes[f"n{node}"]
        for name in ("step", "attempt", "log_prob", "items_left"):
            assert found[name] == getattr(trace, name)[node], name
        assert found["fate"] == Fate(int(trace.fate[node])).label
        assert found.get("js", -1.0) == (-1.0 if np.isnan(trace.js[node]) else trace.js[node])
        if node:
            assert (found["codebook"], found["code"]) == (trace.codebook[node], trace.code[node])
            assert found["name"] == facets.name(int(trace.codebook[node]), int(trace.code[node]))
            assert graph.edges[f"n{trace.parent[node]}", f"n{node}"]["probability"] == trace.confidence[node]


def test_what_a_node_does_not_have_is_no_attribute_of_it(facets):
    nodes = read(search_graphml(small_trace(), facets)).nodes
    assert not {"codebook", "code", "name", "js", "item"} & set(nodes["n0"])
    assert not {"js", "top_category", "top_category_probability"} & set(nodes["n3"])
    assert (nodes["n6"]["top_category"], nodes["n6"]["top_category_probability"]) == ("Beauty > Makeup > Eyes", 0.9)
    assert [(node, nodes[node]["rank"], nodes[node]["item"]) for node in nodes if "rank" in nodes[node]] == [
        ("n4", 1, "Plum Lipstick"),
        ("n6", 2, "Black Mascara"),
        ("n7", 3, "Brown Mascara"),
    ]


def test_the_graph_says_how_it_was_searched_even_without_a_theta(facets):
    graph = read(search_graphml(small_trace(), facets)).graph
    assert (graph["theta"], graph["check_from"], graph["beam"]) == (0.06, 2, 3)
    assert read(search_graphml(small_trace(theta=np.inf), facets)).graph["theta"] == np.inf


def test_titles_that_xml_cannot_hold_are_cleaned(facets):
    catalog = small_catalog()
    titles = (*TITLES[:2], 'Plum <b>&\x00\x1b"Lip\ufffe', *TITLES[3:])
    odd = Catalog(
        catalog.item_keys, titles, catalog.brands, catalog.category_paths, catalog.categories, catalog.category_names,
        catalog.features,
    )  # fmt: skip
    text = search_graphml(small_trace(), read_facets(odd, small_ids(), small_interactions()))
    assert read(text).nodes["n4"]["item"] == 'Plum <b>&"Lip'
