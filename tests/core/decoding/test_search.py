"""The fast search against a slow one, against plain beam search, and against itself in other company."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from lookup_model import LookupModel, random_histories, random_ids
from same_trace import same_bits
from slow_search import SlowSearch

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import BLOCK_USERS, ItemIndex, Truth, search, search_items
from reg4rec_core.decoding.block import exclude, open_root
from reg4rec_core.decoding.code_probabilities import BeamView, expand, read_beams
from reg4rec_core.decoding.constraints import mark_allowed
from reg4rec_core.metrics import js_divergence
from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.types import Fate, SemanticIds

KINDS = ("item_marginal", "heads", "mixture")


def assert_equals_slow_search(
    model: LookupModel, ids: SemanticIds, histories: np.ndarray, config: DecodeConfig
) -> None:
    traces = search(model, ItemIndex(ids), histories, config)
    for trace, history in zip(traces, histories, strict=True):
        slow = SlowSearch(model, ids, history, config).run()
        columns = {
            "parent": [node.parent for node in slow.nodes],
            "step": [len(node.path) for node in slow.nodes],
            "attempt": [node.attempt for node in slow.nodes],
            "fate": [int(node.fate) for node in slow.nodes],
            "codebook": [node.path[-1][0] if node.path else -1 for node in slow.nodes],
            "code": [node.path[-1][1] if node.path else -1 for node in slow.nodes],
            "items_left": [len(node.items) for node in slow.nodes],
            "items": slow.items,
            "item_nodes": slow.item_nodes,
        }
        for name, expected in columns.items():
            assert getattr(trace, name).tolist() == expected, name
        unknown = (math.nan,) * model.n_categories
        numbers = {
            "log_prob": [node.log_prob for node in slow.nodes],
            "score": [node.score for node in slow.nodes],
            "confidence": [node.confidence for node in slow.nodes],
            "js": [node.js for node in slow.nodes],
            "beliefs": [node.belief or unknown for node in slow.nodes],
            "item_scores": slow.scores,
        }
        for name, expected in numbers.items():
            # the fast search computes probabilities in float32
            np.testing.assert_allclose(getattr(trace, name), expected, rtol=1e-5, atol=2e-6, err_msg=name)


SELECTIONS = ("confidence", "fixed")
CHOICES = (SELECTIONS, (True, False), (True, False), KINDS, (0, 1, 2), (1, 2, 3), (0.0, 0.04, math.inf))
OPTIONS = [
    [choices[place] for choices, place in zip(CHOICES, places, strict=True)]
    for places in product(*(range(len(choices)) for choices in CHOICES))
    if sum(places[3:]) % 3 == 0
]
"""A third of all combinations, in which any three options still meet in every way."""


@pytest.mark.parametrize("seed", range(4))
def test_every_option_gives_the_nodes_of_the_slow_search(seed: int) -> None:
    """All of OPTIONS, spread over the seeds; beams narrower and wider than the candidates."""
    ids, model = random_ids(seed), LookupModel(seed=seed)
    histories = random_histories(seed, 3)
    for number, (selection, look_ahead, exclude_history, kind, rounds, check_from, theta) in enumerate(OPTIONS):
        if number % 4 != seed:
            continue
        config = DecodeConfig(
            beam_width=(2, 3, 5, 20)[number // 4 % 4],
            theta=theta,
            check_from=check_from,
            max_regenerations=rounds,
            look_ahead=look_ahead,
            top_k=5,
            code_probabilities=kind,
            exclude_history=exclude_history,
            selection=selection,
        )
        assert_equals_slow_search(model, ids, histories, config)


@pytest.mark.parametrize(("n_codebooks", "codebook_size"), [(5, 3), (3, 9)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_catalogue_gives_the_nodes_of_the_slow_search(kind: str, n_codebooks: int, codebook_size: int) -> None:
    """More than a block of users, more candidates than a pool holds, and several rounds of pruning at every depth."""
    sizes = {"n_items": 60, "n_codebooks": n_codebooks, "codebook_size": codebook_size}
    ids, model = random_ids(9, **sizes), LookupModel(seed=9, **sizes)
    histories = random_histories(9, 9, n_items=60)
    config = DecodeConfig(beam_width=4, theta=0.04, max_regenerations=2, code_probabilities=kind, top_k=8)
    assert_equals_slow_search(model, ids, histories, config)
    fates = np.concatenate([trace.fate for trace in search(model, ItemIndex(ids), histories, config)])
    assert {int(fate) for fate in Fate} == set(fates.tolist()), "the case must reach every fate"


def test_a_fixed_order_takes_the_codebooks_one_after_the_other() -> None:
    ids, model = random_ids(5), LookupModel(seed=5)
    orders = {
        selection: {
            tuple(trace.codebook[trace.path(int(node))[1:]].tolist())
            for trace in search(
                model, ItemIndex(ids), random_histories(5, 6), DecodeConfig(selection=selection, theta=math.inf)
            )
            for node in trace.item_nodes
        }
        for selection in SELECTIONS
    }
    assert orders["fixed"] == {(0, 1, 2)}
    assert len(orders["confidence"]) > 2


@pytest.mark.parametrize("thetas", [(0.02,), (math.inf, 0.01), (0.0, 0.05, math.inf), (0.05, 0.0, 0.03, 0.01)])
def test_every_step_has_its_own_theta(thetas: tuple[float, ...]) -> None:
    sizes = {"n_items": 60, "n_codebooks": 5, "codebook_size": 3}
    ids, model = random_ids(9, **sizes), LookupModel(seed=9, **sizes)
    histories, config = random_histories(9, 7, n_items=60), DecodeConfig(beam_width=4, theta=0.3, check_from=1)
    assert_equals_slow_search(model, ids, histories, replace(config, thetas=thetas))
    for trace in search(model, ItemIndex(ids), histories, replace(config, thetas=thetas)):
        for step in range(1, 5):
            limit = thetas[min(step, len(thetas)) - 1]
            assert (trace.js[(trace.step == step) & (trace.fate == Fate.KEPT)] <= limit).all()
            assert (trace.js[(trace.step == step) & (trace.fate == Fate.PRUNED)] > limit).all()
    alike = (search(model, ItemIndex(ids), histories, replace(config, theta=0.02)), (0.02, 0.02))
    for left, right in zip(
        alike[0], search(model, ItemIndex(ids), histories, replace(config, thetas=alike[1])), strict=True
    ):
        assert same_bits(left, right)


def plain_beam_search(
    model: LookupModel, index: ItemIndex, history: np.ndarray, config: DecodeConfig
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Codes and log-probabilities of the beam after every step: expand, keep the best W, and nothing else."""
    histories = torch.from_numpy(history)[None]
    excluded = exclude(histories, None, config, index.n_items)
    root, _ = open_root(model, index, histories, excluded, config)
    state, view, log_prob, levels = root.state, root.view, root.log_prob, []
    for step in range(1, index.n_codebooks + 1):
        expansion = expand(view, config.code_probabilities)
        gain = expansion.completion if config.look_ahead else expansion.log_prob
        keys = (log_prob[..., None] + gain).flatten(1)
        best = keys.topk(min(config.beam_width, int((keys > -torch.inf).sum()))).indices
        parent, code = best // index.codebook_size, best % index.codebook_size
        codebook = expansion.codebook.gather(1, parent)
        log_prob = log_prob.gather(1, parent) + expansion.log_prob.flatten(1).gather(1, best).double()
        levels.append((torch.stack([codebook, code])[:, 0].numpy(), log_prob[0].numpy()))
        if step < index.n_codebooks:
            state = model.step(state, parent, codebook, code)
            items = view.candidates.items[0][parent[0]][None]
            candidates = mark_allowed(index.narrow(items, codebook, code, index.set_sizes[step]), excluded)
            used = view.used[0][parent[0]][None].scatter(2, codebook[..., None], True)
            view = BeamView(
                index, candidates, read_beams(model, state, candidates.items, config.code_probabilities), used
            )
    return levels


