import json
import math
from itertools import pairwise

import pytest

from reg4rec_core.recommender import Recommender

USER = "visitor 7"


@pytest.fixture(scope="module")
def profile(reg4rec, tiny_run):
    result = reg4rec("profile", "--run", tiny_run, "--user", USER, "--theta", "0:0.2", "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_constant=pytest.fail)


def test_the_intervals_lie_side_by_side_and_fill_the_range(profile):
    assert {"user", "intervals", "searches", "seconds"} <= set(profile)
    intervals = profile["intervals"]
    assert (profile["user"], intervals[0]["low"], intervals[-1]["high"]) == (USER, 0, 0.2)
    assert [one["high"] for one in intervals[:-1]] == [one["low"] for one in intervals[1:]]
    assert all(one["low"] < one["high"] for one in intervals)
    assert 1 < profile["searches"] <= len(intervals)
    assert profile["first_seconds"] > 0
    assert profile["seconds"] > 0


def test_an_interval_holds_what_recommend_says_at_both_of_its_ends(reg4rec, tiny_run, profile):
    recommender = Recommender.load(tiny_run)
    for interval in (profile["intervals"][0], profile["intervals"][len(profile["intervals"]) // 2]):
        assert len(interval["items"]) == recommender.decode.top_k
        for theta in (interval["low"], math.nextafter(interval["high"], 0)):
            told = reg4rec("recommend", "--run", tiny_run, "--user", USER, "--theta", repr(theta), "--json")
            search = json.loads(told.stdout)
            items = [{"key": item["key"], "score": item["score"]} for item in search["items"]]
            fates = [node["fate"] for node in search["trace"]["nodes"]]
            assert interval["items"] == items
            assert (interval["nodes"], interval["pruned"]) == (len(fates), fates.count("pruned"))


def test_the_text_says_where_the_list_changes(reg4rec, tiny_run, profile):
    result = reg4rec("profile", "--run", tiny_run, "--user", USER, "--theta", "0:0.2")
    lists = [[item["key"] for item in one["items"]] for one in profile["intervals"]]
    changes = sum(one != other for one, other in pairwise(lists))
    first, *lines, summary, _ = result.stdout.splitlines()
    assert first == "theta from 0: " + ", ".join(lists[0])
    assert len(lines) == changes
    assert summary == f"theta below 0.2: {len(lists)} different searches, {changes} changes of the list"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--user", USER, "--theta", "-0.1:0.2"), "0 <= LOW < HIGH"),
        (("--user", USER, "--theta", "nan:0.2"), "0 <= LOW < HIGH"),
        (("--user", USER, "--theta", "0.2:0.1"), "0 <= LOW < HIGH"),
        (("--user", USER, "--theta", "0.1:0.1"), "0 <= LOW < HIGH"),
        (("--user", USER, "--theta", "0:inf"), "0 <= LOW < HIGH"),
        (("--user", USER, "--theta", "0.1"), "LOW:HIGH"),
        (("--user", USER, "--theta", "0:much"), "LOW:HIGH"),
        (("--user", USER, "--theta", "0:0.1:0.2"), "LOW:HIGH"),
        (("--user", USER, "--theta", ""), "LOW:HIGH"),
        (("--user", "visitor 1444"), "near matches: "),
        ((), "--user"),
    ],
)
def test_bad_input_is_one_line_with_a_remedy(reg4rec, tiny_run, arguments, hint):
    result = reg4rec("profile", "--run", tiny_run, "--json", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert hint in result.stderr
