"""Searches that go on from a dropped branch: it is kept, everything below begins with it, nothing else is otherwise."""

import math

import numpy as np
import pytest
from lookup_model import LookupModel, random_ids
from same_trace import same_bits

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.analysis.branch import ask_from, format_branch, parse_branch
from reg4rec_core.analysis.theta_profile import profile_theta
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.types import Fate, InputError, ReasoningTrace

SIZES = {"n_items": 60, "n_codebooks": 4, "codebook_size": 4}
IDS = random_ids(5, **SIZES)
HISTORY = np.array([4, 9, 2])


def ask(seed: int = 0, **changes: object) -> Question:
    config = DecodeConfig(**({"beam_width": 4, "top_k": 6, "theta": 0.03} | changes))
    padded = np.array([0, 0, *HISTORY])
    return Question(LookupModel(seed=seed, **SIZES), ItemIndex(IDS), padded, HISTORY, config, lambda *_: HISTORY[:0])


def branch_to(trace: ReasoningTrace, node: int) -> tuple[tuple[int, int], ...]:
    return tuple((int(trace.codebook[row]), int(trace.code[row])) for row in trace.path(node)[1:])


def carriers(branch: tuple[tuple[int, int], ...]) -> set[int]:
    return {item for item in range(1, 60) if all(IDS.codes[item, m] == k for m, k in branch)}


@pytest.mark.parametrize(("seed", "kind"), [(0, "item_marginal"), (1, "heads"), (2, "mixture")])
def test_a_restored_branch_is_kept_as_it_was_and_everything_below_begins_with_it(seed: int, kind: str) -> None:
    question = ask(seed, code_probabilities=kind)
    before = question.trace()
    dropped = np.flatnonzero(np.isin(before.fate, (Fate.PRUNED, Fate.BEAM_CUT)))
    assert Fate.PRUNED in before.fate[dropped], "the case must have something to restore"
    for node in dropped[:: max(1, len(dropped) // 8)].tolist():
        branch = branch_to(before, node)
        if not carriers(branch) - set(HISTORY.tolist()):
            continue
        after, step = ask_from(question, branch).trace(), len(branch)
        assert branch_to(after, step) == branch
        assert after.fate[: step + 1].tolist() == [Fate.KEPT] * (step + 1)
        for name in ("log_prob", "confidence", "items_left"):
            assert getattr(after, name)[step] == getattr(before, name)[node], name
        if before.fate[node] == Fate.PRUNED:
            assert after.js[step] == before.js[node] > after.theta
        below = [branch_to(after, row)[:step] for row in range(step + 1, after.n_nodes)]
        assert set(below) <= {branch}
        assert set(after.items.tolist()) <= carriers(branch) - set(HISTORY.tolist())
        assert after.check_from == max(2, step + 1)
        checked = (after.step >= after.check_from) & ~np.isnan(after.js) & (after.fate == Fate.KEPT)
        assert (after.js[checked] <= after.theta).all(), "theta still rules behind the restored node"


def test_a_branch_of_a_search_that_keeps_everything_is_its_own_subtree() -> None:
    question = ask(beam_width=80, theta=math.inf, top_k=60)
    whole = question.trace()
    for node in range(1, whole.n_nodes, 29):
        branch = branch_to(whole, node)
        part = ask_from(question, branch).trace()
        expected = {branch_to(whole, row): whole.log_prob[row] for row in range(1, whole.n_nodes)}
        found = {branch_to(part, row): part.log_prob[row] for row in range(1, part.n_nodes)}
        below = {path for path in expected if path[: len(branch)] == branch or path == branch[: len(path)]}
        assert set(found) == below
        assert all(found[path] == expected[path] for path in found)
        assert set(part.items.tolist()) == carriers(branch) - set(HISTORY.tolist())


def test_the_root_is_no_branch() -> None:
    question = ask()
    assert ask_from(question, ()) is question


def test_a_search_from_a_branch_replays_and_searching_for_items_alone_gives_its_list() -> None:
    question = ask_from(ask(), branch_to(ask().trace(), 3))
    assert same_bits(question.trace(), question.trace())
    listed = question.search(question.history[None]).items[0]
    assert listed[listed > 0].tolist() == question.trace().items.tolist()


def test_a_branch_comes_back_from_its_text() -> None:
    assert parse_branch("3.117-5.20") == ((3, 117), (5, 20))
    assert format_branch(parse_branch(" 3.117-5.20 ")) == "3.117-5.20"
    assert parse_branch("") == ()


@pytest.mark.parametrize("text", ["3", "3.1-", "-3.1", "3.1.2", "a.b", "3.1,2.1", "3.٣", "<b>", "-" * 500])
def test_what_is_no_branch_is_told_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"a branch reads CODEBOOK\.CODE-CODEBOOK\.CODE-\.\.\., got "):
        parse_branch(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4.0", "needs codebooks below 4 and codes below 4, got '4.0'"),
        ("0.4", "needs codebooks below 4 and codes below 4, got '0.4'"),
        ("0.1-0.2", "at most one code of every codebook"),
        ("-".join(f"{m}.{IDS.codes[4, m]}" for m in range(4)), "leads to no item that may be recommended"),
    ],
)
def test_a_branch_that_leads_nowhere_is_told_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ask_from(ask(), parse_branch(text))


def test_a_theta_profile_of_a_branch_is_refused() -> None:
    with pytest.raises(InputError, match="a theta profile starts at the root"):
        profile_theta(ask_from(ask(), branch_to(ask().trace(), 1)), 0.0, 0.1)