@pytest.mark.parametrize(("kind", "look_ahead"), list(product(KINDS, (True, False))))
def test_theta_infinity_is_plain_beam_search_bit_for_bit(kind: str, look_ahead: bool) -> None:
    ids, model = random_ids(5), LookupModel(seed=5)
    index, histories = ItemIndex(ids), random_histories(5, 4)
    config = DecodeConfig(beam_width=4, theta=math.inf, look_ahead=look_ahead, code_probabilities=kind)
    for history, trace in zip(histories, search(model, index, histories, config), strict=True):
        for step, (codes, log_prob) in enumerate(plain_beam_search(model, index, history, config), start=1):
            rows = (trace.step == step) & (trace.fate == Fate.KEPT)
            assert np.array_equal(np.stack([trace.codebook[rows], trace.code[rows]]), codes)
            assert np.array_equal(trace.log_prob[rows], log_prob)
    beyond = replace(config, theta=math.log(2) + 1e-9)  # no divergence is larger
    for left, right in zip(
        search(model, index, histories, config), search(model, index, histories, beyond), strict=True
    ):
        assert same_bits(left, right)


def network(n_items: int = 300, n_codebooks: int = 4, codebook_size: int = 12) -> tuple[SemanticIds, Reasoner]:
    """The real network at its real widths, untrained."""
    ids = random_ids(1, n_items=n_items, n_codebooks=n_codebooks, codebook_size=codebook_size)
    torch.manual_seed(0)
    net = EncoderDecoder(
        torch.from_numpy(ids.codes), codebook_size=codebook_size, n_categories=11, history_length=20,
        width=128, hidden=640, encoder_layers=1, decoder_layers=2, n_heads=4,
    )  # fmt: skip
    for parameter in net.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.1)
    return ids, Reasoner(net)


