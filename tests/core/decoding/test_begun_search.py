"""A search that is begun once and finished under many thresholds is each time the search by itself."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from lookup_model import LookupModel, random_histories, random_ids
from same_trace import same_bits

import reg4rec_core.decoding.block as block
from reg4rec_core.analysis.attribution import Question
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.types import InputError

CODEBOOKS = 4
THRESHOLDS = [(0.0, ()), (0.02, ()), (0.1, ()), (math.inf, ()), (0.05, (0.5, 0.01, 0.03))]


def question(check_from: int, branch: tuple[tuple[int, int], ...] = ()) -> Question:
    ids = random_ids(5, n_items=40, n_codebooks=CODEBOOKS)
    model = LookupModel(seed=5, n_items=40, n_codebooks=CODEBOOKS)
    history = random_histories(5, 1, n_items=40)[0]
    config = DecodeConfig(beam_width=3, top_k=5, theta=0.3, check_from=check_from)
    return Question(
        model, ItemIndex(ids), history, history[history > 0], config, lambda item, count: ids.codes[:0, 0], branch
    )


@pytest.mark.parametrize("check_from", [1, 2, CODEBOOKS, CODEBOOKS + 3])
@pytest.mark.parametrize("given", [0, 1, 2])
def test_every_threshold_gives_the_search_by_itself(check_from: int, given: int) -> None:
    whole = question(check_from).trace()
    leaf = whole.path(int(whole.item_nodes[0]))[1:]
    branch = tuple((int(whole.codebook[row]), int(whole.code[row])) for row in leaf[:given])
    begun = question(check_from, branch).begin()
    for theta, thetas in THRESHOLDS:
        asked = question(check_from, branch)
        alone = replace(asked, config=replace(asked.config, theta=theta, thetas=thetas)).trace()
        found = begun.trace(theta, thetas)
        assert same_bits(found, alone)
        assert (found.theta, found.thetas, found.check_from) == (alone.theta, alone.thetas, alone.check_from)


def test_only_the_steps_that_are_compared_are_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, steps = question(3).begin(), Counter()
    judge = block.judge

    def counted(*arguments, **named):
        steps[arguments[5]] += 1
        return judge(*arguments, **named)

    monkeypatch.setattr(block, "judge", counted)
    for theta in (0.01, 0.2):
        begun.trace(theta)
    assert steps == {3: 2}  # the fourth code is the last: nothing is judged there


def test_a_threshold_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="theta"):
        question(2).begin().trace(-0.1)
