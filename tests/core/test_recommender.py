import numpy as np
import pytest
from same_trace import same_bits

from reg4rec_core.analysis.steering import Steering, ask_steered, parse_steering
from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import InputError


@pytest.fixture(scope="module")
def recommender(tiny_run):
    return Recommender.load(tiny_run)


def test_a_history_stops_before_what_is_held_out(recommender):
    user = recommender.user_index("visitor 3")
    whole = recommender.interactions.sequence(user)
    assert recommender.history(user).tolist() == whole[:-1].tolist()
    assert recommender.history(user, "valid").tolist() == whole[:-2].tolist()
    assert recommender.history(user, "now").tolist() == whole.tolist()


def test_the_target_is_the_item_that_came_next(recommender):
    user = recommender.user_index("visitor 3")
    whole = recommender.interactions.sequence(user)
    assert [recommender.target(user, at) for at in ("valid", "test", "now")] == [whole[-2], whole[-1], -1]


def test_keys_lead_to_rows_and_back(recommender):
    assert recommender.interactions.user_keys[recommender.user_index("visitor 12")] == "visitor 12"
    assert recommender.catalog.item_keys[recommender.item_index("p017")] == "p017"


def test_an_unknown_key_names_near_matches(recommender):
    with pytest.raises(InputError, match=r"no user 'visitor 9999'.*near matches: .*visitor 99"):
        recommender.user_index("visitor 9999")
    with pytest.raises(InputError, match=r"no item 'P017'.*p017"):
        recommender.item_index("P017")
    with pytest.raises(InputError, match="keys look like p000, p001, p002"):
        recommender.item_index("???")


def test_the_padding_row_has_no_key(recommender):
    with pytest.raises(InputError, match="no item ''"):
        recommender.item_index("")


def test_an_empty_history_is_refused(recommender):
    with pytest.raises(InputError, match="at least one item"):
        recommender.recommend([np.zeros(0, np.int64)], DecodeConfig())


def test_items_older_than_the_model_reads_are_still_left_out(recommender):
    history = np.arange(1, HISTORY_LENGTH + 6)
    trace = recommender.recommend([history], DecodeConfig(beam_width=40, top_k=40))[0]
    assert not set(trace.items.tolist()) & set(history.tolist())
    included = DecodeConfig(beam_width=40, top_k=40, exclude_history=False)
    assert set(recommender.recommend([history], included)[0].items.tolist()) & set(history.tolist())


@pytest.mark.parametrize("exclude_history", [True, False])
def test_several_histories_are_steered_as_each_alone(recommender, exclude_history):
    steering = parse_steering("forbid_brand:Avalon,forbid:0.1")
    histories = [recommender.history(user) for user in (0, 5)]
    config = DecodeConfig(beam_width=6, exclude_history=exclude_history)
    for history, trace in zip(histories, recommender.recommend(histories, config, steering=steering), strict=True):
        asked = ask_steered(recommender.question(history, config), recommender.catalog, steering)
        assert same_bits(trace, asked.trace())
        assert all(recommender.catalog.brands[item] != "Avalon" for item in trace.items)
    plain = recommender.recommend(histories, config)
    for trace, other in zip(plain, recommender.recommend(histories, config, steering=Steering()), strict=True):
        assert same_bits(trace, other)


def test_the_whole_reachable_catalogue_can_be_asked_for(recommender):
    history = recommender.history(0)
    trace = recommender.recommend([history], DecodeConfig(beam_width=60, top_k=60, theta=np.inf))[0]
    expected = set(range(1, recommender.catalog.n_items)) - set(history.tolist())
    assert set(trace.items.tolist()) == expected


def test_a_run_without_weights_names_the_command_that_trains(tiny_run, tmp_path):
    for name in ("run.json", "tokenizer.safetensors"):
        (tmp_path / name).write_bytes((tiny_run / name).read_bytes())
    (tmp_path / "data").symlink_to(tiny_run / "data")
    with pytest.raises(InputError, match="reg4rec pretrain"):
        Recommender.load(tmp_path)


def test_weights_that_are_not_there_are_refused(tiny_run):
    with pytest.raises(InputError, match="post_trained"):
        Recommender.load(tiny_run, weights="post_trained")
