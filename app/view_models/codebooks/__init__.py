"""The Codebooks page in tables: what the codes say about the experts in, DataFrames and strings out."""

from app.view_models.codebooks.codes import card_heading, chosen_code, code_rows, flow_rows, health, load_rows
from app.view_models.codebooks.collisions import collision_rows, collision_summary
from app.view_models.codebooks.facets import (
    AGREEMENT_NOTE,
    INTRODUCTION,
    NUMBERS,
    agreement_matrix,
    chosen_likeness,
    experts,
    experts_note,
    facet_names,
    likeness_matrix,
    likeness_names,
    verdict,
)
from app.view_models.codebooks.gates import gate_spread, has_gate_spread
from app.view_models.codebooks.maps import (
    LOAD,
    POINTS,
    UMAP_HELP,
    colourings,
    grouped,
    point_map,
    selected_rows,
    selection,
    users_link,
)
from app.view_models.codebooks.whole import report_json, url_choices

__all__ = [
    "AGREEMENT_NOTE",
    "INTRODUCTION",
    "LOAD",
    "NUMBERS",
    "POINTS",
    "UMAP_HELP",
    "agreement_matrix",
    "card_heading",
    "chosen_code",
    "chosen_likeness",
    "code_rows",
    "collision_rows",
    "collision_summary",
    "colourings",
    "experts",
    "experts_note",
    "facet_names",
    "flow_rows",
    "gate_spread",
    "grouped",
    "has_gate_spread",
    "health",
    "likeness_matrix",
    "likeness_names",
    "load_rows",
    "point_map",
    "report_json",
    "selected_rows",
    "selection",
    "url_choices",
    "users_link",
    "verdict",
]
