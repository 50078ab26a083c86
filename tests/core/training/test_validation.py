import math

import pytest
import torch
from small_run import SMALL, make_run

from reg4rec_core.config import PretrainConfig
from reg4rec_core.model import Reasoner
from reg4rec_core.training.parallel import ALONE
from reg4rec_core.training.pretrain import open_task
from reg4rec_core.training.validation import VALIDATION_ROWS, item_losses


def test_the_item_losses_are_those_of_a_search_that_follows_the_target(tmp_path):
    task = open_task(make_run(tmp_path / "run"), SMALL, PretrainConfig(), ALONE)
    network, validation = task.network, task.validation
    torch.nn.init.normal_(network.revision.weight, std=0.3)
    told = item_losses(network, validation, task.catalog, ALONE)

    users, codebooks = len(validation.targets), network.n_codebooks
    assert users <= VALIDATION_ROWS
    orders = torch.rand(users, codebooks, generator=torch.Generator().manual_seed(0)).argsort(1)
    reasoner, codes, total = Reasoner(network), task.catalog.codes, 0.0
    for history, target, order in zip(validation.histories, validation.targets, orders, strict=True):
        state = reasoner.encode(history[None])
        left = torch.arange(1, network.n_items)
        for step, codebook in enumerate(order):
            logits = reasoner.catalog_logits(state)[0, 0]
            total += float(torch.logsumexp(logits[left], 0) - logits[target])
            left = left[codes[left, codebook] == codes[target, codebook]]
            if step + 1 < codebooks:
                taken = codebook.view(1, 1), codes[target, codebook].view(1, 1)
                state = reasoner.step(state, torch.zeros(1, 1, dtype=torch.long), *taken)
    assert told == pytest.approx(total / users, rel=1e-5)
    assert math.isfinite(told)
