"""How the searches of many users went, step by step: what was kept and pruned, how far beliefs moved, whose codes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.analysis.cohort import Cohort
from reg4rec_core.analysis.trace_queries import TraceStore, condition
from reg4rec_core.types import Fate


@dataclass(frozen=True)
class SearchHabits:
    """The nodes of a cohort's search trees, counted. Out-scored candidates count nowhere."""

    users: int
    steps: Int[np.ndarray, "T"]
    """From 1 to the last."""
    kept: Int[np.ndarray, "T M"]
    """Nodes the beam went on from, by the codebook whose code they added; last resorts count, too."""
    pruned: Int[np.ndarray, "T M"]
    regenerated: Int[np.ndarray, "T"]
    fallback: Int[np.ndarray, "T"]
    js: Float[np.ndarray, "T"]
    """Mean divergence of kept nodes from their parent's belief, nats; NaN where there is none."""

    @property
    def load(self) -> Float[np.ndarray, "T M"]:
        """Which share of the nodes kept at a step each codebook has; a row sums to 1, or to 0 without nodes."""
        return self.kept / np.maximum(self.kept.sum(1, keepdims=True), 1)


COUNTS = f"""
count(*) FILTER (fate IN ({Fate.KEPT:d}, {Fate.FALLBACK:d})), count(*) FILTER (fate = {Fate.PRUNED:d}),
count(*) FILTER (fate = {Fate.KEPT:d} AND attempt > 0), count(*) FILTER (fate = {Fate.FALLBACK:d}),
coalesce(sum(js) FILTER (fate IN ({Fate.KEPT:d}, {Fate.FALLBACK:d})), 0),
count(js) FILTER (fate IN ({Fate.KEPT:d}, {Fate.FALLBACK:d}))
"""


def search_habits(store: TraceStore, cohort: Cohort) -> SearchHabits:
    """Count the nodes of a cohort's searches."""
    store.need("nodes.fate", "nodes.attempt", "nodes.js")
    where, parameters = condition(store, cohort)
    chosen = f"SEMI JOIN (SELECT user FROM users WHERE {where}) u ON u.user = n.user"
    query = f"SELECT step, codebook, {COUNTS} FROM nodes n {chosen} WHERE step > 0 GROUP BY ALL"
    rows = store.rows(query, *parameters)
    last, codebooks = max((row[0] for row in rows), default=0), max((row[1] for row in rows), default=-1) + 1
    counts, sums = np.zeros((5, last, codebooks), np.int64), np.zeros((last, codebooks))
    for step, codebook, *found, js, with_js in rows:
        counts[:, step - 1, codebook] = *found, with_js
        sums[step - 1, codebook] = js
    kept, pruned, regenerated, fallback, compared = counts
    total = compared.sum(1)
    means = np.where(total > 0, sums.sum(1) / np.maximum(total, 1), np.nan)
    (users,) = store.rows(f"SELECT count(*) FROM users WHERE {where}", *parameters)[0]
    return SearchHabits(users, np.arange(1, last + 1), kept, pruned, regenerated.sum(1), fallback.sum(1), means)
