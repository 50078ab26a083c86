"""Previews of training in tables and sentences: how far they are, and what they changed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from app.view_models.rewards import TERMS, shortened
from reg4rec_core import (
    Catalog,
    InputError,
    Interval,
    PreviewState,
    ReasoningTrace,
    RewardWeights,
    WeightsEffect,
    compare_traces,
    count_fates,
)

INTRODUCTION = (
    "Real post-training steps with the weights above, from the run's pre-trained weights, on a copy of the run: the "
    "run itself is never written. The copy goes when the application ends, unless you keep it."
)
PHASES = {
    "waiting": "waits for its turn",
    "starting": "starts: a copy is made and all validation users are ranked once",
    "training": "trains",
    "closing": "finishes: all validation users are ranked again",
    "done": "is done",
    "failed": "failed",
    "cancelled": "was discarded",
    "kept": "is kept",
}
METRICS = ("recall@10", "ndcg@10")
SHOWN = 10


def title(state: PreviewState) -> str:
    """A preview as an option to choose."""
    return f"{state.number}: {state.phase}"


def progress_share(state: PreviewState) -> float:
    """How much of the training is behind it, in [0, 1]."""
    return 1.0 if state.is_over else len(state.records) / state.plan.config.steps


def progress_text(state: PreviewState) -> str:
    """Where a preview stands, in a sentence."""
    steps = f"step {len(state.records)} of {state.plan.config.steps}"
    waits = f", {state.ahead} before it" if state.phase == "waiting" and state.ahead else ""
    told = f"Preview {state.number} {PHASES[state.phase]}{waits}"
    if state.phase in ("training", "closing"):
        return f"{told} · {steps}"
    return f"{told}: {state.error}" if state.error else told


def gone_words(state: PreviewState) -> str:
    """What throws a preview away, told of its state before."""
    became = "discarded" if state.is_over else "cancelled"
    ended = "its training has ended and " if state.phase in ("starting", "training", "closing") else ""
    return f"Preview {state.number} was {became}: {ended}its copy of the run is deleted. The run itself is as it was."


def plan_words(state: PreviewState) -> str:
    """What a preview does."""
    config = state.plan.config
    return (
        f"Weights {words(state.plan.weights)} · {config.steps} steps of {config.batch_size} histories with "
        f"{config.rollouts} paths each"
    )


def words(weights: RewardWeights) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in weights.to_dict().items())


def curve(state: PreviewState) -> pd.DataFrame:
    """The mean reward of every step so far."""
    return pd.DataFrame(
        {
            "step": [int(record["step"]) for record in state.records],
            "reward": [float(record["reward"]) for record in state.records],
        }
    )


def reward_changes(state: PreviewState) -> pd.DataFrame:
    """Each reward in the first and the last quarter of the steps, unweighted, and its change."""
    part = max(len(state.records) // 4, 1)
    names = {**{name: f"rewards/{name}/mean" for name in TERMS}, "ends at the next purchase": "hit_rate"}
    rows = []
    for name, column in names.items():
        values = [float(record[column]) for record in state.records]
        first, last = float(np.mean(values[:part])), float(np.mean(values[-part:]))
        rows.append((name, f"{first:.3f}", f"{last:.3f}", f"{last - first:+.3f}"))
    return pd.DataFrame(rows, columns=["reward", "first steps", "last steps", "change"])


def effect_cards(effect: WeightsEffect) -> list[tuple[str, str, str]]:
    """Before and after on the sampled users."""
    cards = []
    for name in METRICS:
        change = effect.difference[name]
        cards.append(
            (
                name.replace("recall", "Recall").replace("ndcg", "NDCG"),
                f"{effect.before[name]:.4f} → {effect.after[name]:.4f}",
                f"{change.mean:+.4f} ({change.low:+.4f} to {change.high:+.4f})",
            )
        )
    cards.append(("users that gained a hit", f"{effect.gained:,}", f"{effect.lost:,} lost one"))
    return cards


def effect_sentence(effect: WeightsEffect) -> str:
    """Whether the steps did anything that can be told from chance."""
    change = effect.difference["ndcg@10"]
    told = "better" if change.mean > 0 else "worse"
    verdict = (
        f"The steps made the ranking {told}, beyond chance."
        if is_clear(change)
        else "No difference that could be told from chance."
    )
    return (
        f"{verdict} {effect.users:,} validation users, ranked by the exact first state before and after; differences "
        "are paired by user, with 95 % bootstrap intervals."
    )


def is_clear(change: Interval) -> bool:
    """Whether an interval leaves out zero."""
    return change.low > 0 or change.high < 0


def lists_beside(before: ReasoningTrace, after: ReasoningTrace, catalog: Catalog, target: int) -> pd.DataFrame:
    """The two lists of one user, place by place; ★ marks what the user bought next, arrows what moved."""
    old = {int(item): place for place, item in enumerate(before.items, start=1)}

    def named(item: int) -> str:
        title = shortened(catalog.titles[item])
        return f"★ {title}" if item == target else title

    rows = []
    for place in range(max(len(before.items), len(after.items))):
        first = named(int(before.items[place])) if place < len(before.items) else "–"
        second, move = "–", ""
        if place < len(after.items):
            item = int(after.items[place])
            second, was = named(item), old.get(item)
            move = "new" if was is None else "" if was == place + 1 else f"{'▲' if was > place + 1 else '▼'} was {was}"
        rows.append((place + 1, first, second, move))
    return pd.DataFrame(rows, columns=["place", "before", "after", "move"])


def tree_rows(before: ReasoningTrace, after: ReasoningTrace) -> pd.DataFrame:
    """The two trees in numbers."""
    kinds = {"kept": "kept", "beam_cut": "out-scored", "pruned": "pruned", "regenerated": "regenerated"}
    counts = [count_fates(trace) for trace in (before, after)]
    shared = len(compare_traces(before, after).shared)
    rows = [("nodes", str(before.n_nodes), str(after.n_nodes))]
    rows += [(said, *(str(count[kind]) for count in counts)) for kind, said in kinds.items()]
    rows.append(("nodes of both trees", str(shared), str(shared)))
    return pd.DataFrame(rows, columns=["tree", "before", "after"])


def kept_words(path: str) -> str:
    return f"Kept as {path}. Choose it as the run at the top of any page to look at it."


def chosen_number(wanted: str, known: Sequence[str], elsewhere: Sequence[str] = ()) -> str:
    """The preview of a run that a link names, the newest where it names none, or one `elsewhere`; "" without any."""
    wanted = "" if wanted in elsewhere else wanted
    if wanted and wanted not in known:
        raise InputError(f"there is no preview {wanted!r} in this application any more; start it again")
    return wanted or (known[-1] if known else "")


def curve_words(state: PreviewState) -> str:
    """The curve in a sentence."""
    rows = curve(state)
    return (
        f"Mean reward of a path over {len(rows)} training steps: {rows['reward'].iloc[0]:.3f} at the first, "
        f"{rows['reward'].iloc[-1]:.3f} at the last"
    )
