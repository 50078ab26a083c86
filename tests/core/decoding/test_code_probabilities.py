"""Probabilities of codes and completions of items, against numbers made by hand."""

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor

from reg4rec_core.decoding import ItemIndex
from reg4rec_core.decoding.code_probabilities import BeamView, Readings, RootView, expand, log_mean
from reg4rec_core.decoding.constraints import mark_allowed
from reg4rec_core.types import SemanticIds

# items 1 to 4; codebook 0 splits {1, 2 | 3, 4}, codebook 1 splits {1 | 2, 3 | 4}
IDS = SemanticIds(np.array([[0, 0], [0, 0], [0, 1], [1, 1], [1, 2]]), 3)
MASSES = [0.1, 0.2, 0.3, 0.4]
HEADS = [[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]]


def view(
    excluded_items: tuple[int, ...] = (), *, masses: list[float] = MASSES, at_root: bool = False
) -> BeamView | RootView:
    index = ItemIndex(IDS)
    excluded = torch.zeros(1, 5, dtype=torch.bool)
    excluded[0, list(excluded_items)] = True
    items = torch.tensor([[[0, 1, 2, 3, 4]]]) if at_root else torch.tensor([[[1, 2, 3, 4, 0]]])
    logits = torch.tensor(masses).log() + 1.5  # unnormalised
    padding = torch.tensor([-torch.inf])
    logits = torch.cat([padding, logits] if at_root else [logits, padding])
    readings = Readings(logits[None, None], torch.tensor([[HEADS]]).log())
    kind = RootView if at_root else BeamView
    return kind(index, mark_allowed(items, excluded), readings, torch.zeros(1, 1, 2, dtype=torch.bool))


def close(found: Tensor, expected: list[float]) -> None:
    torch.testing.assert_close(found.flatten().exp(), torch.tensor(expected))


@pytest.mark.parametrize("at_root", [True, False])
def test_item_marginal_codes_have_the_mass_of_their_items(at_root: bool) -> None:
    step = expand(view(at_root=at_root), "item_marginal")
    assert step.codebook.item() == 0  # .7 beats .5
    close(step.log_prob, [0.3, 0.7, 0])
    close(step.completion, [0.2, 0.4, 0])
    assert step.items_left.tolist() == [[[2, 2, 0]]]


@pytest.mark.parametrize("at_root", [True, False])
def test_heads_are_renormalised_over_the_codes_that_lead_to_an_item(at_root: bool) -> None:
    step = expand(view(at_root=at_root), "heads")
    assert step.codebook.item() == 0  # .7 in the full softmax
    close(step.log_prob, [0.7 / 0.9, 0.2 / 0.9, 0])
    scores = np.array([0.7 * 0.5, 0.7 * 0.25, 0.2 * 0.25, 0.2 * 0.25])
    close(step.completion, [*(scores[[0, 2]] / scores.sum()).tolist(), 0])


@pytest.mark.parametrize("at_root", [True, False])
def test_a_mixture_is_the_mean_of_both(at_root: bool) -> None:
    step = expand(view(at_root=at_root), "mixture")
    assert step.codebook.item() == 0
    close(step.log_prob, [(0.3 + 7 / 9) / 2, (0.7 + 2 / 9) / 2, 0])
    by_heads = [0.56, 0.28, 0.08, 0.08]
    close(step.completion, [max((0.1 + by_heads[0]) / 2, (0.2 + by_heads[1]) / 2), (0.4 + by_heads[3]) / 2, 0])


@pytest.mark.parametrize("at_root", [True, False])
def test_excluded_items_have_no_mass_but_are_counted(at_root: bool) -> None:
    step = expand(view((4,), at_root=at_root), "item_marginal")
    assert step.codebook.item() == 1  # 5/6 of what is left against 1/2
    close(step.log_prob, [1 / 6, 5 / 6, 0])
    assert step.items_left.tolist() == [[[1, 2, 1]]]


@pytest.mark.parametrize("kind", ["item_marginal", "heads", "mixture"])
def test_a_forced_code_costs_exactly_nothing(kind: str) -> None:
    """Seven items share the only code left; float32 shares of seven items rarely add up to exactly 1."""
    index = ItemIndex(SemanticIds(np.array([[0, 0]] + [[1, 0]] * 7), 2))
    candidates = mark_allowed(torch.arange(1, 8).expand(1, 50, 7), torch.zeros(1, 8, dtype=torch.bool))
    generator = torch.Generator().manual_seed(0)
    logits, heads = torch.randn(1, 50, 7, generator=generator), torch.randn(1, 50, 2, 2, generator=generator)
    used = torch.tensor([False, True]).expand(1, 50, 2)
    step = expand(BeamView(index, candidates, Readings(logits, heads.log_softmax(-1)), used), kind)
    assert step.log_prob.tolist() == [[[-np.inf, 0.0]] * 50]


def test_the_heads_confidence_is_that_of_the_full_softmax() -> None:
    """With items 3 and 4 left, codebook 0 is forced: certain after masking, .2 in its full softmax."""
    readings = Readings(view().readings.item_logits, torch.tensor([[[[0.7, 0.2, 0.1], [0.3, 0.4, 0.3]]]]).log())
    beams = view((1, 2))
    step = expand(BeamView(beams.index, beams.candidates, readings, beams.used), "heads")
    assert step.codebook.item() == 1


@pytest.mark.parametrize("at_root", [True, False])
def test_an_item_too_improbable_for_a_float_still_has_a_finite_path(at_root: bool) -> None:
    improbable = view(masses=[1.0, 1e-30, 1e-30, 1e-38], at_root=at_root)
    logits = improbable.readings.item_logits * 4  # item 4 at e^-350, below the smallest float
    scaled = type(improbable)(
        improbable.index, improbable.candidates, Readings(logits, improbable.readings.head_log_probs), improbable.used
    )
    step = expand(scaled, "item_marginal")
    assert torch.isfinite(step.log_prob[step.items_left > 0]).all()
    assert (step.completion <= step.log_prob).all()


def test_beams_without_an_allowed_item_open_no_code() -> None:
    for kind in ("item_marginal", "heads", "mixture"):
        step = expand(view((1, 2, 3, 4)), kind)
        assert torch.isneginf(step.log_prob).all()
        assert torch.isneginf(step.completion).all()


def test_the_mean_of_logarithms_is_that_of_the_probabilities() -> None:
    left, right = torch.tensor([log(0.2), -torch.inf, -torch.inf]), torch.tensor([log(0.4), log(0.5), -torch.inf])
    close(log_mean(left, right), [0.3, 0.25, 0])


def test_the_mean_of_logarithms_does_not_depend_on_the_place_in_the_tensor() -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = -10 * torch.rand(2, 1000, generator=generator)
    whole = log_mean(left, right)
    for length in range(1, 70):
        assert torch.equal(log_mean(left[:length].clone(), right[:length].clone()), whole[:length])
