import torch

from reg4rec_core.model.sasrec import SASRec

N_ITEMS, LENGTH = 12, 6


def network(seed=0):
    torch.manual_seed(seed)
    made = SASRec(N_ITEMS, history_length=LENGTH, width=8, hidden=16, n_layers=2, n_heads=2, dropout=0.5)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()


def test_padding_on_the_left_changes_nothing():
    model, items = network(), torch.tensor([[3, 7, 5]])
    padded = torch.nn.functional.pad(items, (LENGTH - 3, 0))
    torch.testing.assert_close(model(padded)[:, -3:], model(items))


def test_a_position_sees_nothing_that_comes_later():
    model = network()
    first, second = torch.tensor([[1, 2, 3, 4, 5, 6]]), torch.tensor([[1, 2, 3, 9, 8, 7]])
    torch.testing.assert_close(model(first)[:, :3], model(second)[:, :3])
    assert not torch.allclose(model(first)[:, 3], model(second)[:, 3])


def test_the_order_of_a_history_matters():
    model = network()
    scores = model.item_scores(torch.tensor([[1, 2, 3, 4, 5, 6], [2, 1, 3, 4, 5, 6]]))
    assert not torch.allclose(scores[0, 1:], scores[1, 1:])


def test_padding_is_never_recommended():
    scores = network().item_scores(torch.tensor([[0, 0, 0, 0, 2, 3]]))
    assert scores.shape == (1, N_ITEMS)
    assert torch.isneginf(scores[0, 0])
    assert torch.isfinite(scores[0, 1:]).all()
