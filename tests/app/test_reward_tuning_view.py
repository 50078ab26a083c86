"""The stored search for reward weights in tables and sentences."""

from pathlib import Path

from app.view_models import reward_tuning as view
from reg4rec_core import Interval, RewardTrial, RewardTuning, RewardWeights

MIX = RewardWeights(0.5, 1.5, 0.0, 2.0)
ZERO, GAIN = Interval(0.0, 0.0, 0.0), Interval(0.0012, -0.0003, 0.0027)
TRIALS = (
    RewardTrial("equal", RewardWeights(), True, Interval(0.08, 0.07, 0.09), ZERO),
    RewardTrial("off", RewardWeights(), False, Interval(0.079, 0.07, 0.09), Interval(-0.001, -0.002, 0.0)),
    RewardTrial("mix-01", MIX, True, Interval(0.0812, 0.07, 0.09), GAIN),
)
TUNING = RewardTuning(
    Path("x"), 25, 5000, 4000, TRIALS, "mix-01", MIX, GAIN, Interval(0.002, 0.0001, 0.004), False, "Nothing.", True
)


def test_every_trial_is_a_row_and_the_chosen_one_is_marked():
    rows = view.trial_rows(TUNING)
    assert rows["trial"].tolist() == ["equal weights, as in the paper", "no reward at all", "✓ mix-01"]
    assert rows.loc[2, ["step", "category", "consistency", "path"]].tolist() == ["0.50", "1.50", "0.00", "2.00"]
    assert rows.loc[1, "path"] == "–"
    assert rows.loc[2, "against equal weights"] == "+0.0012 (-0.0003 to +0.0027)"


def test_those_who_chose_and_those_who_confirm_are_told_apart():
    assert "the 5,000 validation users that choose" in view.trials_note(TUNING)
    equal, off = view.confirmed_cards(TUNING)
    assert equal == ("NDCG@10 against equal weights", "+0.0012", "95 %: -0.0003 to +0.0027; 4,000 other users")
    assert off[1] == "+0.0020"
    assert view.take_label(TUNING) == "Take step 0.50, category 1.50, consistency 0.00, path 2.00"


def test_where_there_is_no_search_the_command_is_told():
    assert view.none_stored("checkpoints/demo")[1] == "reg4rec tune-rewards --run checkpoints/demo"
