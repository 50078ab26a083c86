"""Sampling paths under the catalogue mask, against a slow sampler that goes item by item."""

import math

import numpy as np
import pytest
import torch
from lookup_model import LookupModel

from reg4rec_core.decoding import ItemIndex
from reg4rec_core.training.rollouts import SampledPaths, draw_codes, sample_paths
from reg4rec_core.types import SemanticIds

HISTORIES = torch.tensor([[0, 3, 5], [0, 0, 1], [7, 2, 4], [0, 9, 9]])


def small_ids(seed: int) -> SemanticIds:
    codes = np.random.default_rng(seed).integers(0, 4, (13, 3))
    codes[12] = codes[11]  # two items share all their codes
    codes[0] = 0
    return SemanticIds(codes, 4)


def sampled(
    seed: int, histories: torch.Tensor, draws: torch.Tensor, selection: str = "confidence"
) -> tuple[LookupModel, ItemIndex, SampledPaths]:
    model, index = LookupModel(seed=seed), ItemIndex(small_ids(seed))
    excluded = torch.zeros(len(histories), 13, dtype=torch.bool).scatter_(1, histories, True)
    root = model.encode(histories)
    paths = sample_paths(model, index, root, excluded, draws, kind="item_marginal", selection=selection)
    return model, index, paths


def slow_path(
    model: LookupModel, codes: np.ndarray, history: list[int], draws: list[float], selection: str
) -> list[tuple]:
    """(codebook, code, log-probability) of each step, item by item; item-marginal codes."""
    left = [item for item in range(1, 13) if item not in history]
    path: list[tuple[int, int]] = []
    steps = []
    for draw in draws:
        logits = model.look_up(tuple(i for i in history if i), tuple(path)).item_logits
        weights = {item: math.exp(float(logits[item])) for item in left}
        total = sum(weights.values())
        best = None
        for codebook in range(3):
            if codebook in [m for m, _ in path]:
                continue
            mass = [sum(weights[i] for i in left if codes[i, codebook] == code) / total for code in range(4)]
            choice = len({codes[i, codebook] for i in left}) > 1
            key = (choice, max(mass) if choice else 0.0)
            if best is None or (selection == "confidence" and key > best[0]):
                best = (key, codebook, mass)
        _, codebook, mass = best
        code = next(k for k in range(4) if sum(mass[: k + 1]) > draw * sum(mass))
        steps.append((codebook, code, math.log(mass[code])))
        left = [item for item in left if codes[item, codebook] == code]
        path.append((codebook, code))
    return [*steps, left]


@pytest.mark.parametrize("selection", ["confidence", "fixed"])
@pytest.mark.parametrize("seed", range(6))
def test_paths_are_those_of_a_slow_sampler(seed, selection):
    draws = torch.rand(4, 5, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    model, index, paths = sampled(seed, HISTORIES, draws, selection)
    for row, history in enumerate(HISTORIES.tolist()):
        for rollout in range(5):
            *steps, left = slow_path(model, index.codes.numpy(), history, draws[row, rollout].tolist(), selection)
            assert paths.codebooks[row, rollout].tolist() == [codebook for codebook, _, _ in steps]
            assert paths.codes[row, rollout].tolist() == [code for _, code, _ in steps]
            np.testing.assert_allclose(paths.log_probs[row, rollout], [p for _, _, p in steps], rtol=1e-4, atol=1e-5)
            assert paths.items[row, rollout] == min(left)


def test_every_path_ends_at_an_item_that_carries_its_codes_and_is_not_in_the_history():
    draws = torch.rand(4, 50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    _, index, paths = sampled(3, HISTORIES, draws)
    assert torch.equal(index.codes[paths.items], paths.codes_by_codebook)
    assert not (paths.items[..., None] == HISTORIES[:, None]).any()
    assert (paths.items > 0).all()


def test_a_path_does_not_depend_on_who_else_is_in_the_batch():
    draws = torch.rand(4, 6, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    _, _, together = sampled(1, HISTORIES, draws)
    _, _, alone = sampled(1, HISTORIES[2:3], draws[2:3, 4:])
    assert torch.equal(together.codes[2:3, 4:], alone.codes)
    assert torch.equal(together.items[2:3, 4:], alone.items)


def test_first_codes_come_as_often_as_they_are_probable():
    grid = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    draws = torch.full((1, 2000, 3), 0.5, dtype=torch.float64)
    draws[0, :, 0] = grid
    _, _, paths = sampled(0, HISTORIES[:1], draws)
    for code in paths.codes[0, :, 0].unique():
        chosen = paths.codes[0, :, 0] == code
        assert chosen.double().mean().item() == pytest.approx(paths.log_probs[0, chosen, 0][0].exp().item(), abs=1e-3)


def test_a_code_that_leads_nowhere_is_never_drawn():
    log_prob = torch.tensor([[[-math.inf, math.log(0.25), -math.inf, math.log(0.75), -math.inf]]])
    for draw, code in ((0.0, 1), (0.2499, 1), (0.2501, 3), (1 - 1e-16, 3)):
        assert draw_codes(log_prob, torch.tensor([[draw]], dtype=torch.float64)).item() == code


def test_steps_list_what_was_open_and_what_the_code_kept():
    draws = torch.rand(4, 5, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    _, index, paths = sampled(2, HISTORIES, draws)
    entries = list(zip(*(x.tolist() for x in vars(paths.open_items).values()), strict=True))
    for row, history in enumerate(HISTORIES.tolist()):
        for rollout in range(5):
            left = [item for item in range(1, 13) if item not in history]
            for step in range(3):
                codebook, code = paths.codebooks[row, rollout, step], paths.codes[row, rollout, step]
                after = [item for item in left if index.codes[item, codebook] == code]
                expected = [(item, item in after) for item in left] if step and len(left) > 1 else []
                segment = (row * 5 + rollout) * 3 + step
                assert sorted((i, k) for s, i, k in entries if s == segment) == sorted(expected)
                left = after
