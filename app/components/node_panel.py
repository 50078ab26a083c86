"""What is told of the node at the chosen step: beside the tree its belief, below it its code.

Both know every node of the search and follow clicks and arrow keys in the browser.
"""

from typing import Any

import streamlit as st

from app.charts.palette import Ground
from app.components.belief import DRAWN_BY, colours
from app.components.scripts import script

PANEL = script("listening.js", "followed_node.js", *DRAWN_BY, "node_panel.js")
DETAILS = script("escaped.js", "listening.js", "followed_node.js", "node_details.js")
SCRUBBER = """
<div class="r4-scrubber"><button title="One step back (←)" aria-label="One step back">←</button>
<output></output><input type="range" min="0" step="1" aria-label="Step">
<button title="One step on (→)" aria-label="One step on">→</button></div>
"""

_panel = st.components.v2.component(
    "reg4rec.node_panel",
    html=f'<div class="r4">{SCRUBBER}<div class="r4-stack"></div></div>',
    js=PANEL,
    isolate_styles=False,
)
_details = st.components.v2.component(
    "reg4rec.node_details",
    html='<div class="r4-panels"></div>',
    js=DETAILS,
    isolate_styles=False,
)


def node_panel(told: str, ground: Ground, *, followed: dict[str, Any], tree: str) -> None:
    """The step scrubber, the belief at the step, how far it moved, and why the node met its fate.

    `told` is what `told_nodes` made of the search that is drawn as the tree with the key `tree`, as JSON, and
    `followed` what of it is followed at first.
    """
    _panel(key="node_panel", data=followed | {"key": tree, "told": told, "colours": colours(ground)})


def node_details(told: str, codes: str, *, followed: dict[str, Any], tree: str) -> None:
    """Three panels: what the code stands for, the items still allowed, the codes that were tried beside it.

    `told` and `codes` are what `told_nodes` and `told_codes` made of the search, as JSON.
    """
    _details(key="node_details", data=followed | {"key": tree, "told": told, "codes": codes})
