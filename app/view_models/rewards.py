"""The Rewards page in tables and sentences: which sampled paths a mix of reward weights reinforces, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reg4rec_core import (
    Catalog,
    InputError,
    Interactions,
    RewardSurvey,
    RewardWeights,
    Rollouts,
    Weighed,
    path_ends,
    weigh,
)

INTRODUCTION = (
    "Post-training lets the model sample several paths for a shopper, rewards each by what the shopper bought next, "
    "and makes the paths that did better than their group more likely. Move the weights of the four rewards to see at "
    "once which paths that would be; then train a few real steps and see what they change."
)
CAUTION = (
    "A reinforced path is not yet a better list: on the Beauty data of the demo run post-training changes nothing "
    "measurable, with rewards or without. The preview below measures what your weights do here."
)
TERMS = {
    "step": "the share of the path's codes that the purchase has, too",
    "category": "the share of steps whose most likely category is the purchase's",
    "consistency": "how little the belief in categories moves from step to step",
    "path": "whether the path ends at the purchase",
}
"""The four rewards in words. "The purchase" is the next one; later ones count less."""
MAX_WEIGHT = 4.0
NORMAL_SUM = 4.0
"""Of the paper's four weights."""
PRESETS = {
    "paper": RewardWeights(),
    "equal, sum 1": RewardWeights(0.25, 0.25, 0.25, 0.25),
    "path only": RewardWeights(0.0, 0.0, 0.0, 1.0),
    "no consistency": RewardWeights(1.0, 1.0, 0.0, 1.0),
    "near misses": RewardWeights(1.0, 1.0, 0.0, 0.0),
}
PRESETS_HELP = (
    "Paper: all four count 1. Equal, sum 1: the same mix, smaller; only groups whose rewards hardly differ notice. "
    "Path only: nothing but the purchase itself. Near misses: the right codes and categories, whatever the item."
)
MARKS = ("", "☆ bought later", "★ next purchase")
"""By where a path ends."""
VERDICTS = {1: "▲ reinforced", -1: "▼ suppressed", 0: "● left alone"}
NOTHING = 1e-6
"""Advantages no larger than this are none."""
SOURCES = ("stored", "learnt", "held out")
SOURCE_HELP = (
    "stored: histories whose paths post-training left with the run. learnt: paths of the user above, sampled now, "
    "judged by three purchases that training knows. held out: judged by the last purchases, which training never saw."
)
DRAW_HELP = "Another number samples other paths; the same number samples the same again."


def slider_key(term: str) -> str:
    """Under which name a page keeps the slider of a reward."""
    return f"reward_{term}"


def lock_key(term: str) -> str:
    """Under which name a page and its URL keep the lock of a reward."""
    return f"lock_{term}"


def read_weights(text: str, default: RewardWeights) -> RewardWeights:
    """The weights that a link names, the run's own where it names none; InputError for weights that make no sense."""
    weights = RewardWeights.parse(text) if text else default
    large = {name: value for name, value in weights.to_dict().items() if value > MAX_WEIGHT}
    if large:
        raise InputError(
            f"the sliders go up to {MAX_WEIGHT:g}, got {large}; only the mix counts, so divide all four weights"
        )
    return weights


def weights_text(values: Mapping[str, float]) -> str:
    """Weights as links and the command line spell them; all may be 0, which is refused when it is read."""
    return ",".join(f"{name}={value:g}" for name, value in values.items())


def with_locks(wanted: RewardWeights, now: Mapping[str, float], locked: Sequence[str]) -> dict[str, float]:
    """The wanted weights, but locked ones stay as they are."""
    return {name: now[name] if name in locked else value for name, value in wanted.to_dict().items()}


def normalised(now: Mapping[str, float], locked: Sequence[str]) -> dict[str, float]:
    """The weights scaled to a sum of 4, locked ones as they are; InputError where that cannot be."""
    free = [name for name in now if name not in locked]
    kept, rest = sum(now[name] for name in locked), sum(now[name] for name in free)
    if not free or rest <= 0 or kept >= NORMAL_SUM:
        raise InputError(
            f"weights can only be scaled to a sum of {NORMAL_SUM:g} where one that is not locked is above 0 and the "
            f"locked ones sum to less; they sum to {kept:g}, the others to {rest:g}: unlock or raise one"
        )
    scale = (NORMAL_SUM - kept) / rest
    scaled = {name: round(value * scale, 2) if name in free else value for name, value in now.items()}
    largest = max(free, key=lambda name: scaled[name])
    scaled[largest] = round(scaled[largest] + NORMAL_SUM - sum(scaled.values()), 2)  # what rounding left
    return scaled


