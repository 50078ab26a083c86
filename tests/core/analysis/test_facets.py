import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from reg4rec_core.analysis.facets import (
    code_card,
    items_left,
    items_left_of_nodes,
    items_with_code,
    read_facets,
    title_words,
)
from reg4rec_core.types import InputError, SemanticIds


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def test_a_title_is_read_without_measures_and_small_words():
    assert title_words("The L'Oreal Mascara for Eyes, 0.5 Fluid Ounce (Pack of 2)") == ["l'oreal", "mascara", "eyes"]


def test_a_code_lists_what_its_items_share_more_than_the_catalogue_does(facets):
    card = code_card(facets, 0, 0)
    assert card.load == 3
    assert [(word.name, word.count) for word in card.words] == [("lipstick", 3)]
    lips, makeup = card.categories
    assert (lips.name, lips.share, lips.lift) == ("Lips", 1.0, pytest.approx(8 / 3))
    assert (makeup.name, makeup.share, makeup.lift) == ("Makeup", 1.0, pytest.approx(8 / 5))
    assert [(brand.name, brand.share, brand.lift) for brand in card.brands] == [("Avalon", 2 / 3, pytest.approx(8 / 3))]


def test_typical_items_are_the_most_bought_in_training(facets):
    # Training parts: 1 2 | 3 2 1 | 6 | 8, so lipsticks 1 and 2 were bought twice, lipstick 3 once.
    assert code_card(facets, 0, 0).typical_items.tolist() == [1, 2, 3]
    assert code_card(facets, 0, 2).typical_items.tolist() == [6, 8, 7]


def test_what_is_held_out_does_not_make_an_item_popular(facets):
    # Item 4 was bought twice, but both times as a validation or test item.
    assert facets.popularity[4] == 0


def test_a_name_joins_the_strongest_kind_with_another_that_adds_something(facets):
    assert facets.name(0, 0) == "Lips · lipstick"
    assert facets.name(0, 1) == "Eyes · mascara"
    assert facets.name(0, 2) == "Hair · Birch"


def test_a_name_does_not_say_the_same_twice():
    catalog = small_catalog()
    titles = tuple(title.replace("Lipstick", "Lips") for title in catalog.titles)
    brands = ("", *["unknown"] * 8)
    plain = type(catalog)(
        catalog.item_keys,
        titles,
        brands,
        catalog.category_paths,
        catalog.categories,
        catalog.category_names,
        catalog.features,
    )
    assert read_facets(plain, small_ids(), small_interactions()).name(0, 0) == "Lips"


def test_a_code_nothing_tells_apart_is_named_after_its_most_bought_item(facets):
    assert facets.name(1, 2) == "like “Coral Lipstick”"


def test_an_unused_code_says_so(facets):
    card = code_card(facets, 0, 3)
    assert (card.name, card.load, card.typical_items.tolist(), card.words) == ("unused code", 0, [], ())


def test_unknown_brands_and_titles_never_describe_a_code(facets):
    for codebook in range(2):
        for code in range(4):
            card = code_card(facets, codebook, code)
            names = {a.name for a in (*card.words, *card.categories, *card.brands)}
            assert "unknown" not in names


def test_a_code_that_does_not_exist_is_refused_in_words(facets):
    with pytest.raises(InputError, match=r"code in \[0, 4\), got 0 and 4"):
        code_card(facets, 0, 4)
    with pytest.raises(InputError, match=r"codebook must lie in \[0, 2\)"):
        code_card(facets, -1, 0)


def test_facets_need_codes_for_the_same_catalogue():
    with pytest.raises(ValueError, match="same items, got 9 and 3"):
        read_facets(small_catalog(), SemanticIds(np.zeros((3, 2), np.int64), 2), small_interactions())


def test_the_root_allows_every_item_and_padding_never_counts():
    assert items_left(small_ids(), small_trace(), 0).tolist() == list(range(1, 9))
    assert items_with_code(small_ids(), 0, 0).tolist() == [1, 2, 3]


def test_a_node_allows_the_items_that_agree_with_its_whole_path():
    trace, ids = small_trace(), small_ids()
    assert items_left(ids, trace, 1).tolist() == [1, 2, 3]
    assert items_left(ids, trace, 4).tolist() == [2]
    for node in range(trace.n_nodes):
        assert len(items_left(ids, trace, node)) == trace.items_left[node]


def test_the_items_left_of_all_nodes_are_those_of_each_in_the_order_asked_for():
    ids, trace = small_ids(), small_trace()
    backwards = np.arange(ids.n_items - 1, 0, -1)
    found = items_left_of_nodes(ids, trace, backwards)
    assert [left.tolist() for left in found] == [
        items_left(ids, trace, node).tolist()[::-1] for node in range(trace.n_nodes)
    ]
