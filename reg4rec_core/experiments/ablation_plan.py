"""Which systems an ablation compares: the paper's table (III), its sensitivities (Fig. 5 and 6), every reward alone.

A cell is a change of one base recipe. Cells share what they have in common: those with the same codes and pre-training
start from one pre-trained run, those with the same post-training from one post-trained run.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from reg4rec_core.config import (
    DecodeConfig,
    ModelConfig,
    PostTrainConfig,
    PretrainConfig,
    RewardWeights,
    Selection,
    TokenizerConfig,
)
from reg4rec_core.types import InputError

BASE, CONTROL = "full", "supervised-only"
UNBOUNDED_EPOCHS = 100_000
"""The minutes decide when pre-training stops."""


@dataclass(frozen=True)
class Recipe:
    """All settings of one system, from codes to lists."""

    tokenizer: TokenizerConfig
    model: ModelConfig
    pretrain: PretrainConfig
    post_train: PostTrainConfig
    rewards: RewardWeights
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    """Theta and the first compared step are chosen anew, on validation, at the end of pre-training."""
    selection: Selection = "confidence"
    """For rollouts and for decoding, in the place of `decode`'s."""
    prunes: bool = True
    """Whether decoding uses the chosen theta, or none."""
    weights: Literal["pretrained", "post_trained"] = "post_trained"

    def pretrained_key(self) -> tuple[Any, ...]:
        """Equal for recipes that can share a pre-trained run."""
        return (self.tokenizer, self.model, self.pretrain, self.decode)

    def post_trained_key(self) -> tuple[Any, ...]:
        """Equal for recipes that can share a post-trained run."""
        return (*self.pretrained_key(), self.post_train, self.rewards, self.selection)

    def result_key(self) -> "Recipe":
        """Equal for recipes of the same result: post-training says nothing of what goes without it."""
        without = self.weights == "pretrained"
        return replace(self, post_train=PostTrainConfig(), rewards=RewardWeights()) if without else self

    def to_json(self) -> dict[str, Any]:
        """Plain values; the minutes of pre-training are finite by construction."""
        return asdict(self)


@dataclass(frozen=True)
class PlannedCell:
    """One system of the plan."""

    name: str
    question: str
    recipe: Recipe
    control: str
    """The cell of equal budget that it stands beside: the base, or the same steps of post-training without rewards."""
    pretrained_by: str = field(default="", compare=False)
    """The first cell of the plan with the same codes and pre-training."""
    post_trained_by: str = field(default="", compare=False)
    """The first cell with the same post-training, too."""
    same_as: str = field(default="", compare=False)
    """The first cell with the same result; its own name where it is that."""


def base_recipe(
    settings: dict[str, Any], *, minutes: float, steps: int, seed: int, epochs: int | None = None
) -> Recipe:
    """The recipe of a run (`settings` is its run.json) under an equal budget and one seed for everything.

    The budget of pre-training is `epochs`, or without them `minutes`; infinite minutes leave the run's own pre-training
    as it was, its seed included. With 0 steps nothing is post-trained: all cells are compared by their pre-trained
    weights.
    """
    chosen_anew = ("theta", "thetas", "check_from", "selection")
    decode = {name: value for name, value in settings.get("decode", {}).items() if name not in chosen_anew}
    tokenizer, pretrain = dict(settings.get("tokenizer", {})), dict(settings.get("pretrain", {}))
    pretrain["minutes"] = pretrain.get("minutes") or math.inf  # JSON has no infinity: null
    if epochs is not None or minutes < math.inf:
        tokenizer["seed"] = seed
        budget = {"minutes": minutes, "epochs": UNBOUNDED_EPOCHS}
        pretrain |= (budget if epochs is None else {"minutes": math.inf, "epochs": epochs}) | {"seed": seed}
    post_train = settings.get("post_train", {})
    return Recipe(
        TokenizerConfig.from_dict(tokenizer),
        ModelConfig.from_dict(settings.get("model", {})),
        PretrainConfig.from_dict(pretrain),
        PostTrainConfig.from_dict(post_train | {"seed": seed} | ({"steps": steps} if steps else {})),
        RewardWeights.from_dict(settings.get("reward_weights", {})),
        DecodeConfig.from_dict(decode),
        weights="post_trained" if steps else "pretrained",
    )


def rewards_of(*names: str) -> RewardWeights:
    """The named rewards with weight 1, the others with 0."""
    return RewardWeights.parse(",".join(f"{name}=1" for name in names))


