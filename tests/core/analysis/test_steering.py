"""Steered searches as properties: the rules are obeyed, and rules that leave nothing out change no bit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookup_model import LookupModel, random_ids
from same_trace import same_bits

from reg4rec_core.analysis.attribution import Question, attribute
from reg4rec_core.analysis.steering import (
    MAX_RULES,
    Steering,
    SteeringRule,
    ask_steered,
    format_steering,
    parse_steering,
    steered_out,
)
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.types import Catalog, InputError

SIZES = {"n_items": 40, "n_codebooks": 4, "codebook_size": 3}
NAMES = ("Hair, dry", "Lips > 100%", "Nails")
BRANDS = ("Avalon", "Birch & Co", "Corvina: Paris")
ITEMS = np.arange(40)
CATALOG = Catalog(
    ("", *(f"p{item}" for item in ITEMS[1:])),
    ("", *(f"title {item}" for item in ITEMS[1:])),
    ("", *(BRANDS[item % 3] for item in ITEMS[1:])),
    ((), *(("Beauty",) for _ in ITEMS[1:])),
    ITEMS // 5 % 3,
    NAMES,
    np.zeros((40, 0)),
)
CODES = random_ids(7, **SIZES).codes
HISTORY = [4, 9, 2]


def nearest(item: int, count: int) -> np.ndarray:
    """Neighbours by number."""
    others = np.array([other for other in range(1, 40) if other != item])
    return others[np.argsort(abs(others - item), kind="stable")][:count]


def ask(**changes: object) -> Question:
    model, padded = LookupModel(seed=3, **SIZES), np.array([0, 0, 0, *HISTORY])
    config = DecodeConfig(**({"beam_width": 5, "top_k": 6, "theta": 0.05} | changes))
    return Question(model, ItemIndex(random_ids(7, **SIZES)), padded, np.array(HISTORY), config, nearest)


codes = st.tuples(st.integers(0, 3), st.integers(0, 2)).map(lambda pair: f"{pair[0]}.{pair[1]}")
rules = st.one_of(
    st.tuples(st.sampled_from(["fix", "forbid"]), codes),
    st.tuples(st.sampled_from(["require_category", "forbid_category"]), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(["require_brand", "forbid_brand"]), st.sampled_from(BRANDS)),
)
steerings = st.lists(rules, min_size=1, max_size=4).map(
    lambda found: Steering(tuple(SteeringRule(kind, name) for kind, name in found))
)


def obeys(item: int, steering: Steering) -> bool:
    """Whether an item keeps to the rules, read one by one."""

    def carries(rule: SteeringRule) -> bool:
        if rule.about == "code":
            codebook, code = rule.name.split(".")
            return CODES[item, int(codebook)] == int(code)
        return rule.name == (CATALOG.brands[item] if rule.about == "brand" else NAMES[CATALOG.categories[item]])

    groups: dict[str, list[bool]] = {}
    for rule in steering.rules:
        if rule.kind.startswith("forbid") and carries(rule):
            return False
        if not rule.kind.startswith("forbid"):
            group = rule.name.split(".")[0] if rule.about == "code" else rule.about
            groups.setdefault(group, []).append(carries(rule))
    return all(any(found) for found in groups.values())


@given(steerings)
def test_rules_come_back_from_their_text_and_leave_out_what_breaks_them(steering: Steering) -> None:
    assert parse_steering(format_steering(steering)) == steering
    out = steered_out(steering, CATALOG, CODES, 3)
    assert not out[0]
    assert out[1:].tolist() == [not obeys(item, steering) for item in range(1, 40)]


@settings(max_examples=12, deadline=None)
@given(steerings, st.sampled_from(["item_marginal", "heads", "mixture"]), st.booleans())
def test_every_recommended_item_obeys_and_is_as_likely_as_the_allowed_ones_make_it(steering, kind, leave_out) -> None:
    question = ask(code_probabilities=kind, exclude_history=leave_out, beam_width=40, top_k=40)
    allowed = {item for item in range(1, 40) if obeys(item, steering) and not (leave_out and item in HISTORY)}
    if not allowed:
        with pytest.raises(InputError, match="steering must leave something to recommend"):
            ask_steered(question, CATALOG, steering)
        return
    trace = ask_steered(question, CATALOG, steering).trace()
    assert set(trace.items.tolist()) == allowed, "a beam this wide reaches every allowed item"
    leaves = np.unique(trace.item_nodes[trace.item_nodes >= 0])
    assert np.exp(trace.log_prob[leaves]).sum() == pytest.approx(1, abs=1e-5), "renormalised over what is allowed"


@pytest.mark.parametrize("leave_out", [True, False])
def test_rules_that_leave_nothing_out_change_no_bit(leave_out: bool) -> None:
    steering = Steering(tuple(SteeringRule("require_brand", brand) for brand in BRANDS))
    question = ask(exclude_history=leave_out)
    assert same_bits(ask_steered(question, CATALOG, steering).trace(), question.trace())
    assert ask_steered(question, CATALOG, Steering()) is question


def test_a_steered_trace_replays_and_is_another_than_the_plain_one() -> None:
    steering = parse_steering("forbid:0.1,require_brand:Birch & Co")
    first, again = (ask_steered(ask(), CATALOG, steering).trace() for _ in range(2))
    assert same_bits(first, again)
    assert not same_bits(first, ask().trace())


def test_a_fixed_code_is_certain_and_comes_when_nothing_is_left_to_choose() -> None:
    trace = ask_steered(ask(), CATALOG, parse_steering("fix:2.1")).trace()
    leaves = trace.item_nodes[trace.item_nodes >= 0]
    assert len(leaves)
    for leaf in leaves:
        path = trace.path(int(leaf))[1:]
        (fixed,) = [place for place, row in enumerate(path) if trace.codebook[row] == 2]
        assert trace.code[path[fixed]] == 1
        assert (trace.confidence[path[fixed:]] == 1).all()
        assert fixed > 0


def test_neighbours_that_fill_a_list_up_obey_too() -> None:
    trace = ask_steered(ask(beam_width=1), CATALOG, parse_steering("forbid_brand:Avalon")).trace()
    assert (trace.item_nodes < 0).any()
    assert all(CATALOG.brands[item] != "Avalon" for item in trace.items)


def test_influence_is_that_of_the_steered_path() -> None:
    question = ask_steered(ask(theta=math.inf), CATALOG, parse_steering("require_category:Nails"))
    trace = question.trace()
    found = attribute(question, trace)
    np.testing.assert_allclose(found.log_prob, trace.log_prob[trace.item_nodes], rtol=1e-5)


def test_a_rule_is_not_said_twice() -> None:
    once = Steering().with_rule("forbid", "0.1")
    assert once.with_rule("forbid", "0.1") is once
    assert format_steering(once.with_rule("forbid_brand", "a,b%c")) == "forbid:0.1,forbid_brand:a%2Cb%25c"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2.1", "reads RULE:VALUE, for example forbid:2.117, got '2.1'"),
        ("fix:", "reads RULE:VALUE"),
        ("forbid:0.1,,", "reads RULE:VALUE"),
        ("want:2.1", "is one of fix, forbid, require_category, .* got 'want'"),
        ("fix:2", "needs CODEBOOK.CODE, two numbers, got '2'"),
        ("forbid:-1.2", "needs CODEBOOK.CODE"),
        ("fix:٣.1", "needs CODEBOOK.CODE"),
        ("fix:4.0", "needs a codebook below 4 and a code below 3, got 4.0"),
        ("fix:0.3", "needs a codebook below 4 and a code below 3, got 0.3"),
        ("forbid_category:Nail", "no category 'Nail' in this run; near matches: Nails"),
        ("require_brand:zzz", "no brand 'zzz' in this run; look it up"),
        ("require_brand:Avalon,forbid_brand:Avalon", "leaves none of 39 items; take a rule back"),
        (",".join(["forbid:0.1"] * (MAX_RULES + 1)), "at most 40 rules, got 41"),
    ],
)
def test_steering_that_makes_no_sense_is_told_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ask_steered(ask(), CATALOG, parse_steering(text))


def test_the_empty_brand_of_the_padding_row_is_none_to_steer_by() -> None:
    with pytest.raises(InputError, match="no brand '' in this run"):
        ask_steered(ask(), CATALOG, Steering((SteeringRule("require_brand", ""),)))
