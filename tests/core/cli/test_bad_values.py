"""Values that no command can work with end in one sentence, exit code 2 and an empty stdout."""

import json
import shlex

import pytest

from reg4rec_core.config import PostTrainConfig, PretrainConfig
from reg4rec_core.types import InputError

EVALUATE = "evaluate --split test --users 2 --oracle-users 0"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("profile --user nobody", "there is no user 'nobody' in this run"),
        ("profile --user 'visitor 9' --theta nan:0.2", "a range of thetas needs 0 <= LOW < HIGH, both finite"),
        ("sweep --over theta=-1", "theta must be >= 0 (inf turns CORP off), got -1.0"),
        ("sweep --over theta=nan", "theta must be >= 0 (inf turns CORP off), got nan"),
        ("sweep --over theta=0.1 --cohort nonsense", "a cohort reads NAME_VALUE.NAME_VALUE"),
        ("sweep --over theta=0.1 --cohort main_Toys", "nobody with a valid target is in the cohort main_Toys"),
        ("sweep --over theta=0.1 --seed -1", "-1 is not in the range x>=0"),
        ("recommend --user 'visitor 9' --theta nan", "theta must be >= 0 (inf turns CORP off), got nan"),
        ("recommend --user 'visitor 9' --decode {elsewhere}", "this preset was made on the data of 'x'"),
        (f"{EVALUATE} --thetas .1,x", "--thetas reads THETA or THETA@STEP, separated by commas, got 'x'"),
        (f"{EVALUATE} --thetas -1", "theta must be >= 0 (inf turns CORP off), got -1.0"),
        (f"{EVALUATE} --seed -1", "-1 is not in the range x>=0"),
        ("tune-rewards --seed -1", "-1 is not in the range x>=0"),
        ("report --thetas --theta nan --out {elsewhere}.html", "theta must be >= 0 (inf turns CORP off), got nan"),
        ("report --user 'visitor 9' --out {elsewhere}/x.html", "--out needs a file that can be written, got "),
    ],
)
def test_a_command_refuses_what_it_cannot_work_with(tiny_run, reg4rec, tmp_path, command, said):
    elsewhere = tmp_path / "elsewhere.json"
    preset = {"reg4rec_preset": 1, "run": "x", "data_checksum": "of other data", "decode": {"theta": 0.1}}
    elsewhere.write_text(json.dumps(preset))
    name, *arguments = (part.format(elsewhere=elsewhere) for part in shlex.split(command))
    done = reg4rec(name, "--run", tiny_run, *arguments)
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("settings", [PretrainConfig, PostTrainConfig])
def test_training_needs_a_seed_that_a_generator_takes(settings):
    with pytest.raises(InputError, match="seed must be >= 0, got -1"):
        settings(seed=-1)
