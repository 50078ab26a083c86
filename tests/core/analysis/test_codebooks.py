"""What codes tell, counted by hand on a catalogue of eight items, and on planted codes."""

import numpy as np
import pytest
from small_run import make_run
from small_shop import small_catalog, small_ids, small_interactions

from reg4rec_core.analysis.codebooks import (
    ItemAttribute,
    agreement,
    code_flow,
    codeword_likeness,
    collision_groups,
    direction_overlap,
    item_attributes,
    read_codebooks,
    shared_information,
)
from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.types import SemanticIds


def attribute(values: list[int], size: int) -> ItemAttribute:
    return ItemAttribute("kind", tuple("abcdef"[:size]), np.array([-1, *values]), True, "", False)


def ids_of(*columns: list[int], size: int) -> SemanticIds:
    return SemanticIds(np.array([[0] * len(columns), *zip(*columns, strict=True)]), size)


@pytest.fixture(scope="module")
def attributes():
    return {a.name: a for a in item_attributes(small_catalog(), small_interactions(), behaviour_width=4)}


def test_levels_start_where_categories_differ_and_equal_ones_are_given_once(attributes):
    # Level 0 is Beauty for all, and level 2 (Lips, Eyes) is known of five items only.
    assert list(attributes) == ["category level 1", "category level 2", "finest category", "brand", "popularity"]
    assert attributes["category level 1"].labels == ("Makeup", "Hair")
    assert attributes["category level 1"].values.tolist() == [-1, 0, 0, 0, 0, 0, 1, 1, -1]
    assert attributes["category level 2"].labels == ("Makeup > Lips", "Makeup > Eyes")
    assert attributes["finest category"].n_known == 7


def test_unknown_brands_are_no_value(attributes):
    assert attributes["brand"].labels == ("Avalon", "Birch", "Corvina")
    assert attributes["brand"].values.tolist() == [-1, 0, 0, 2, -1, -1, 1, 1, -1]


def test_popularity_counts_training_purchases_only_and_equals_stay_together(attributes):
    # Training parts: 1 2 | 3 2 1 | 6 | 8.
    assert attributes["popularity"].labels == ("bought 0", "bought 1", "bought 2")
    assert attributes["popularity"].values.tolist() == [-1, 2, 2, 1, 0, 0, 1, 0, 1]
    assert attributes["popularity"].ordered


def test_each_attribute_says_whether_the_tokenizer_reads_it(attributes):
    assert [a.is_input for a in attributes.values()] == [True, True, True, True, False]
    assert "behaviour vectors" in attributes["popularity"].note
    without = item_attributes(small_catalog(), small_interactions(), behaviour_width=0)
    assert without[-1].note == "not an input"


def test_codes_that_are_the_attribute_tell_all_of_it():
    values = [0, 1, 2, 3] * 50
    result = agreement(ids_of(values, [0] * 200, size=4), attribute(values, 4), rng=np.random.default_rng(0))
    assert result.raw.tolist() == pytest.approx([1, 0])
    assert result.told.tolist() == pytest.approx([1, 0])
    assert 0 < result.chance[0] < 0.05


def test_unrelated_codes_agree_by_chance_and_that_is_taken_off():
    rng = np.random.default_rng(1)
    codes, values = rng.integers(100, size=1000).tolist(), rng.integers(50, size=1000).tolist()
    result = agreement(
        ids_of(codes, size=100),
        ItemAttribute("a", tuple(map(str, range(50))), np.array([-1, *values]), False, "", False),
        rng=np.random.default_rng(0),
    )
    assert result.raw[0] > 0.3
    assert abs(result.adjusted[0]) < 0.02
    assert abs(result.told[0]) < 0.05


def test_items_of_unknown_value_do_not_count():
    known, codes = [0, 1] * 40, [0, 1] * 40
    result = agreement(
        ids_of(codes + [0] * 500, size=2), attribute(known + [-1] * 500, 2), rng=np.random.default_rng(0)
    )
    assert result.raw[0] == pytest.approx(1)


def test_the_same_seed_gives_the_same_chance_level():
    values = [0, 1, 1, 2] * 10
    ids = ids_of(values[::-1], size=3)
    first, second = (agreement(ids, attribute(values, 3), rng=np.random.default_rng(7)) for _ in range(2))
    assert first.chance.tolist() == second.chance.tolist()


