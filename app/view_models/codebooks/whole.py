"""The page as a whole: its choices in a link, and its numbers as JSON."""

import json

import numpy as np

from reg4rec_core import CodebookReport, facet_letter


def url_choices(state: dict[str, str]) -> dict[str, str]:
    """What else of the page a link has to say: the choices in the address bar that this page knows."""
    return {name: state[name] for name in ("code", "alike", "points", "colour", "find") if state.get(name)}


def report_json(report: CodebookReport) -> str:
    """Every number of the page that belongs to the run and not to a choice."""
    document = {
        "facets": [
            {
                "facet": facet_letter(m),
                "codes": report.ids.codebook_size,
                "dead_codes": report.dead(m).tolist(),
                "overloaded_codes": report.overloaded(m).tolist(),
                "perplexity": round(float(report.perplexity[m]), 3),
                "loads": report.loads[m].tolist(),
            }
            for m in range(report.ids.n_codebooks)
        ],
        "agreements": [
            {
                "attribute": a.attribute.name,
                "is_input": a.attribute.is_input,
                "items_known": a.attribute.n_known,
                "values": len(a.attribute.labels),
                **{name: np.round(getattr(a, name), 4).tolist() for name in ("raw", "chance", "adjusted", "told")},
            }
            for a in report.agreements
        ],
        "likenesses": [
            {"name": entry.name, "note": entry.note, "matrix": np.round(entry.matrix, 4).tolist()}
            for entry in report.likenesses
        ],
        "collisions": [group.tolist() for group in report.collisions],
        "gate_means": list(report.gate_means),
        "gate_quantiles": report.gate_quantiles.tolist(),
    }
    return json.dumps(document, allow_nan=False, ensure_ascii=False)
