"""What each facet tells of the items, and whether facets copy each other: tables, heat maps and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.view_models.codebooks.gates import has_gate_spread
from reg4rec_core import Agreement, CodebookReport, ItemAttribute, Likeness, facet_letter

INTRODUCTION = (
    "Every expert facet describes an item by one code of its own. Here is what each facet tells of the items, "
    "how evenly it uses its codes, and whether the facets say different things or copy each other."
)
AGREEMENT_NOTE = (
    "Normalised mutual information of a facet's codes with an attribute, less what shuffled items reach: many codes "
    "agree with anything a little. The tokenizer reads titles, brands and categories, so telling these is partly by "
    "construction. Attributes of many values can reach higher numbers; point at a cell for its share of the attribute. "
    "A category level is a step down the shop's tree of categories, the finest where it ends; a run keeps no prices."
)
COPIES, OVERLAP = 0.5, 0.2
"""Shared information from which two facets are said to copy each other, or to overlap."""


def facet_names(report: CodebookReport) -> list[str]:
    return [facet_letter(codebook) for codebook in range(report.ids.n_codebooks)]


def experts(report: CodebookReport) -> pd.DataFrame:
    """A facet a line, ready to read."""
    codebooks = range(report.ids.n_codebooks)
    best = [most_told(report, codebook) for codebook in codebooks]
    table = pd.DataFrame(
        {
            "facet": facet_names(report),
            "tells most of": [name for name, _ in best],
            "beyond chance": [value for _, value in best],
            "codes in use": [f"{(report.loads[m] > 0).sum():,} of {report.ids.codebook_size:,}" for m in codebooks],
            "dead": [f"{len(report.dead(m)):,}" for m in codebooks],
            "overloaded": [f"{len(report.overloaded(m)):,}" for m in codebooks],
            "effectively in use": [f"{value:.0f}" for value in report.perplexity],
            "largest code": [f"{report.loads[m].max():,} items" for m in codebooks],
        }
    )
    if len(report.gate_means) == report.ids.n_codebooks:
        table["mean gate weight"] = [f"{weight:.1%}" for weight in report.gate_means]
    return table


NUMBERS = (
    "codes in use",
    "dead",
    "overloaded",
    "effectively in use",
    "largest code",
    "beyond chance",
    "mean gate weight",
)
"""Columns of `experts` that are set flush right."""


def most_told(report: CodebookReport, codebook: int) -> tuple[str, str]:
    """The attribute that a facet agrees with most, and by how much; dashes where there is none."""
    if not report.agreements:
        return "–", "–"
    best = max(report.agreements, key=lambda agreement: agreement.adjusted[codebook])
    return best.attribute.name, f"{best.adjusted[codebook]:.2f}"


def experts_note(report: CodebookReport) -> str:
    """How to read the table of experts, and what the run knows of the gate."""
    usage = (
        "Dead: carried by no item; overloaded: by more than three even shares; effectively in use: the perplexity, as "
        "many equal codes as would be this even. "
    )
    if not report.gate_means:
        return f"{usage}This run does not store gate weights."
    return (
        f"{usage}Mean gate weight: how much of an item's description the gate gave this expert when the codes were "
        f"fitted, from {min(report.gate_means):.1%} to {max(report.gate_means):.1%}, where even would be "
        f"{1 / len(report.gate_means):.1%}."
        + (
            ""
            if has_gate_spread(report)
            else " This run keeps the means alone: its codes were fitted without noting "
            "how the weights spread over the items."
        )
    )


def verdict(report: CodebookReport) -> str:
    """Whether the experts specialise or copy each other, in two sentences."""
    return " ".join(text for text in (_who_copies(report.likenesses[0]), _who_tells_what(report)) if text)


def _who_copies(likeness: Likeness) -> str:
    count = len(likeness.matrix)
    if count < 2:
        return "There is a single facet, so there is nothing to compare it with."
    rows, columns = np.triu_indices(count, k=1)
    shared = likeness.matrix[rows, columns]
    top = int(shared.argmax())
    pair = f"{facet_letter(int(rows[top]))} and {facet_letter(int(columns[top]))}"
    if shared[top] >= COPIES:
        said = f"Facets {pair} nearly copy each other"
    elif shared[top] >= OVERLAP:
        said = f"Facets {pair} overlap"
    else:
        said = f"The facets say mostly different things; {pair} are the most alike"
    return (
        f"{said}: they share {shared[top]:.2f} of their information beyond chance (1 would be a copy), "
        f"the average pair {shared.mean():.2f}."
    )


def _who_tells_what(report: CodebookReport) -> str:
    """Which facet is best at each attribute; what no facet tells beyond chance is said too."""
    best: dict[str, list[str]] = {}
    for agreement in report.agreements:
        top = int(agreement.adjusted.argmax())
        who = facet_letter(top) if agreement.adjusted[top] >= 0.01 else ""
        best.setdefault(who, []).append(agreement.attribute.name)
    told = [f"facet {who} tells {listed(names)} best" for who, names in sorted(best.items()) if who]
    if "" in best:
        told.append(f"no facet tells {listed(best[''], last='or')} beyond chance")
    sentence = "; ".join(told)
    return sentence[:1].upper() + sentence[1:] + "." if sentence else ""


def listed(names: Sequence[str], *, last: str = "and") -> str:
    """Names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


