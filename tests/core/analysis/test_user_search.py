import pytest
from small_shop import small_catalog, small_interactions

from reg4rec_core.analysis.user_search import FoundUser, index_users, search_users


@pytest.fixture(scope="module")
def index():
    return index_users(small_catalog(), small_interactions())


def test_an_exact_id_comes_before_ids_that_start_with_it(index):
    assert search_users(index, "7")[:2] == [FoundUser(0, -1), FoundUser(1, -1)]
    assert search_users(index, "70") == [FoundUser(1, -1)]


def test_ids_are_found_whatever_their_case(index):
    assert [found.user for found in search_users(index, "ANN")] == [2, 3]


def test_all_words_of_a_title_must_match_in_any_order(index):
    assert search_users(index, "lipstick red") == [FoundUser(0, 1), FoundUser(1, 1), FoundUser(3, 1)]
    assert search_users(index, "red shampoo") == []


def test_who_bought_more_of_what_matches_comes_first_with_the_newest_of_it(index):
    # User 1 bought two mascaras (items 4 and 5, the newest 5), user 0 one.
    assert search_users(index, "mascara") == [FoundUser(1, 5), FoundUser(0, 4)]


def test_an_item_bought_twice_is_found_once_a_user(index):
    assert search_users(index, "mint") == [FoundUser(2, 6), FoundUser(3, 6)]


def test_an_empty_query_gives_the_first_users(index):
    assert search_users(index, "  ", limit=2) == [FoundUser(0, -1), FoundUser(1, -1)]


def test_no_more_than_the_limit_is_found(index):
    assert len(search_users(index, "lipstick", limit=1)) == 1
    assert [found.user for found in search_users(index, "7", limit=1)] == [0]


def test_nobody_matches_what_nobody_bought(index):
    assert search_users(index, "zzz") == []
