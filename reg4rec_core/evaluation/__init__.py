"""How good a run is, beside what it should be compared with."""

from reg4rec_core.evaluation.comparison import Comparison, compare
from reg4rec_core.evaluation.report import EvalReport, evaluate, search_split

__all__ = ["Comparison", "EvalReport", "compare", "evaluate", "search_split"]
