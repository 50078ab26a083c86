"""How the weights that the gate gave each expert spread over the items."""

from dataclasses import dataclass

import pandas as pd

from reg4rec_core import CodebookReport, facet_letter

QUANTILES = ("lowest", "lower", "middle", "upper", "highest")
"""Columns of `GateSpread.rows`: what 5, 25, 50, 75 and 95 % of the items stay below."""


@dataclass(frozen=True)
class GateSpread:
    """The gate's weights, an expert a row."""

    rows: pd.DataFrame
    """facet, the columns of `QUANTILES` (shares of 1), detail."""
    even: float
    """The weight of every expert if all had the same."""
    summary: str


def has_gate_spread(report: CodebookReport) -> bool:
    """Whether the run noted how the gate's weights spread when its codes were fitted."""
    return len(report.gate_quantiles) == len(report.gate_means) == report.ids.n_codebooks


def gate_spread(report: CodebookReport) -> GateSpread:
    """The spread that `has_gate_spread` promises."""
    rows = pd.DataFrame(report.gate_quantiles, columns=list(QUANTILES))
    rows.insert(0, "facet", [facet_letter(codebook) for codebook in range(len(rows))])
    means = zip(rows.to_dict("records"), report.gate_means, strict=True)
    rows["detail"] = [_in_words(row, mean) for row, mean in means]
    widths = rows["highest"] - rows["lowest"]
    widest, narrowest = (rows["facet"][place] for place in (widths.idxmax(), widths.idxmin()))
    differing = (
        f"It differs most from item to item for facet {widest} and least for facet {narrowest}."
        if widths.max() - widths.min() > 0.0005
        else "It differs equally much from item to item for every facet."
    )
    return GateSpread(
        rows,
        1 / len(rows),
        "How much of an item's description the gate gave each expert, over all items: the line holds the middle 90 % "
        "of the items, the box the middle half, the stroke across it stands at the median; dashed is an even share. "
        f"The axis begins near the smallest weight, not at 0. {differing}",
    )


def _in_words(row: dict[str, float], mean: float) -> str:
    """One expert, a line a fact."""
    lines = (
        f"facet {row['facet']}: median {row['middle']:.1%}, mean {mean:.1%}",
        f"half of the items from {row['lower']:.1%} to {row['upper']:.1%}",
        f"90 % of them from {row['lowest']:.1%} to {row['highest']:.1%}",
    )
    return "<br>".join(lines)
