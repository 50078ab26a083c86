"""What torchrun does, with workers that are forked: PyTorch and the package are imported once, not once a worker.

`python -m forked_workers PROCESSES PORT MODULE ARGUMENTS...` runs a module in so many workers on this machine.
"""

import sys
from runpy import run_module

from torch.distributed.launcher.api import LaunchConfig, elastic_launch

import reg4rec_core.cli
import reg4rec_core.training.post_train
import reg4rec_core.training.pretrain  # noqa: F401


def work(module: str, *arguments: str) -> None:
    """One worker: the module as a program with these arguments."""
    sys.argv = [module, *arguments]
    try:
        run_module(module, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    processes, port, *program = sys.argv[1:]
    job = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=int(processes),
        rdzv_backend="static",
        rdzv_endpoint=f"127.0.0.1:{port}",
        rdzv_configs={"rank": 0},
        max_restarts=0,
        start_method="fork",
    )
    elastic_launch(job, work)(*program)
