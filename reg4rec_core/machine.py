"""What the machine could do at best, the rate of every benchmark's floor, and what a stage takes of it."""

import resource
import sys
from time import perf_counter, process_time

import torch

REPEATS = 20
STEPS = 300_000


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


def interpreter_rate() -> float:
    """Million steps of an empty Python loop a second: how fast the machine is at the moment.

    A hired machine's threads share their core with strangers, so that times of two hours compare only at equal rates.
    """
    begin = perf_counter()
    for _ in range(STEPS):
        pass
    return STEPS / (perf_counter() - begin) / 1e6


class Meter:
    """What a stage takes from the moment this is made, added to what it took before it was stopped."""

    def __init__(self, *, seconds: float = 0.0, cpu_seconds: float = 0.0) -> None:
        self.wall, self.cpu = perf_counter() - seconds, process_time() - cpu_seconds

    def read(self) -> dict[str, float]:
        """Wall-clock seconds, this process's processor seconds over all threads, and its peak memory in megabytes.

        The memory is the most that was ever resident since the process began: a stage started by itself has it alone.
        """
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # units of 1,024 bytes; bytes on macOS
        return {
            "seconds": perf_counter() - self.wall,
            "cpu_seconds": process_time() - self.cpu,
            "peak_memory_mb": peak * (1 if sys.platform == "darwin" else 1024) / 1e6,
        }
