"""Scores of given paths against plain arithmetic, against searches, and against other batches."""

import math

import numpy as np
import pytest
import torch
from lookup_model import LookupModel, random_histories, random_ids

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex, ItemPaths, path_scores, paths_of, search
from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.types import SemanticIds

KINDS = ["item_marginal", "heads", "mixture"]
SIZES = {"n_items": 40, "n_codebooks": 4, "codebook_size": 3}


def slow_log_prob(
    model: LookupModel, ids: SemanticIds, history, codebooks, codes, barred: set[int], kind: str
) -> float:
    """The path's log-probability under a history, one code at a time in float64."""
    seen = tuple(int(item) for item in history if item)
    items, path, total = [item for item in range(1, ids.n_items) if item not in barred], (), 0.0
    for codebook, code in zip(codebooks.tolist(), codes.tolist(), strict=True):
        answers = model.look_up(seen, path)
        carried = {item: int(ids.codes[item, codebook]) for item in items}
        weight = {item: math.exp(answers.item_logits[item].item()) for item in items}
        by_item = sum(weight[item] for item in items if carried[item] == code) / sum(weight.values())
        heads = answers.head_log_probs[codebook].double().exp().tolist()
        by_heads = heads[code] / sum(heads[k] for k in set(carried.values()))
        if len(set(carried.values())) == 1:
            by_item = by_heads = 1.0
        total += math.log({"item_marginal": by_item, "heads": by_heads, "mixture": (by_item + by_heads) / 2}[kind])
        items, path = [item for item in items if carried[item] == code], (*path, (codebook, code))
    return total


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_path_has_the_same_probability_under_any_history_as_plain_arithmetic_gives(kind: str, seed: int) -> None:
    ids, model = random_ids(seed, **SIZES), LookupModel(seed=seed, **SIZES)
    index, histories = ItemIndex(ids), random_histories(seed, 7, n_items=40)
    config = DecodeConfig(beam_width=6, code_probabilities=kind, theta=0.2)
    seen = histories[1][histories[1] > 0]
    paths = paths_of(search(model, index, histories[1:2], config)[0])
    found = path_scores(model, index, histories, paths, config, seen=seen)
    rows, barred = list(zip(paths.codebooks, paths.codes, strict=True)), set(seen.tolist())
    expected = [[slow_log_prob(model, ids, history, *path, barred, kind) for path in rows] for history in histories]
    assert found.log_probs.shape == (7, len(paths.items))
    np.testing.assert_allclose(found.log_probs, expected, rtol=1e-5, atol=1e-5)  # float32 sums


@pytest.mark.parametrize("kind", KINDS)
def test_under_its_own_history_a_path_has_the_log_probability_of_its_leaf(kind: str) -> None:
    ids, model = random_ids(2, **SIZES), LookupModel(seed=2, **SIZES)
    history = random_histories(2, 3, n_items=40)[2]
    config = DecodeConfig(beam_width=8, code_probabilities=kind)
    trace = search(model, ItemIndex(ids), history[None], config)[0]
    found = path_scores(model, ItemIndex(ids), history[None], paths_of(trace), config, seen=history[history > 0])
    np.testing.assert_allclose(found.log_probs[0], trace.log_prob[trace.item_nodes], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.first_states[0], trace.item_first_state, rtol=1e-5)


def test_paths_that_begin_with_different_codebooks_are_scored_together() -> None:
    ids, model = random_ids(3, **SIZES), LookupModel(seed=3, **SIZES)
    history, config = random_histories(3, 2, n_items=40)[1], DecodeConfig()
    orders = np.array([[0, 1, 2, 3], [3, 1, 0, 2], [3, 2, 1, 0]])
    paths = ItemPaths(np.array([5, 6, 5]), orders, np.take_along_axis(ids.codes[[5, 6, 5]], orders, 1))
    found = path_scores(model, ItemIndex(ids), history[None], paths, config, seen=np.zeros(0, np.int64))
    rows, kind = zip(orders, paths.codes, strict=True), "item_marginal"
    expected = [slow_log_prob(model, ids, history, *path, set(), kind) for path in rows]
    np.testing.assert_allclose(found.log_probs[0], expected, rtol=1e-5, atol=1e-5)


def test_nothing_to_score_is_no_error() -> None:
    ids, model = random_ids(4), LookupModel(seed=4)
    none = ItemPaths(np.zeros(0, np.int64), np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64))
    found = path_scores(model, ItemIndex(ids), random_histories(4, 3), none, DecodeConfig(), seen=np.array([1]))
    assert found.log_probs.shape == found.first_states.shape == (3, 0)


def test_scores_are_the_same_bit_for_bit_alone_and_in_any_batch_of_histories() -> None:
    torch.manual_seed(0)
    codes = torch.randint(12, (400, 4))
    codes[0] = 0
    network = EncoderDecoder(
        codes, codebook_size=12, n_categories=7, history_length=6, width=128, hidden=640, encoder_layers=1,
        decoder_layers=2, n_heads=4,
    )  # fmt: skip
    model, index = Reasoner(network), ItemIndex(SemanticIds(codes.numpy(), 12))
    rng = np.random.default_rng(0)
    histories, config = rng.integers(1, 400, (17, 6)), DecodeConfig()
    histories[3, :4] = 0
    paths = paths_of(search(model, index, histories[:1], config)[0])
    together = path_scores(model, index, histories, paths, config, seen=histories[0])
    order = rng.permutation(17)
    shuffled = path_scores(model, index, histories[order], paths, config, seen=histories[0])
    np.testing.assert_array_equal(shuffled.log_probs, together.log_probs[order])
    for user in (0, 3, 16):
        alone = path_scores(model, index, histories[user : user + 1], paths, config, seen=histories[0])
        np.testing.assert_array_equal(alone.log_probs[0], together.log_probs[user])
        np.testing.assert_array_equal(alone.first_states[0], together.first_states[user])
