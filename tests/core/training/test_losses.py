import math

import pytest
import torch

from reg4rec_core.model import SparseRows
from reg4rec_core.training.losses import catalog_loss, category_loss, left_items_loss, token_loss, unused_codebooks
from reg4rec_core.training.objective import (
    CatalogTensors,
    draw_prefixes,
    padded_rows,
    remaining_items_loss,
)

N, M, K, D = 12, 3, 4, 5


def draw(seed):
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)


def random_rows(generator, count):
    """Evidence for three random items a row, dense, and the same as sparse rows."""
    items = torch.stack([torch.randperm(N - 1, generator=generator)[:3] + 1 for _ in range(count)])
    values = torch.rand(count, 3, generator=generator, dtype=torch.float64)
    dense = torch.zeros(count, N, dtype=torch.float64).scatter_(1, items, values)
    return dense, SparseRows(3 * torch.arange(count + 1), items.flatten(), values.flatten())


def slow_catalog_loss(queries, table, targets, evidence):
    total = 0.0
    for query, target, added in zip(queries, targets, evidence, strict=True):
        scores = [math.exp(float(query @ table[i] + added[i])) for i in range(1, len(table))]
        total -= math.log(scores[int(target) - 1] / sum(scores))
    return total / len(queries)


@pytest.mark.parametrize("seed", range(3))
def test_catalog_loss_equals_a_softmax_computed_item_by_item(seed):
    normal = draw(seed)
    queries, table, targets = normal(300, D), normal(N, D), torch.randint(1, N, (300,))
    dense, rows = random_rows(torch.Generator().manual_seed(seed), 300)
    expected = slow_catalog_loss(queries, table, targets, dense)
    assert catalog_loss(queries, table, targets, rows).item() == pytest.approx(expected)
    nothing = SparseRows.empty(300, queries)
    without = slow_catalog_loss(queries, table, targets, torch.zeros_like(dense))
    assert catalog_loss(queries, table, targets, nothing).item() == pytest.approx(without)


def test_catalog_loss_has_the_gradients_of_its_formula():
    normal = draw(0)
    queries, table = normal(4, D).requires_grad_(), normal(N, D).requires_grad_()
    targets = torch.tensor([1, 5, 5, 11])
    _, rows = random_rows(torch.Generator().manual_seed(1), 4)
    assert torch.autograd.gradcheck(lambda q, t: catalog_loss(q, t, targets, rows), (queries, table))


def slow_token_loss(logits, codes, order):
    losses = []
    for b in range(len(codes)):
        for t in range(M):
            used = order[b, :t].tolist()
            for m in set(range(M)) - set(used):
                losses.append(-torch.log_softmax(logits[b, t, m], -1)[codes[b, m]])
    return torch.stack(losses).mean()


@pytest.mark.parametrize("seed", range(3))
def test_token_loss_trains_the_heads_of_all_unused_codebooks_at_every_step(seed):
    normal = draw(seed)
    logits, codes = normal(4, M, M, K), torch.randint(K, (4, M))
    order = torch.stack([torch.randperm(M) for _ in range(4)])
    torch.testing.assert_close(token_loss(logits, codes, order), slow_token_loss(logits, codes, order))


def test_a_codebook_is_unused_until_the_step_after_it_was_emitted():
    unused = unused_codebooks(torch.tensor([[2, 0, 1]]))
    assert unused[0].tolist() == [[True, True, True], [True, True, False], [False, True, False]]


def test_category_loss_averages_over_steps():
    logits = torch.log(torch.tensor([[[0.5, 0.5], [0.25, 0.75]]]))
    assert category_loss(logits, torch.tensor([1])).item() == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2)


def test_left_items_loss_is_the_share_of_the_target_among_the_allowed():
    logits = torch.log(torch.tensor([[1.0, 2.0, 5.0]]))
    allowed, target = torch.tensor([[True, True, False]]), torch.tensor([[False, True, False]])
    assert left_items_loss(logits, allowed, target).item() == pytest.approx(-math.log(2 / 3))


def slow_remaining_items_loss(queries, table, codes, targets, orders, evidence):
    total = 0.0
    for query, target, order, added in zip(queries, targets, orders, evidence, strict=True):
        for t in range(1, M):
            left = [i for i in range(1, N) if all(codes[i, m] == codes[target, m] for m in order[:t])]
            scores = torch.stack([query[t] @ table[i] + added[i] for i in left])
            total -= torch.log_softmax(scores, 0)[left.index(int(target))]
    return total / len(targets)


@pytest.mark.parametrize("seed", range(5))
def test_remaining_items_loss_equals_enumeration_of_the_items_left_after_each_code(seed):
    torch.manual_seed(seed)
    normal = draw(seed)
    codes = torch.randint(2, (N, M))  # two codes a codebook: many items stay left, some collide fully
    queries, table, targets = normal(6, M, D), normal(N, D), torch.randint(1, N, (6,))
    orders = torch.stack([torch.randperm(M) for _ in range(6)])
    catalog = CatalogTensors(codes, torch.zeros(N, dtype=torch.long))
    evidence, _ = random_rows(torch.Generator().manual_seed(seed), 6)
    fast = remaining_items_loss(queries, table, catalog, targets, orders, evidence)
    torch.testing.assert_close(fast, slow_remaining_items_loss(queries, table, codes, targets, orders, evidence))


def test_padded_rows_lists_the_columns_of_each_row():
    mask = torch.tensor([[False, True, True], [False, False, True]])
    assert padded_rows(mask).tolist() == [[1, 2], [2, 0]]


def test_prefixes_are_real_positions_drawn_without_repetition():
    real = torch.tensor([[False, True, True, True], [False, False, False, True]])
    prefixes = draw_prefixes(real, per_window=5, n_codebooks=M, generator=torch.Generator().manual_seed(0))
    places = set(zip(prefixes.rows.tolist(), prefixes.last.tolist(), strict=True))
    assert places == {(0, 1), (0, 2), (0, 3), (1, 3)}
    assert len(prefixes.rows) == 4
    assert prefixes.orders.sort(1).values.tolist() == [[0, 1, 2]] * 4
