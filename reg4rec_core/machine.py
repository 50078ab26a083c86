"""What the machine could do at best: the rate that every benchmark's floor is measured with."""

from time import perf_counter

import torch

REPEATS = 20


def matmul_rate(rows: int, *, inner: int = 128, outer: int = 640) -> float:
    """Operations a second of float32 products (rows x inner) (inner x outer) on the threads now set.

    The widths are those of the network's largest product. One burst of products: call it several times between what is
    measured and take the best, which makes the floor the strictest.
    """
    left, right = torch.randn(rows, inner), torch.randn(inner, outer)
    begin = perf_counter()
    for _ in range(REPEATS):
        torch.mm(left, right)
    return REPEATS * 2 * rows * inner * outer / (perf_counter() - begin)
