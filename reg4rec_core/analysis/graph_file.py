"""One search as GraphML, for tools that draw and measure graphs."""

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from reg4rec_core.analysis.facets import Facets
from reg4rec_core.types import Fate, ReasoningTrace

if TYPE_CHECKING:
    import networkx

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def search_graphml(trace: ReasoningTrace, facets: Facets) -> str:
    """The tree as a GraphML document: nodes n0 (the root), n1, ... in trace order, edges from parent to child."""
    import networkx

    written = BytesIO()
    networkx.write_graphml(search_graph(trace, facets), written, named_key_ids=True)
    return written.getvalue().decode("utf-8")


def search_graph(trace: ReasoningTrace, facets: Facets) -> "networkx.DiGraph":
    """The tree with its numbers; what a node does not have (js, belief, code, item) is no attribute of it."""
    import networkx

    graph = networkx.DiGraph(theta=float(trace.theta), check_from=trace.check_from, beam=trace.beam_width)
    if trace.thetas:
        graph.graph["thetas"] = ",".join(f"{theta:g}" for theta in trace.thetas)
    graph.add_nodes_from((f"n{node}", _attributes(trace, facets, node)) for node in range(trace.n_nodes))
    for rank in reversed(range(len(trace.items))):
        if trace.item_nodes[rank] >= 0:
            title = _NOT_XML.sub("", facets.catalog.titles[trace.items[rank]])
            graph.nodes[f"n{trace.item_nodes[rank]}"].update(rank=rank + 1, item=title)
    for node in range(1, trace.n_nodes):
        graph.add_edge(f"n{trace.parent[node]}", f"n{node}", probability=float(trace.confidence[node]))
    return graph


def _attributes(trace: ReasoningTrace, facets: Facets, node: int) -> dict[str, Any]:
    belief, js = trace.beliefs[node], float(trace.js[node])
    found: dict[str, Any] = {
        "step": int(trace.step[node]),
        "fate": Fate(int(trace.fate[node])).label,
        "attempt": int(trace.attempt[node]),
        "log_prob": float(trace.log_prob[node]),
        "items_left": int(trace.items_left[node]),
    }
    if node > 0:
        codebook, code = int(trace.codebook[node]), int(trace.code[node])
        found |= {"codebook": codebook, "code": code, "name": _NOT_XML.sub("", facets.name(codebook, code))}
    if not np.isnan(js):
        found["js"] = js
    if not np.isnan(belief).any():
        top = int(belief.argmax())
        name = _NOT_XML.sub("", facets.catalog.category_names[top])
        found |= {"top_category": name, "top_category_probability": float(belief[top])}
    return found