def test_copies_share_information_and_strangers_do_not():
    rng = np.random.default_rng(2)
    a, b = rng.integers(20, size=2000).tolist(), rng.integers(20, size=2000).tolist()
    swapped = [(code + 3) % 20 for code in a]
    matrix = shared_information(ids_of(a, swapped, b, size=20), rng=np.random.default_rng(0)).matrix
    assert matrix[0, 1] > 0.9
    assert abs(matrix[0, 2]) < 0.01
    assert (matrix == matrix.T).all()


def test_a_rotated_copy_of_a_codebook_lays_items_out_alike():
    rng = np.random.default_rng(3)
    codes, other = rng.integers(30, size=500).tolist(), rng.integers(30, size=500).tolist()
    words = rng.standard_normal((30, 4))
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    books = np.stack([words, words @ turn, rng.standard_normal((30, 4))]).astype(np.float32)
    matrix = codeword_likeness(books, ids_of(codes, codes, other, size=30)).matrix
    assert matrix[0, 1] == pytest.approx(1, abs=1e-5)
    assert matrix[0, 2] < 0.1


def test_codewords_that_are_all_the_same_are_like_nothing():
    matrix = codeword_likeness(np.zeros((2, 3, 2), np.float32), ids_of([0, 1, 2], [2, 1, 0], size=3)).matrix
    assert matrix.tolist() == [[1, 0], [0, 1]]


def test_directions_overlap_where_experts_read_the_same_features():
    rng = np.random.default_rng(4)
    features = np.concatenate([np.zeros((1, 6)), rng.standard_normal((400, 6))]).astype(np.float32)
    codes = list(range(400))  # a code an item, so that codewords can be what the expert made of it
    books = np.stack([features[1:, :2], features[1:, :2] @ [[1, 2], [0, 1]], features[1:, 2:4]]).astype(np.float32)
    matrix = direction_overlap(features, books, ids_of(codes, codes, codes, size=400)).matrix
    assert matrix[0, 1] == pytest.approx(1, abs=1e-6)
    assert matrix[0, 2] < 0.02


def test_items_that_share_all_codes_are_grouped_the_largest_group_first():
    ids = ids_of([0, 1, 0, 1, 0, 2], [3, 1, 3, 1, 3, 1], size=4)
    assert [group.tolist() for group in collision_groups(ids)] == [[1, 3, 5], [2, 4]]
    assert collision_groups(small_ids()) == ()


def test_code_groups_flow_to_the_values_their_items_have():
    # Code 0: a a b, so a group of a; code 1: b; code 2: b b a, a group of b; code 3 carries nothing known.
    ids = ids_of([0, 0, 0, 1, 2, 2, 2, 3], size=5)
    flow = code_flow(ids, 0, attribute([0, 0, 1, 1, 1, 1, 0, -1], 2))
    assert flow.counts.tolist() == [[2, 1], [1, 3]]
    assert flow.codes.tolist() == [1, 2]
    assert flow.purity == pytest.approx(5 / 7)


def test_a_run_is_read_whole(tmp_path):
    run = open_run(make_run(tmp_path / "run"))
    report = read_codebooks(run)
    assert report.loads.sum(1).tolist() == [20, 20, 20]
    assert [likeness.name for likeness in report.likenesses] == ["shared information", "codewords", "directions"]
    assert report.gate_means == ()
    assert report.gate_quantiles.shape == (0, 5)
    assert report.even_load == 5
    assert report.overloaded(0).tolist() == []
    assert report.dead(0).tolist() == np.flatnonzero(report.loads[0] == 0).tolist()
    assert all(a.attribute.name in ("finest category", "brand", "popularity") for a in report.agreements)


def test_gate_means_come_from_the_tokenizers_own_report(tmp_path):
    path = make_run(tmp_path / "run")
    quantiles = {str(percent): [percent / 100, 0.25, 0.25] for percent in (5, 25, 50, 75, 95)}
    write_json(path / "tokenizer_report.json", {"gate_mean": [0.5, 0.25, 0.25], "gate_quantiles": quantiles})
    report = read_codebooks(open_run(path))
    assert report.gate_means == (0.5, 0.25, 0.25)
    assert report.gate_quantiles.tolist() == [[0.05, 0.25, 0.5, 0.75, 0.95], [0.25] * 5, [0.25] * 5]


def test_an_overloaded_code_carries_more_than_three_even_shares():
    from reg4rec_core.analysis.codebooks import CodebookReport
    from reg4rec_core.tokenizer.assignment import perplexity, usage

    ids = ids_of([0] * 7 + [1], size=4)  # an even share is 2
    report = CodebookReport(ids, usage(ids), perplexity(ids), (), (), (), (), np.zeros((0, 5)))
    assert report.overloaded(0).tolist() == [0]
    assert report.dead(0).tolist() == [2, 3]
