"""What an address asks for in vain is told; what it means in other letters is not."""

import pytest

from app.view_models.replaced import CHOICES, RULES, replaced


@pytest.mark.parametrize(
    ("asked", "taken", "said"),
    [
        ("-1", 0.2, "The address asks for theta=-1, but theta must be a number from 0 to 0.7; 0.2 is taken instead."),
        ("nan", 0.2, "The address asks for theta=nan, but theta must be a number from 0 to 0.7; 0.2 is taken instead."),
        ("0.20", 0.2, ""),
        ("2e-1", 0.2, ""),
        ("0.2", None, ""),
    ],
)  # fmt: skip
def test_a_theta_that_is_not_taken_is_told(asked, taken, said):
    assert replaced("reasoning", {"theta": asked}, {"theta": taken}) == [said] * bool(said)


def test_every_kind_of_choice_is_compared_as_an_address_means_it():
    asked = {"corp": "TRUE", "beam": "7", "at": "tomorrow", "fold": "perhaps", "run": "demo", "step": "99"}
    taken = {"corp": True, "beam": 7, "at": "test", "fold": True, "run": "demo", "step": 8}
    said = replaced("compare", asked, taken)
    assert [sentence.split(" is taken")[0].split("; ")[1] for sentence in said] == ["test", "true", "8"]
    (path,) = replaced("reasoning", {"path": "9.9"}, {"path": "0.1-1.0"})
    assert path == "The address asks for path=9.9, but path must be a path of this search; 0.1-1.0 is taken instead."
    assert replaced("overview", asked, taken) == replaced("compare", {}, taken) == []


def test_every_choice_has_a_rule():
    assert {name for names in CHOICES.values() for name in names} == {*RULES}