@pytest.mark.parametrize(("beam_width", "kind"), [(3, "item_marginal"), (20, "item_marginal"), (20, "mixture")])
def test_a_trace_is_the_same_alone_and_anywhere_in_a_batch(beam_width: int, kind: str) -> None:
    ids, model = network()
    index, histories = ItemIndex(ids), random_histories(3, 2 * BLOCK_USERS + 3, n_items=300, length=20)
    config = DecodeConfig(beam_width=beam_width, theta=0.02, check_from=1, code_probabilities=kind)
    together = search(model, index, histories, config)
    assert {int(fate) for fate in Fate} == {fate for trace in together for fate in trace.fate.tolist()}
    order = np.random.default_rng(0).permutation(len(histories))
    for place, trace in zip(order, search(model, index, histories[order], config), strict=True):
        assert same_bits(trace, together[place])
    for history, trace in zip(histories[:5], together[:5], strict=True):
        assert same_bits(trace, search(model, index, history[None], config)[0])


@pytest.mark.parametrize("seed", range(5))
def test_a_model_that_never_revises_loses_no_item_to_the_beam(seed: int) -> None:
    """Look-ahead with item-marginal codes keeps exactly the W best items of the first state."""
    sizes = {"n_items": 80, "n_codebooks": 4}
    ids, model = random_ids(seed, **sizes), LookupModel(seed=seed, revises=False, **sizes)
    histories = random_histories(seed, 4, n_items=80)
    config = DecodeConfig(beam_width=6, theta=math.inf, top_k=6)
    for trace, history in zip(search(model, ItemIndex(ids), histories, config), histories, strict=True):
        real = tuple(int(item) for item in history if item)
        logits = model.look_up(real, ()).item_logits.clone()
        logits[list(real)] = -torch.inf
        assert trace.items.tolist() == logits.topk(6).indices.tolist()
        np.testing.assert_allclose(trace.item_scores, trace.item_first_state, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_paths_to_all_items_carry_probability_one(kind: str) -> None:
    ids, model = random_ids(2), LookupModel(seed=2)
    config = DecodeConfig(beam_width=13, theta=math.inf, top_k=13, code_probabilities=kind)
    for trace, history in zip(
        search(model, ItemIndex(ids), random_histories(2, 4), config), random_histories(2, 4), strict=True
    ):
        assert sorted(trace.items) == sorted(set(range(1, 13)) - set(history))
        assert np.exp(trace.item_scores).sum() == pytest.approx(1)


def test_the_json_contract_of_a_trace_holds() -> None:
    """js is that of the beliefs shown, only survivors have children, and nothing kept was inconsistent."""
    ids, model = network()
    histories = random_histories(4, 6, n_items=300, length=20)
    config = DecodeConfig(beam_width=5, theta=0.03)
    for trace in search(model, ItemIndex(ids), histories, config):
        parent = trace.parent[1:]
        recomputed = js_divergence(torch.from_numpy(trace.beliefs[parent]), torch.from_numpy(trace.beliefs[1:])).numpy()
        np.testing.assert_allclose(trace.js[1:], recomputed, atol=1e-12)
        believed = ~np.isnan(trace.beliefs[:, 0])
        assert np.array_equal(~np.isnan(trace.js[1:]), believed[1:])
        assert np.array_equal(believed, (trace.fate != Fate.BEAM_CUT) & (trace.step < ids.n_codebooks))
        checked = (trace.step >= config.check_from) & (trace.step < ids.n_codebooks)
        assert (trace.js[checked & (trace.fate == Fate.KEPT)] <= config.theta).all()
        assert (trace.js[trace.fate == Fate.FALLBACK] > config.theta).all()
        assert (trace.js[trace.fate == Fate.PRUNED] > config.theta).all()
        assert np.isin(trace.fate[parent], [Fate.KEPT, Fate.FALLBACK]).all()
        assert (trace.log_prob[1:] <= trace.log_prob[parent]).all()
        assert (np.diff(trace.item_scores) <= 0).all()
        assert (trace.step[trace.item_nodes] == ids.n_codebooks).all()
        for item, node in zip(trace.items, trace.item_nodes, strict=True):
            codes = {int(trace.codebook[row]): int(trace.code[row]) for row in trace.path(int(node))[1:]}
            assert [codes[m] for m in range(ids.n_codebooks)] == ids.codes[item].tolist()
        survivors = (trace.fate == Fate.KEPT) | (trace.fate == Fate.FALLBACK)
        assert np.bincount(trace.step[survivors]).tolist() == [1, 5, 5, 5, 5], "the beam never shrinks"


def test_search_items_counts_what_the_traces_show() -> None:
    ids, model = network()
    index, histories = ItemIndex(ids), random_histories(6, 11, n_items=300, length=20)
    config = DecodeConfig(beam_width=4, theta=0.02, top_k=6)
    traces, summary = search(model, index, histories, config), search_items(model, index, histories, config)
    for user, trace in enumerate(traces):
        found = len(trace.items)
        assert summary.items[user, :found].tolist() == trace.items.tolist()
        assert np.array_equal(summary.scores[user, :found], trace.item_scores)
        assert not summary.items[user, found:].any()
        assert np.isneginf(summary.scores[user, found:]).all()
        for step in range(1, ids.n_codebooks + 1):
            at = trace.step == step
            assert summary.kept[user, step - 1] == (at & (trace.fate == Fate.KEPT)).sum()
            assert summary.pruned[user, step - 1] == (at & (trace.fate == Fate.PRUNED)).sum()
            assert summary.fallback[user, step - 1] == (at & (trace.fate == Fate.FALLBACK)).sum()
            assert summary.regenerated[user, step - 1] == (at & (trace.attempt > 0)).sum()
            held = at & ((trace.fate == Fate.KEPT) | (trace.fate == Fate.FALLBACK))
            assert np.array_equal(np.sort(summary.js[user, step - 1]), np.sort(trace.js[held]), equal_nan=True)
            if step < ids.n_codebooks:
                best = np.flatnonzero(held)[0]
                assert summary.categories[user, step] == trace.beliefs[best].argmax()
                assert summary.confidences[user, step] == trace.beliefs[best].max()
        assert summary.categories[user, 0] == trace.beliefs[0].argmax()


def slow_target_counts(
    slow: SlowSearch, config: DecodeConfig, target: int, categories: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`target_in_beam`, `prunes_by` and `tried_by` of one history, counted node by node of the slow search."""
    n_steps = slow.model.n_codebooks
    in_beam, prunes, tried = (np.zeros((n_steps, *[2] * dims), int) for dims in (0, 2, 3))
    nodes = slow.run().nodes
    for node in nodes[1:]:
        holds, step = target in set(node.items) - slow.barred, len(node.path) - 1
        in_beam[step] += holds and node.fate in (Fate.KEPT, Fate.FALLBACK)
        if node.fate == Fate.PRUNED:
            believed = max(range(slow.model.n_categories), key=lambda c: node.belief[c])
            prunes[step, int(holds), int(believed == categories[target])] += 1
        if node.fate != Fate.BEAM_CUT and step < n_steps - 1:
            before = nodes[node.parent].belief
            right = categories[target] == max(range(slow.model.n_categories), key=lambda c: before[c])
            tried[step, int(right), int(holds), int(node.fate == Fate.PRUNED)] += 1
    return in_beam, prunes, tried


@pytest.mark.parametrize("theta", [0.0, 0.02, 0.05])
def test_wrong_prunes_are_those_whose_items_left_held_the_target(theta: float) -> None:
    sizes = {"n_items": 60, "n_codebooks": 4, "codebook_size": 4}
    total, tried_of_all = np.zeros((4, 2, 2), int), np.zeros((2, 2, 2), int)
    for seed in range(3):
        ids, model = random_ids(seed, **sizes), LookupModel(seed=seed, **sizes)
        histories, categories = random_histories(seed, 14, n_items=60), np.arange(60) % model.n_categories
        targets = np.random.default_rng(seed).integers(1, 60, 14)
        targets[1] = histories[1, -1]  # what may not be recommended cannot be lost
        config = DecodeConfig(beam_width=5, theta=theta, max_regenerations=1, check_from=1)
        found = search_items(model, ItemIndex(ids), histories, config, truth=Truth(targets, categories))
        for user, history in enumerate(histories):
            slow = SlowSearch(model, ids, history, config)
            in_beam, prunes, tried = slow_target_counts(slow, config, targets[user], categories)
            assert np.array_equal(found.target_in_beam[user], in_beam)
            assert np.array_equal(found.prunes_by[user], prunes)
            assert np.array_equal(found.tried_by[user], tried)
        assert np.array_equal(found.prunes_by.sum((2, 3)), found.pruned)
        assert found.prunes_by[1, :, 1].sum() == 0
        assert (found.prunes_by[:, :, 1].sum((1, 2)) <= 1).all(), "an item has one path, so it is lost once"
        untold = search_items(model, ItemIndex(ids), histories, config)
        assert not untold.prunes_by.any()
        assert not untold.tried_by.any()
        total += found.prunes_by.sum(0)
        tried_of_all += found.tried_by.sum((0, 1))
    assert total[:, 1].sum() > 0, "the case must have wrong prunes"
    assert total[:, :, 1].sum() > 0, "the case must prune where the head is right"
    assert (tried_of_all[..., 1] > 0).all(), "the case must prune rightly and wrongly after right and wrong beliefs"


def test_the_first_state_ranking_is_that_of_the_code_probabilities() -> None:
    ids, model = random_ids(3), LookupModel(seed=3)
    history = random_histories(3, 2)[1:]
    items = search_items(model, ItemIndex(ids), history, DecodeConfig(top_k=4)).first_state_items[0]
    real = tuple(int(item) for item in history[0] if item)
    logits = model.look_up(real, ()).item_logits.clone()
    logits[list(real)] = -torch.inf
    assert items.tolist() == logits.topk(4).indices.tolist()
    by_heads = search_items(model, ItemIndex(ids), history, DecodeConfig(top_k=4, code_probabilities="heads"))
    sums = model.look_up(real, ()).head_log_probs[torch.arange(3), torch.from_numpy(ids.codes)].sum(1)
    sums[[0, *real]] = -torch.inf
    assert by_heads.first_state_items[0].tolist() == sums.topk(4).indices.tolist()


def test_seen_items_replace_the_history_as_what_is_left_out() -> None:
    ids, model = random_ids(4), LookupModel(seed=4)
    config = DecodeConfig(beam_width=13, theta=math.inf, top_k=13)
    histories = random_histories(4, 2)
    first, second = search(model, ItemIndex(ids), histories, config, seen=[np.array([3, 5]), np.array([], np.int64)])
    assert sorted(first.items) == sorted(set(range(1, 13)) - {3, 5})
    assert sorted(second.items) == list(range(1, 13))


def test_a_user_who_has_seen_everything_gets_an_empty_list() -> None:
    ids, model = random_ids(4), LookupModel(seed=4)
    trace = search(model, ItemIndex(ids), random_histories(4, 1), DecodeConfig(), seen=[np.arange(1, 13)])[0]
    assert trace.items.tolist() == []
    assert trace.n_nodes == 1


def test_neighbours_fill_a_short_list_below_every_path() -> None:
    ids, model = random_ids(4), LookupModel(seed=4)
    histories = random_histories(4, 3)
    asked = []

    def neighbours(item: int, count: int) -> np.ndarray:
        asked.append(item)
        return np.array([other for other in range(12, 0, -1) if other != item][:count])

    config = DecodeConfig(beam_width=2, theta=math.inf, top_k=7)
    for trace, history in zip(
        search(model, ItemIndex(ids), histories, config, neighbours=neighbours), histories, strict=True
    ):
        from_path = trace.item_nodes >= 0
        assert 0 < from_path.sum() < 7 == len(trace.items)
        expected = [i for i in range(12, 0, -1) if i not in set(history) | set(trace.items[from_path])]
        assert trace.items[~from_path].tolist() == expected[: (~from_path).sum()]
        assert asked.pop(0) == trace.items[0]
        lowest = trace.item_scores[from_path][-1]
        assert trace.item_scores[~from_path].tolist() == [lowest - 1 - rank for rank in range((~from_path).sum())]


def test_regeneration_asks_the_network_about_few_columns_at_a_time() -> None:
    ids, model = random_ids(8), LookupModel(seed=8)
    search(model, ItemIndex(ids), random_histories(8, 3), DecodeConfig(beam_width=8, theta=math.inf))
    assert model.calls == [8, 8]
    model.calls.clear()
    search(model, ItemIndex(ids), random_histories(8, 3), DecodeConfig(beam_width=8, theta=0.0))
    assert set(model.calls) == {8, 4}


def test_model_and_catalogue_must_fit() -> None:
    with pytest.raises(ValueError, match="same n_items, got 14 and 13"):
        search(LookupModel(n_items=14), ItemIndex(random_ids(0)), random_histories(0, 1), DecodeConfig())
    with pytest.raises(ValueError, match="one entry per history"):
        search(LookupModel(), ItemIndex(random_ids(0)), random_histories(0, 2), DecodeConfig(), seen=[np.arange(2)])