@dataclass(frozen=True)
class Matrix:
    """A heat map: what stands in its cells, and what a cell says when one points at it."""

    values: pd.DataFrame
    """NaN where nothing is drawn."""
    details: pd.DataFrame
    summary: str
    """The whole in a sentence, for those who cannot see it."""


def agreement_matrix(report: CodebookReport) -> Matrix:
    """Attributes by facets: normalised mutual information beyond chance."""
    names = [_attribute_name(agreement.attribute) for agreement in report.agreements]
    facets = facet_names(report)
    adjusted = np.array([agreement.adjusted for agreement in report.agreements]).reshape(len(names), len(facets))
    details = [[_cell(agreement, m) for m in range(len(facets))] for agreement in report.agreements]
    summary = "What each facet tells beyond chance. " + _who_tells_what(report)
    return Matrix(
        pd.DataFrame(adjusted, index=names, columns=facets),
        pd.DataFrame(details, index=names, columns=facets),
        summary.strip(),
    )


def _cell(agreement: Agreement, codebook: int) -> str:
    """One number of the heat map in full, a line a fact."""
    attribute, told = agreement.attribute, max(agreement.told[codebook], 0)
    lines = (
        f"facet {facet_letter(codebook)}, {attribute.name}",
        f"beyond chance {agreement.adjusted[codebook]:.3f} "
        f"(raw {agreement.raw[codebook]:.3f}, shuffled {agreement.chance[codebook]:.3f})",
        f"the code tells {told:.0%} of what there is to know",
        f"known of {attribute.n_known:,} items, {len(attribute.labels):,} values",
        attribute.note,
    )
    return "\n".join(lines)


def _attribute_name(attribute: ItemAttribute) -> str:
    return attribute.name if attribute.is_input else f"{attribute.name} (not an input)"


def likeness_names(report: CodebookReport) -> list[str]:
    return [likeness.name for likeness in report.likenesses]


def chosen_likeness(report: CodebookReport, name: str) -> Likeness:
    """The measure of that name, the first for any other."""
    return next((likeness for likeness in report.likenesses if likeness.name == name), report.likenesses[0])


def likeness_matrix(likeness: Likeness) -> Matrix:
    """Facets by facets; a facet is not compared with itself."""
    facets = [facet_letter(codebook) for codebook in range(len(likeness.matrix))]
    values = likeness.matrix.copy()
    np.fill_diagonal(values, np.nan)
    details = [
        [f"facets {a} and {b}: {likeness.matrix[i, j]:.3f}" for j, b in enumerate(facets)] for i, a in enumerate(facets)
    ]
    pairs = values[np.triu_indices(len(values), k=1)]
    spread = f"from {pairs.min():.2f} to {pairs.max():.2f}" if len(pairs) else "with a single facet"
    return Matrix(
        pd.DataFrame(values, index=facets, columns=facets),
        pd.DataFrame(details, index=facets, columns=facets),
        f"How alike the facets are pair by pair, {likeness.name}: {spread}.",
    )
