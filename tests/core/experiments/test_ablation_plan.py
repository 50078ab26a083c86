"""The plan of an ablation: what each cell changes, and what it shares with others."""

import math
from dataclasses import replace

import pytest

from reg4rec_core.config import (
    DecodeConfig,
    ModelConfig,
    PostTrainConfig,
    PretrainConfig,
    RewardWeights,
    TokenizerConfig,
)
from reg4rec_core.experiments.ablation_plan import (
    Cost,
    Recipe,
    base_recipe,
    chosen_cells,
    estimated_seconds,
    plan,
)
from reg4rec_core.types import InputError

BASE = Recipe(TokenizerConfig(), ModelConfig(), PretrainConfig(minutes=15.0), PostTrainConfig(), RewardWeights())
CELLS = {cell.name: cell for cell in plan(BASE)}


def test_every_cell_of_the_papers_table_changes_one_thing():
    changed = {
        "no-mpq": replace(BASE, tokenizer=TokenizerConfig(quantizer="residual"), selection="fixed"),
        "no-crss": replace(BASE, selection="fixed"),
        "no-pars": replace(BASE, weights="pretrained"),
        "no-msra": replace(BASE, post_train=PostTrainConfig(window=1)),
        "no-corp": replace(BASE, prunes=False),
        "supervised-only": replace(BASE, post_train=PostTrainConfig(policy_weight=0.0, kl_weight=0.0)),
        "reward-path": replace(BASE, rewards=RewardWeights(step=0.0, category=0.0, consistency=0.0, path=1.0)),
        "rewards-step-category": replace(BASE, rewards=RewardWeights(consistency=0.0, path=0.0)),
        "decay-0.6": replace(BASE, post_train=PostTrainConfig(decay=0.6)),
        "codebook-size-500": replace(BASE, tokenizer=TokenizerConfig(codebook_size=500)),
        "codebooks-12": replace(BASE, tokenizer=TokenizerConfig(n_codebooks=12)),
        "full": BASE,
    }
    assert {name: CELLS[name].recipe for name in changed} == changed


def test_cells_that_change_only_later_stages_start_from_the_bases_run():
    own_codes = {name for name, cell in CELLS.items() if cell.pretrained_by == name}
    sizes = {f"codebook-size-{k}" for k in (100, 200, 400, 500)} | {f"codebooks-{m}" for m in (2, 4, 6, 10, 12)}
    assert own_codes == {"full", "no-mpq"} | sizes
    assert all(cell.pretrained_by == "full" for name, cell in CELLS.items() if name not in own_codes)
    assert CELLS["no-corp"].post_trained_by == "full"
    assert CELLS["no-crss"].post_trained_by == "no-crss", "its rollouts go through the codebooks in a fixed order, too"


def test_a_value_that_the_base_has_is_the_base():
    twins = {name: cell.same_as for name, cell in CELLS.items() if cell.same_as != name}
    assert twins == {
        "window-1": "no-msra",
        "window-3": "full",
        "decay-0.8": "full",
        "codebook-size-300": "full",
        "codebooks-8": "full",
    }


def test_without_post_training_its_settings_make_no_cell_of_their_own():
    cells = plan(base_recipe({}, minutes=15.0, steps=0, seed=0))
    sizes = [f"codebook-size-{k}" for k in (100, 200, 400, 500)] + [f"codebooks-{m}" for m in (2, 4, 6, 10, 12)]
    own = [cell.name for cell in cells if cell.same_as == cell.name]
    assert own == ["full", "no-mpq", "no-crss", "no-corp", *sizes]
    seconds = estimated_seconds(cells, Cost(1.0, 10.0, 100.0, 1000.0))
    assert sum(seconds) == 11 * (1 + 10) + 13 * 1000


def test_a_choice_brings_the_base_the_controls_and_the_twins_along():
    cells = plan(BASE)
    assert [cell.name for cell in chosen_cells(cells, ["no-corp"])] == ["full", "no-corp"]
    names = [cell.name for cell in chosen_cells(cells, ["window-1"])]
    assert names == ["full", "supervised-only", "no-msra", "window-1"]
    assert chosen_cells(cells, []) == list(cells)
    with pytest.raises(InputError, match="there is no cell no-brain; the cells are full, supervised-only"):
        chosen_cells(cells, ["no-brain"])


def test_shared_work_is_paid_for_once():
    chosen = chosen_cells(plan(BASE), ["no-mpq", "no-pars", "no-corp", "window-1"])
    seconds = dict(
        zip([c.name for c in chosen], estimated_seconds(chosen, Cost(1.0, 10.0, 100.0, 1000.0)), strict=True)
    )
    assert seconds == {
        "full": 1111,
        "supervised-only": 1100,
        "no-mpq": 1111,
        "no-pars": 1000,
        "no-msra": 1100,
        "no-corp": 1000,
        "window-1": 0,
    }


def test_the_base_takes_a_runs_settings_with_one_budget_and_one_seed():
    settings = {
        "tokenizer": {"n_codebooks": 4, "seed": 7},
        "model": {"width": 32, "n_heads": 2},
        "pretrain": {"minutes": None, "epochs": 36, "dropout": 0.3},
        "post_train": {"window": 2},
        "decode": {"beam_width": 7, "theta": 0.4, "check_from": 3},
        "reward_weights": {"step": 0.0, "category": 0.0, "consistency": 0.0, "path": 1.0},
    }
    base = base_recipe(settings, minutes=5.0, steps=9, seed=3)
    assert (base.tokenizer.n_codebooks, base.tokenizer.seed, base.model.width) == (4, 3, 32)
    assert (base.pretrain.minutes, base.pretrain.dropout, base.pretrain.seed) == (5.0, 0.3, 3)
    assert base.pretrain.epochs > 1000, "the minutes decide"
    assert (base.post_train.steps, base.post_train.window, base.post_train.seed) == (9, 2, 3)
    assert base.rewards.path == 1
    assert base.decode == DecodeConfig(beam_width=7), "theta is chosen anew"
    assert base_recipe({}, minutes=5.0, steps=9, seed=0).tokenizer == TokenizerConfig()


def test_a_budget_in_epochs_leaves_time_out_and_everything_else_as_it_was():
    settings = {"pretrain": {"minutes": 5.0, "epochs": 36, "encoder_share": 0.4, "seed": 7}, "tokenizer": {"seed": 7}}
    for minutes in (15.0, math.inf):
        base = base_recipe(settings, minutes=minutes, steps=0, seed=3, epochs=8)
        assert base.pretrain == PretrainConfig(minutes=math.inf, epochs=8, encoder_share=0.4, seed=3)
        assert base.tokenizer.seed == 3
