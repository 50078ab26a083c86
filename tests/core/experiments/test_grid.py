"""What `--over` may say."""

import math

import pytest

from reg4rec_core.config import DecodeConfig
from reg4rec_core.experiments.grid import Axis, cells_of, read_numbers
from reg4rec_core.types import InputError


def test_a_range_has_both_ends_and_no_rounding():
    assert Axis.parse("theta=0.02:0.10:0.01").values == (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1)
    assert Axis.parse("beam_width=5:20:5").values == (5, 10, 15, 20)
    assert Axis.parse("theta=0.1:0.25:0.1").values == (0.1, 0.2)
    assert Axis.parse("check_from=3:3:1").values == (3,)


def test_a_list_is_read_in_the_type_of_its_field():
    assert Axis.parse("theta=0.02, 0.06,inf").values == (0.02, 0.06, math.inf)
    assert Axis.parse("theta=0.5,0.02:0.04:0.01,inf").values == (0.5, 0.02, 0.03, 0.04, math.inf)
    assert Axis.parse("look_ahead=on,off").values == (True, False)
    assert Axis.parse("code_probabilities=heads,mixture").values == ("heads", "mixture")


def test_numbers_are_read_alone_too():
    assert read_numbers("0.9, 0.95", "--theta-quantile") == (0.9, 0.95)
    assert read_numbers("0.9:1:0.05", "--theta-quantile") == (0.9, 0.95, 1.0)
    with pytest.raises(InputError, match="--theta-quantile must name every value once"):
        read_numbers("0.9,0.90", "--theta-quantile")
    with pytest.raises(InputError, match="--theta-quantile must be a number, got 'x'"):
        read_numbers("x", "--theta-quantile")


def test_several_axes_make_every_combination():
    cells = cells_of([Axis.parse("check_from=2,3"), Axis.parse("theta=0.1,inf")], DecodeConfig(beam_width=7))
    names = ["check_from=2,theta=0.1", "check_from=2,theta=inf", "check_from=3,theta=0.1", "check_from=3,theta=inf"]
    assert [cell.name for cell in cells] == names
    assert cells[2].decode == DecodeConfig(beam_width=7, check_from=3, theta=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theta", "reads FIELD=VALUES with a FIELD of beam_width, theta"),
        ("thetta=1", "reads FIELD=VALUES with a FIELD of beam_width, theta"),
        ("theta=", "theta must be a number, got ''"),
        ("theta=0.1,x", "theta must be a number, got 'x'"),
        ("theta=0.1,0.1", "every value of theta once"),
        ("theta=0.1,0.1:0.2:0.1", "every value of theta once"),
        ("theta=0.1:0.02:0.01", "START <= STOP and STEP > 0, got theta=0.1:0.02:0.01"),
        ("theta=0.1:0.2:0", "STEP > 0"),
        ("theta=0.1:0.2:-0.1", "STEP > 0"),
        ("theta=0.1:0.2", "a range reads START:STOP:STEP"),
        ("theta=0.1:inf:0.1", "finite numbers"),
        ("theta=0:1:0.00001", "at most 1,000 values"),
        ("beam_width=1.5,2", "beam_width must be a whole number, got '1.5'"),
        ("beam_width=inf", "beam_width must be a whole number"),
        ("look_ahead=maybe", "look_ahead must be on or off"),
        ("code_probabilities=head", "code_probabilities must be heads or item_marginal or mixture, got 'head'"),
    ],
)
def test_what_cannot_be_read_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        Axis.parse(text)


def test_values_that_decoding_refuses_are_refused_before_any_search():
    with pytest.raises(InputError, match="theta must be >= 0"):
        cells_of([Axis.parse("theta=-1,0.1")], DecodeConfig())
    with pytest.raises(InputError, match="every field once"):
        cells_of([Axis.parse("theta=0.1"), Axis.parse("theta=0.2")], DecodeConfig())
    with pytest.raises(InputError, match="at most 1,000 settings"):
        cells_of([Axis.parse("theta=0:0.4:0.01"), Axis.parse("beam_width=1:40:1")], DecodeConfig())
