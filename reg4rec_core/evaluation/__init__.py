"""How good a run is, beside what it should be compared with."""

from reg4rec_core.evaluation.report import EvalReport, evaluate

__all__ = ["EvalReport", "evaluate"]