def preset_of(weights: RewardWeights) -> str | None:
    return next((name for name, known in PRESETS.items() if known == weights), None)


def position_of(source: str, interactions: Interactions, user: int) -> int:
    """Where in a user's sequence the judged purchases begin; InputError where the user has none of that kind."""
    key = interactions.user_keys[user]
    if source == "learnt":
        learnt = int(interactions.train_lengths[user])
        if learnt < 2:
            raise InputError(f"training knows fewer than two purchases of user {key}; look at another user")
        return max(1, learnt - 3)
    held_out = [int(positions[user]) for positions in (interactions.valid_positions, interactions.test_positions)]
    first = [position for position in held_out if position > 0]
    if not first:
        raise InputError(f"nothing of user {key} is held out after an earlier purchase; look at another user")
    return first[0]


def group_names(rollouts: Rollouts, catalog: Catalog, interactions: Interactions) -> list[str]:
    """Every stored history in a line: who, after how many purchases, and what came next."""
    rows = zip(rollouts.users.tolist(), rollouts.positions.tolist(), rollouts.future[:, 0].tolist(), strict=True)
    return [
        f"user {interactions.user_keys[user]} after {position} purchase{'s' if position > 1 else ''} · next: "
        f"{shortened(catalog.titles[item])}"
        for user, position, item in rows
    ]


def first_group(rollouts: Rollouts, own: Weighed) -> int:
    """The first history whose paths tell something: a hit, a miss and a signal; the first at all where none does."""
    ends = path_ends(rollouts.items, rollouts.future)
    telling = own.has_signal & (ends == 2).any(1) & (ends == 0).any(1)
    return int(np.argmax(telling)) if telling.any() else int(np.argmax(own.has_signal))


@dataclass(frozen=True)
class Group:
    """The rollouts of one history under weights, and under the run's own beside them."""

    rows: pd.DataFrame
    """One a path: item, mark, the terms, total, advantage, verdict, changed, and each term's part in the advantage as
    part_TERM. In the order of the run's own advantages, so that no row moves when the weights do."""
    summary: str
    scale: float
    """The largest sum of parts of one sign, at least 1: where the bars end."""


def weigh_group(
    rollouts: Rollouts, place: int, weights: RewardWeights, own: RewardWeights, catalog: Catalog, *, std_floor: float
) -> Group:
    """Row `place` of the rollouts as training would judge it under the weights."""
    terms = rollouts.terms[place : place + 1]
    now, before = (weigh(terms, chosen, std_floor=std_floor) for chosen in (weights, own))
    order = np.argsort(-before.advantages[0], kind="stable")
    ends = path_ends(rollouts.items[place : place + 1], rollouts.future[place : place + 1])[0]
    signs, old_signs = sign(now.advantages[0]), sign(before.advantages[0])
    rows = pd.DataFrame(
        {
            "item": [catalog.titles[item] for item in rollouts.items[place]],
            "mark": [MARKS[end] for end in ends],
            **{name: terms[0, :, number] for number, name in enumerate(TERMS)},
            "total": now.totals[0],
            "advantage": now.advantages[0],
            "verdict": [VERDICTS[s] for s in signs.tolist()],
            "changed": [f"was {VERDICTS[o]}" if s != o else "" for s, o in zip(signs, old_signs, strict=True)],
            **{f"part_{name}": now.parts[0, :, number] for number, name in enumerate(TERMS)},
        }
    )
    scale = np.maximum(np.clip(now.parts, 0, None).sum(2), np.clip(-now.parts, 0, None).sum(2)).max()
    summary = group_sentence(now, signs, old_signs, weights, own)
    return Group(rows.iloc[order].reset_index(drop=True), summary, max(float(scale), 1.0))


def sign(advantages: np.ndarray) -> np.ndarray:
    return np.where(np.abs(advantages) <= NOTHING, 0, np.sign(advantages)).astype(int)


def group_sentence(
    now: Weighed, signs: np.ndarray, old_signs: np.ndarray, weights: RewardWeights, own: RewardWeights
) -> str:
    """What training would do with the group."""
    if not now.has_signal[0]:
        return (
            "This group has no signal: every reward that looks at the purchases is the same for all its paths, so "
            "training skips it, whatever their consistency."
        )
    up, down, moved = int((signs > 0).sum()), int((signs < 0).sum()), int((signs != old_signs).sum())
    parts = [f"Of {len(signs)} paths training would reinforce {up} and suppress {down}."]
    if weights == own:
        parts.append("These are the run's own weights.")
    elif moved:
        parts.append(f"{moved} {'path changes' if moved == 1 else 'paths change'} sides against the run's own weights.")
    else:
        parts.append("No path changes sides against the run's own weights.")
    if now.floored[0]:
        parts.append("The rewards of the group hardly differ, so that it counts less than others.")
    return " ".join(parts)


