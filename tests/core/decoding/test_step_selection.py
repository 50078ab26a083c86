"""CRSS: which codebook speaks next."""

import torch

from reg4rec_core.decoding.step_selection import choose_codebooks, first_unused

CONFIDENCE = torch.tensor([[[0.2, 0.9, 0.5]]])
NO, YES = False, True


def chosen(has_choice: list[bool], used: list[bool], confidence: torch.Tensor = CONFIDENCE) -> int:
    return int(choose_codebooks(confidence, torch.tensor([[has_choice]]), torch.tensor([[used]])))


def test_the_most_confident_codebook_goes_first() -> None:
    assert chosen([YES, YES, YES], [NO, NO, NO]) == 1


def test_a_used_codebook_never_speaks_again() -> None:
    assert chosen([YES, YES, YES], [NO, YES, NO]) == 2
    assert chosen([NO, YES, YES], [NO, YES, YES]) == 0


def test_a_codebook_without_a_choice_goes_last() -> None:
    assert chosen([YES, NO, NO], [NO, NO, NO]) == 0


def test_equals_go_by_index() -> None:
    assert chosen([YES, YES, YES], [YES, NO, NO], torch.tensor([[[0.5, 0.3, 0.3]]])) == 1
    assert chosen([NO, NO, NO], [YES, NO, NO]) == 1


def test_a_fixed_order_takes_the_lowest_unused_codebook() -> None:
    used = torch.tensor([[[NO, NO, NO], [YES, NO, NO], [YES, YES, NO], [NO, YES, NO]]])
    assert first_unused(used).tolist() == [[0, 1, 2, 0]]
