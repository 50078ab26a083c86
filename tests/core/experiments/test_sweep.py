"""`reg4rec sweep`: cells as files, kept when they answer the same question."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.evaluation import search_split
from reg4rec_core.experiments.result_tables import fill_tables, short
from reg4rec_core.metrics import ranking_metrics
from reg4rec_core.recommender import Recommender

COMMON = ("--users", "30", "--seed", "1", "--json")


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """A copy of the tiny run whose own theta prunes."""
    path = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "swept")
    opened = open_run(path)
    opened.set_decode_config(replace(opened.decode_config(), theta=0.2, check_from=1, beam_width=6))
    return path


@pytest.fixture(scope="module")
def document(reg4rec, run):
    return document_of(reg4rec("sweep", "--run", run, "--over", "theta=0.01,0.2,inf", *COMMON))


def document_of(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout, parse_constant=pytest.fail)


def test_a_cell_has_the_numbers_of_a_search_under_its_setting(run, document):
    recommender = Recommender.load(run)
    assert [cell["changes"]["theta"] for cell in document["cells"]] == [0.01, 0.2, None]
    for cell, theta in zip(document["cells"], (0.01, 0.2, np.inf), strict=True):
        searched = search_split(recommender, "valid", replace(recommender.decode, theta=theta), users=30, seed=1)
        assert {name: row["mean"] for name, row in cell["metrics"].items()} == pytest.approx(
            ranking_metrics(searched.places)
        )
        assert cell["pruned"] == pytest.approx(searched.searched.pruned.sum() / 30)
        assert cell["wrong_prunes"] == pytest.approx(searched.searched.prunes_by[:, :, 1].sum() / 30)
        assert all(row["low"] <= row["mean"] <= row["high"] for row in cell["metrics"].values())
        assert cell["nodes"] >= 1 + sum(step["tried"] for step in cell["steps"].values()) - 1e-9
    assert document["cells"][0]["pruned"] > 0 == document["cells"][2]["pruned"]
    assert document["cells"][0]["wrong_prunes"] > 0


def test_differences_are_to_the_runs_own_setting(document):
    own, same, off = document["own"], *document["cells"][1:]
    assert same["metrics"] == own["metrics"]
    assert all(row == {"mean": 0, "low": 0, "high": 0} for row in same["difference"].values())
    for name, row in off["difference"].items():
        assert row["mean"] == pytest.approx(off["metrics"][name]["mean"] - own["metrics"][name]["mean"])


def test_a_sweep_that_was_stopped_goes_on_and_other_questions_are_asked_anew(reg4rec, run, document):
    folder = run / "evaluation" / "sweeps" / "theta-valid-30"
    stored = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert set(stored) == {"own.json", "own.safetensors", *(f"theta={t}.json" for t in (0.01, 0.2, "inf"))}
    (folder / "theta=inf.json").unlink()
    again = reg4rec("sweep", "--run", run, "--over", "theta=0.01,0.2,inf", *COMMON)
    numbers = {"metrics", "difference", "steps", "prunes", "reliability", "identity"}
    for before, after in zip(document["cells"], document_of(again)["cells"], strict=True):
        assert {name: before[name] for name in numbers} == {name: after[name] for name in numbers}
    assert again.stderr.count("(kept)") == 2
    changed = {path.name for path in folder.iterdir() if path.stat().st_mtime_ns != stored[path.name]}
    assert changed == {"theta=inf.json"}
    other = reg4rec("sweep", "--run", run, "--over", "theta=0.01,0.2,inf", "--users", "30", "--seed", "2", "--json")
    assert "(kept)" not in other.stderr
    assert document_of(other)["own"]["metrics"] != document["own"]["metrics"]


def test_cells_are_no_part_of_the_manifest(reg4rec, run, document):
    opened = open_run(run)
    opened.write_manifest()
    assert not any("sweeps" in name for name in json.loads((run / "manifest.json").read_text())["sha256"])
    opened.verify()


def test_a_sweep_kept_among_the_results_fills_a_table(document, tmp_path):
    write_json(tmp_path / "assets" / "results" / "sweep.json", document)
    assert {"config", "seed", "git_revision", "data_checksum"} <= set(document)
    lines = fill_tables("<!-- table: sweep -->\n<!-- end -->\n", tmp_path).splitlines()
    assert [line.split(" | ")[0] for line in lines[3:-1]] == [
        "| the run's own",
        "| theta=0.01",
        "| theta=0.2",
        "| theta=inf",
    ]
    assert lines[1].startswith("| 30 valid users | Recall@10 |")
    assert f"| {short(document['cells'][2]['metrics']['ndcg@10']['mean'])} |" in lines[-2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--over", "theta=0.2:0.1:0.1"), "a range reads START:STOP:STEP"),
        (("--over", "theta=0.1", "--over", "theta=0.2"), "every field once"),
        (("--over", "theta=0.1", "--name", "../mine"), "--name must be the plain name of a folder"),
    ],
)
def test_a_bad_question_is_one_sentence(reg4rec, run, arguments, message):
    result = reg4rec("sweep", "--run", run, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_text_has_a_line_for_every_setting(reg4rec, run, document):
    result = reg4rec("sweep", "--run", run, "--over", "theta=0.01,0.2,inf", "--users", "30", "--seed", "1")
    assert [line.split()[0] for line in result.stdout.splitlines()[3:7]] == [
        "own",
        "theta=0.01",
        "theta=0.2",
        "theta=inf",
    ]
