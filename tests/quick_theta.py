"""Pre-training that spends little on its last act, the choice of theta: that has tests of its own.

Run as a module, it is the command line with just this changed: for processes that a test starts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def theta_chosen_quickly() -> Iterator[None]:
    """Search one block of validation users under one theta, the paper's, beside none at all: 2 searches for 19."""
    from reg4rec_core.decoding import BLOCK_USERS
    from reg4rec_core.evaluation import theta_choice
    from reg4rec_core.training import pretrain

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrain, "THETA_USERS", BLOCK_USERS)
        patch.setattr(theta_choice, "THETAS", (0.06,))
        patch.setattr(theta_choice, "CHECKS_FROM", (2,))
        yield


if __name__ == "__main__":
    from reg4rec_core.cli import main

    with theta_chosen_quickly():
        main()
