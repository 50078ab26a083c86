"""CORP on pools made by hand."""

from math import inf

import numpy as np
import pytest
import torch
from torch import Tensor

from reg4rec_core.decoding.code_probabilities import Readings
from reg4rec_core.decoding.constraints import Candidates
from reg4rec_core.decoding.pruning import UNSEEN, Evaluated, Verdicts, prune_and_regenerate
from reg4rec_core.metrics import js_divergence
from reg4rec_core.types import Fate

K, P, C, F, U = Fate.KEPT, Fate.PRUNED, Fate.BEAM_CUT, Fate.FALLBACK, UNSEEN


def belief_at(js: float) -> list[float]:
    """A belief over two classes whose divergence from (1/2, 1/2) is `js`."""
    low, high = 0.5, 1.0
    even = torch.tensor([0.5, 0.5], dtype=torch.float64)
    for _ in range(80):
        middle = (low + high) / 2
        if js_divergence(torch.tensor([middle, 1 - middle], dtype=torch.float64), even) < js:
            low = middle
        else:
            high = middle
    return [low, 1 - low]


class Pool:
    """Two histories with the same candidates; `js` are the divergences that their beliefs will show."""

    def __init__(self, js: list[float], n_valid: int | None = None) -> None:
        n_valid = len(js) if n_valid is None else n_valid
        self.beliefs = torch.tensor([[belief_at(value) for value in js]] * 2, dtype=torch.float64)
        self.valid = (torch.arange(len(js)) < n_valid).expand(2, -1)
        self.log_prob = -torch.arange(len(js), dtype=torch.float64).expand(2, -1)
        self.asked: list[int] = []

    def evaluate(self, picks: Tensor) -> Evaluated:
        self.asked.append(picks.shape[1])
        items = picks[..., None] + 1
        beliefs = self.beliefs.gather(1, picks[..., None].expand(-1, -1, 2))
        readings = Readings(torch.zeros(items.shape), torch.zeros(*picks.shape, 0, 0))
        return Evaluated(None, Candidates(items, items > 0), readings, beliefs)

    def run(self, *, width: int, theta: float, rounds: int) -> Verdicts:
        even = torch.full((2, 1, 2), 0.5, dtype=torch.float64)
        return prune_and_regenerate(
            self.valid,
            self.log_prob,
            torch.zeros(self.valid.shape, dtype=torch.int64),
            even,
            self.evaluate,
            beam_width=width,
            theta=theta,
            max_regenerations=rounds,
        )


def test_the_best_untried_candidates_take_the_places_of_pruned_ones_for_some_rounds() -> None:
    pool = Pool([0.01, 0.3, 0.2, 0.02, 0.4, 0.01, 0.01, 0.01, 0.01])
    verdicts = pool.run(width=3, theta=0.1, rounds=2)
    # 1 and 2 fail; round 1 tries 3 and 4, 4 fails; round 2 tries 5
    assert verdicts.fate[0].tolist() == [K, P, P, K, P, K, C, C, C]
    assert verdicts.attempt[0].tolist() == [0, 0, 0, 1, 1, 2, 0, 0, 0]
    assert verdicts.beam[0].tolist() == [0, 3, 5]
    assert verdicts.beam[1].tolist() == [0, 3, 5]


def test_after_the_last_round_the_least_inconsistent_come_back() -> None:
    verdicts = Pool([0.3, 0.5, 0.2, 0.4, 0.01, 0.01]).run(width=2, theta=0.1, rounds=1)
    assert verdicts.fate[0].tolist() == [F, P, F, P, C, C]
    assert verdicts.beam[0].tolist() == [2, 0]


def test_equally_inconsistent_candidates_come_back_by_log_probability() -> None:
    verdicts = Pool([0.3, 0.3, 0.3, 0.01]).run(width=2, theta=0.1, rounds=0)
    assert verdicts.fate[0].tolist() == [F, F, C, C]
    assert verdicts.beam[0].tolist() == [0, 1]


def test_the_beam_keeps_its_width_when_candidates_run_out() -> None:
    verdicts = Pool([0.3, 0.2, 0.4, 0.0, 0.0, 0.0], n_valid=3).run(width=2, theta=0.1, rounds=2)
    assert verdicts.fate[0].tolist() == [F, F, P, U, U, U]
    assert verdicts.beam[0].tolist() == [1, 0]


def test_fewer_candidates_than_places_leave_places_empty() -> None:
    verdicts = Pool([0.3, 0.01, 0.0, 0.0, 0.0, 0.0], n_valid=2).run(width=4, theta=0.1, rounds=1)
    assert verdicts.fate[0].tolist() == [F, K, U, U, U, U]
    assert sorted(verdicts.beam[0].tolist()) == [-1, -1, 0, 1]


def test_theta_is_compared_strictly() -> None:
    pool = Pool([0.2, 0.01, 0.01])
    at = float(pool.run(width=1, theta=inf, rounds=0).js[0, 0])
    assert pool.run(width=1, theta=at, rounds=1).fate[0].tolist() == [K, C, U]
    assert pool.run(width=1, theta=np.nextafter(at, 0), rounds=1).fate[0].tolist() == [P, K, C]


def test_the_network_is_asked_again_only_when_a_place_is_empty() -> None:
    pool = Pool([0.01, 0.01, 0.3, 0.3, 0.3, 0.01])
    pool.run(width=2, theta=0.1, rounds=2)
    assert pool.asked == [2]
    pool.run(width=3, theta=0.1, rounds=2)
    assert pool.asked == [2, 3, 4, 4]


@pytest.mark.parametrize("theta", [0.1, inf])
def test_columns_lead_to_the_beliefs_of_their_entries(theta: float) -> None:
    pool = Pool([0.01, 0.3, 0.2, 0.02, 0.4, 0.01, 0.01, 0.01, 0.01])
    verdicts = pool.run(width=3, theta=theta, rounds=2)
    beliefs = torch.cat([part.beliefs for part in verdicts.evaluated], 1)
    for entry in range(9):
        column = int(verdicts.column[0, entry])
        assert (column >= 0) == (verdicts.fate[0, entry] not in (C, U))
        assert column < 0 or torch.equal(beliefs[0, column], pool.beliefs[0, entry])