def plan(base: Recipe) -> tuple[PlannedCell, ...]:
    """Every cell, the base first; sizes and windows that equal the base's point to it."""

    def tokenizer(**changes: Any) -> Recipe:
        return replace(base, tokenizer=replace(base.tokenizer, **changes))

    def post_train(**changes: Any) -> Recipe:
        return replace(base, post_train=replace(base.post_train, **changes))

    def paid_for(*names: str) -> Recipe:
        return replace(base, rewards=rewards_of(*names))

    cells = [
        PlannedCell(BASE, "everything on", base, BASE),
        PlannedCell(CONTROL, "post-training without rewards", post_train(policy_weight=0.0, kl_weight=0.0), BASE),
        PlannedCell(
            "no-mpq",
            "residual codes in a fixed order",
            replace(tokenizer(quantizer="residual"), selection="fixed"),
            BASE,
        ),
        PlannedCell("no-crss", "codebooks in a fixed order", replace(base, selection="fixed"), BASE),
        PlannedCell("no-pars", "no post-training", replace(base, weights="pretrained"), CONTROL),
        PlannedCell("no-msra", "rewards for the next item alone", post_train(window=1), CONTROL),
        PlannedCell("no-corp", "no pruning", replace(base, prunes=False), BASE),
    ]
    rewards = ("step", "category", "consistency", "path")
    cells += [PlannedCell(f"reward-{name}", f"the {name} reward alone", paid_for(name), CONTROL) for name in rewards]
    for count in (2, 3):
        names = rewards[:count]
        cells.append(PlannedCell(f"rewards-{'-'.join(names)}", f"the first {count} rewards", paid_for(*names), CONTROL))
    cells += sensitivity(
        "window", (1, 2, 3, 4, 5), "h, future items that count", lambda h: post_train(window=h), CONTROL
    )
    cells += sensitivity(
        "decay", (0.6, 0.7, 0.8, 0.9, 1.0), "w, weight of each further item", lambda w: post_train(decay=w), CONTROL
    )
    cells += sensitivity(
        "codebook-size", (100, 200, 300, 400, 500), "K, codes a codebook", lambda k: tokenizer(codebook_size=k), BASE
    )
    cells += sensitivity(
        "codebooks", (2, 4, 6, 8, 10, 12), "M, codebooks and steps", lambda m: tokenizer(n_codebooks=m), BASE
    )
    return tuple(with_twins(cell, cells) for cell in cells)


def sensitivity(
    name: str, values: Sequence[int | float], question: str, recipe: Callable[[Any], Recipe], control: str
) -> list[PlannedCell]:
    """One cell a value."""
    return [PlannedCell(f"{name}-{value:g}", question, recipe(value), control) for value in values]


def with_twins(cell: PlannedCell, cells: Sequence[PlannedCell]) -> PlannedCell:
    """The cell with the names of those it shares runs and results with."""

    def first(key: Callable[[Recipe], Any]) -> str:
        return next(other.name for other in cells if key(other.recipe) == key(cell.recipe))

    return replace(
        cell,
        pretrained_by=first(Recipe.pretrained_key),
        post_trained_by=first(Recipe.post_trained_key),
        same_as=first(Recipe.result_key),
    )


def chosen_cells(cells: Sequence[PlannedCell], names: Sequence[str]) -> list[PlannedCell]:
    """The named cells (all without names) in the plan's order, with the base, their controls and their twins."""
    by_name = {cell.name: cell for cell in cells}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise InputError(f"there is no cell {', '.join(unknown)}; the cells are {', '.join(by_name)}")
    wanted = {BASE, *(names or by_name)}
    wanted |= {by_name[name].control for name in wanted}
    wanted |= {by_name[name].same_as for name in wanted}
    return [cell for cell in cells if cell.name in wanted]


@dataclass(frozen=True)
class Cost:
    """Estimated seconds of each piece of work, as a run of the same kind took them."""

    tokenizer: float
    pretrain: float
    post_train: float
    evaluate: float


def estimated_seconds(cells: Sequence[PlannedCell], cost: Cost, *, made: Sequence[str] = ()) -> list[float]:
    """What each cell adds to what the cells before it have made; `made` names pre-trained runs that are there."""
    done = {("pretrained", name) for name in made}
    seconds = []
    for cell in cells:
        work = {
            ("pretrained", cell.pretrained_by): cost.tokenizer + cost.pretrain,
            ("cell", cell.same_as): cost.evaluate,
        }
        if cell.recipe.weights == "post_trained":
            work[("post_trained", cell.post_trained_by)] = cost.post_train
        seconds.append(sum((price for piece, price in work.items() if piece not in done), 0.0))
        done |= set(work)
    return seconds
