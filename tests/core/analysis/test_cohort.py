"""A cohort as a value: what a link says, and what it refuses."""

import re

import pytest

from reg4rec_core.analysis.cohort import COLD_TARGETS, Cohort, Leaning, PathCodes, Range, read_cohort
from reg4rec_core.types import InputError

EXAMPLES = [
    Cohort(),
    COLD_TARGETS,
    Cohort(history=Range(5, 20), outcome="miss"),
    Cohort(active=Range(None, 30), last=Range(1_300_000_000, None)),
    Cohort(
        main="Beauty > Make-up, Nails", bought="Hair & 100% more", brand="L'Oréal_Paris.~", target="-", recommended="a"
    ),
    Cohort(leans=Leaning(3, "Hair & 100% more~_."), history=Range(5, 20)),
    Cohort(codes=PathCodes(7, (0, 17, 299)), maker="L'Oréal_Paris.~"),
    Cohort(users=()),
    Cohort(users=(0,)),
    Cohort(users=(3, 4, 4000, 22362), outcome="pruned"),
]


@pytest.mark.parametrize("cohort", EXAMPLES, ids=str)
def test_a_cohort_survives_a_link(cohort):
    text = cohort.to_text()
    assert re.fullmatch(r"[A-Za-z0-9_.~-]*", text)
    assert read_cohort(text) == cohort


def test_a_link_is_plain():
    assert Cohort(history=Range(5, 20), outcome="miss").to_text() == "history_5~20.outcome_miss"
    assert Cohort(users=(3, 4, 40)).to_text() == "users_3-1-10"
    assert read_cohort("history_5") == Cohort(history=Range(5, 5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size_5", "each of history, active"),
        ("history_5.history_6", "once at most"),
        ("history", "NAME_VALUE"),
        ("history_a~5", "a range reads LOW~HIGH"),
        ("history_9~5", "must not end before it begins"),
        ("outcome_won", "outcome must be one of any, hit, miss"),
        ("leans_x~Nails", "a leaning reads STEP~CATEGORY"),
        ("leans_3", "a leaning reads STEP~CATEGORY"),
        ("codes_x~1", "codes of paths read CODEBOOK~CODES"),
        ("codes_3", "codes of paths read CODEBOOK~CODES"),
        ("codes_3~1--2", "distances in base 36"),
        ("users_1-0", "rising order"),
        ("users_1--2", "distances in base 36"),
        ("users_zzzzzzzzz", "distances in base 36"),
    ],
)
def test_a_wrong_link_is_refused(text, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_cohort(text)


def test_narrowing_cuts_ranges_and_lists_of_users():
    cohort = Cohort(history=Range(5, None), users=(1, 2, 3))
    assert cohort.narrowed(history=Range(None, 9), users=(2, 3, 4)) == Cohort(history=Range(5, 9), users=(2, 3))
    assert Cohort().narrowed(users=(2,), target="nails") == Cohort(target="nails", users=(2,))
    with pytest.raises(InputError, match="must not end before"):
        cohort.narrowed(history=Range(1, 4))
