"""What the stages of a run took, from their reports to the table of a document."""

import json
import shutil

import pytest
from small_run import make_run

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.config import SasrecConfig
from reg4rec_core.experiments.result_tables import fill_tables
from reg4rec_core.training.sasrec import train_sasrec

MEASURES = ("seconds", "cpu_seconds", "peak_memory_mb")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that says what two of its stages took, one of them in the way of older versions."""
    run = make_run(tmp_path_factory.mktemp("runs") / "walks")
    train_sasrec(run, SasrecConfig(width=8, hidden=8, epochs=2))
    old = {"epochs": 12, "seconds": 660.0}
    open_run(run).update_settings(data_checksum="7" * 64, pretrain={"seed": 3}, pretrain_report=old)
    return run


def test_every_stage_stands_in_the_table_as_its_report_has_it(reg4rec, run, tmp_path):
    results = tmp_path / "assets" / "results" / "cost.json"
    results.parent.mkdir(parents=True)
    answer = reg4rec("cost", "--run", f"Walks={run}", "--out", results, "--json")
    document = json.loads(answer.stdout)
    assert json.loads(results.read_text()) == document
    [entry] = document["runs"]
    pretrain, sasrec = entry["stages"]
    report = open_run(run).read_json("baselines/sasrec.json")
    assert {name: sasrec[name] for name in MEASURES} == {name: report[name] for name in MEASURES}
    assert (pretrain["stage"], pretrain["seconds"], pretrain["cpu_seconds"]) == ("pretrain", 660, None)
    assert (entry["data"], entry["users"], entry["items"]) == ("Walks", 60, 20)
    assert (document["seed"], document["data_checksum"]) == ({"Walks": 3}, ["7" * 64])
    table = fill_tables("<!-- table: cost -->\n<!-- end -->\n", tmp_path)
    assert "| `pretrain`, 12 epochs | Walks | 11 | | |" in table
    assert f"| `baseline --model sasrec` | Walks | {report['seconds'] / 60:.1f} |" in table


@pytest.mark.parametrize("second", ["Walks={run}", "={run}"])
def test_runs_need_names_of_their_own(reg4rec, run, second):
    answer = reg4rec("cost", "--run", f"Walks={run}", "--run", second.format(run=run))
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--run must name every run differently" in answer.stderr


def test_a_run_that_hides_its_data_is_refused(reg4rec, run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    settings = open_run(other).settings
    write_json(other / "run.json", {name: settings[name] for name in settings if name != "data_checksum"})
    answer = reg4rec("cost", "--run", other)
    assert "the run of other does not say which data it was made from" in answer.stderr