def glance(survey: RewardSurvey, changed: float) -> list[tuple[str, str, str]]:
    """All stored rollouts in cards: name, number, what it means."""
    miss, later, hit = survey.ends
    skipped = f"of {survey.groups:,} histories; training skips them"
    return [
        ("groups without signal", f"{survey.without_signal:.0%}", skipped),
        ("paths at the next purchase", f"{hit / survey.paths:.1%}", f"{hit:,} of {survey.paths:,} paths"),
        ("at a later purchase", f"{later / survey.paths:.1%}", f"{later:,}; elsewhere {miss:,}"),
        ("groups that hardly differ", f"{survey.floored:.0%}", "of those with signal; they count less"),
        ("paths that change sides", f"{changed:.1%}", "against the run's own weights"),
    ]


def changed_share(rollouts: Rollouts, weights: RewardWeights, own: RewardWeights, *, std_floor: float) -> float:
    """Share of all stored paths whose advantage has another sign than under the run's own weights."""
    signs = [sign(weigh(rollouts.terms, chosen, std_floor=std_floor).advantages) for chosen in (weights, own)]
    return float((signs[0] != signs[1]).mean())


def direction_rows(survey: RewardSurvey) -> pd.DataFrame:
    """Where each reward pulls when it counts alone, and the weighted total; what cannot be said is a dash."""
    return pd.DataFrame(
        [
            {
                "reward": "weighted total" if row.name == "total" else f"{row.name} alone",
                "groups with signal": f"{row.groups:.0%}",
                "★ next": signed(row.mean_advantage[2]),
                "☆ later": signed(row.mean_advantage[1]),
                "elsewhere": signed(row.mean_advantage[0]),
                "with total": signed(row.with_total),
            }
            for row in survey.directions
        ]
    )


DIRECTION_NUMBERS = ("groups with signal", "★ next", "☆ later", "elsewhere", "with total")
DIRECTION_NOTE = (
    "The mean advantage that each reward alone would give to paths ending at the next purchase, at a later one, or "
    "elsewhere, and how its advantages correlate with those of the weighted total (1: the same direction)."
)
CORRELATION_NOTE = "Correlation of the rewards inside groups; – where a reward never differs inside one."


def correlation_rows(survey: RewardSurvey) -> pd.DataFrame:
    """How the rewards go together inside groups."""
    names = list(TERMS)
    rows = [[signed(float(value)) for value in row] for row in survey.correlation]
    return pd.DataFrame(rows, columns=names).assign(reward=names)[["reward", *names]]


def signed(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:+.2f}"


def rewards_json(weights: RewardWeights, group: Group, survey: RewardSurvey | None) -> str:
    """The numbers of the page for a file; what is not a number reads null."""
    document: dict[str, Any] = {"reward_weights": weights.to_dict(), "paths": group.rows.to_dict("records")}
    if survey is not None:
        document["survey"] = {
            "groups": survey.groups,
            "without_signal": survey.without_signal,
            "floored": survey.floored,
            "correlation": [[None if np.isnan(x) else float(x) for x in row] for row in survey.correlation],
            "directions": [
                {
                    "name": row.name,
                    "groups": row.groups,
                    "mean_advantage": [None if np.isnan(x) else x for x in row.mean_advantage],
                    "with_total": None if np.isnan(row.with_total) else row.with_total,
                }
                for row in survey.directions
            ],
        }
    return json.dumps(document, allow_nan=False, ensure_ascii=False, default=float)


def future_words(rollouts: Rollouts, place: int, catalog: Catalog) -> str:
    """What the paths are judged by."""
    titles = [shortened(catalog.titles[item]) for item in rollouts.future[place].tolist() if item > 0]
    later = f"; later {' and '.join(f'“{title}”' for title in titles[1:])}" if titles[1:] else ""
    return f"Judged by what was bought: next “{titles[0]}”{later}. Rows stand in the order of the run's own weights."


def shortened(title: str, length: int = 80) -> str:
    return title if len(title) <= length else title[: length - 1].rstrip() + "…"


def no_rollouts(run: str) -> str:
    return (
        "This run has no stored paths: it was not post-trained, or its paths were not kept. Post-training leaves 128 "
        f"histories with their paths: reg4rec post-train --run {run}"
    )


def sample_words(histories: int, seed: int) -> str:
    """How the histories of the stored paths were drawn; "" where none are stored."""
    return f"{histories:,} stored histories drawn at random from training, seed {seed}" if histories else ""
