"""`reg4rec sweep`: cells as files, kept when they answer the same question."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.decoding.shared_search import search_items_under
from reg4rec_core.evaluation import search_split
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.experiments import sweep_search
from reg4rec_core.experiments.grid import Axis
from reg4rec_core.experiments.result_tables import fill_tables, short
from reg4rec_core.experiments.sweep import sweep
from reg4rec_core.experiments.sweep_files import read_columns
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


def test_the_prunes_of_a_cell_make_a_table_by_the_belief_before_them(document, tmp_path):
    (tmp_path / "assets" / "results").mkdir(parents=True)
    (tmp_path / "assets" / "results" / "prunes_by_belief.json").write_text(json.dumps(document))
    lines = fill_tables("<!-- table: prunes -->\n<!-- end -->\n", tmp_path).splitlines()[3:-1]
    cell = document["cells"][0]
    strict = cell["prunes_by_belief"]
    assert sum(step["wrong_prunes"] for step in strict.values()) == pytest.approx(30 * cell["wrong_prunes"])
    first = strict["1"]
    right, cut, wrong, lost = (
        f"{100 * first[name]:.1f} %" for name in ("belief_accuracy", "pruned_share", "wrong_share", "lost_share")
    )
    assert lines[0].startswith(f"| theta .01 from step 1 | 1 | {right} | {cut} | {wrong} of {first['pruned']} |")
    assert f" | {lost} of {first['tried_to_target']} | " in lines[0]
    assert not [line for line in lines if "theta off" in line], "without prunes there is nothing to tell"


def test_differences_are_to_the_runs_own_setting(document):
    own, same, off = document["own"], *document["cells"][1:]
    assert same["metrics"] == own["metrics"]
    assert all(row == {"mean": 0, "low": 0, "high": 0} for row in same["difference"].values())
    for name, row in off["difference"].items():
        assert row["mean"] == pytest.approx(off["metrics"][name]["mean"] - own["metrics"][name]["mean"])


def test_a_sweep_that_was_stopped_goes_on_and_other_questions_are_asked_anew(reg4rec, run, document):
    folder = run / "evaluation" / "sweeps" / "theta-valid-30"
    stored = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    names = ("own", *(f"theta={t}" for t in (0.01, 0.2, "inf")))
    assert set(stored) == {"sweep.json", *(f"{name}.{kind}" for name in names for kind in ("json", "safetensors"))}
    (folder / "theta=inf.json").unlink()
    again = reg4rec("sweep", "--run", run, "--over", "theta=0.01,0.2,inf", *COMMON)
    numbers = {"metrics", "difference", "steps", "prunes", "reliability", "identity"}
    for before, after in zip(document["cells"], document_of(again)["cells"], strict=True):
        assert {name: before[name] for name in numbers} == {name: after[name] for name in numbers}
    assert again.stderr.count("(kept)") == 2
    changed = {path.name for path in folder.iterdir() if path.stat().st_mtime_ns != stored[path.name]}
    assert changed == {"theta=inf.json", "theta=inf.safetensors", "sweep.json"}
    other = reg4rec("sweep", "--run", run, "--over", "theta=0.01,0.2,inf", "--users", "30", "--seed", "2", "--json")
    assert "(kept)" not in other.stderr
    assert document_of(other)["own"]["metrics"] != document["own"]["metrics"]


def test_a_sweep_that_is_killed_in_the_middle_of_its_users_goes_on_from_there(run, document, monkeypatch):
    recommender, axes = Recommender.load(run), [Axis.parse("theta=0.01,0.2,inf")]
    monkeypatch.setattr(sweep_search, "PART_USERS", 12)
    searched = []

    def search_some(*given, **options):
        searched.append(len(given[2]))
        return search_items_under(*given, **options)

    monkeypatch.setattr(sweep_search, "search_items_under", search_some)

    def killed_after_two_parts(parts, **_):
        for part in parts:
            if len(searched) == 2:
                raise KeyboardInterrupt
            yield part

    asked = {"split": "valid", "users": 30, "seed": 1, "name": "killed"}
    with pytest.raises(KeyboardInterrupt):
        sweep(recommender, axes, **asked, progress=killed_after_two_parts)
    folder = run / "evaluation" / "sweeps" / "killed"
    assert {path.name for path in folder.iterdir()} == {"parts"}
    again = sweep(recommender, axes, **asked)
    assert searched == [12, 12, 6]
    assert not (folder / "parts").exists()
    numbers = ("metrics", "difference", "steps", "prunes", "reliability", "coverage", "distinctness", "identity")
    for before, after in zip([document["own"], *document["cells"]], [again["own"], *again["cells"]], strict=True):
        assert {name: before[name] for name in numbers} == json.loads(json.dumps({n: after[n] for n in numbers}))


def test_what_was_kept_of_another_question_is_not_taken_up(run, monkeypatch):
    recommender, axes = Recommender.load(run), [Axis.parse("theta=0.01,inf")]

    def killed_at_the_end(parts, **_):
        yield from parts
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep_search, "PART_USERS", 6)
    for seed, progress in ((1, killed_at_the_end), (2, killed_at_the_end)):
        with pytest.raises(KeyboardInterrupt):
            sweep(recommender, axes, split="valid", users=12, seed=seed, name="other", progress=progress)
    again = sweep(recommender, axes, split="valid", users=12, seed=1, name="other")
    fresh = sweep(recommender, axes, split="valid", users=12, seed=1, name="fresh")
    assert again["own"]["metrics"] == fresh["own"]["metrics"]


def test_a_cohort_alone_is_searched_and_goes_on_like_everybody(reg4rec, run):
    asked = ("sweep", "--run", run, "--over", "theta=0.01", "--cohort", "history_6~7", "--users", "8", "--json")
    found = document_of(reg4rec(*asked))
    assert (found["cohort"], found["users"]) == ("history_6~7", 8)
    assert found["folder"].endswith("theta-valid-8-history_6~7")
    columns = read_columns(run / "evaluation" / "sweeps" / "theta-valid-8-history_6~7" / "theta=0.01.safetensors")
    valid = {int(row): history for row, history in histories_of(run)}
    assert {len(valid[row]) for row in columns["users"].tolist()} == {6, 7}
    assert found["cells"][0]["pruned"] == pytest.approx(columns["pruned"].mean())
    assert reg4rec(*asked).stderr.count("(kept)") == 1


def histories_of(run):
    questions = held_out(Recommender.load(run).interactions, "valid")
    return zip(questions.users, questions.histories, strict=True)


def test_cells_that_differ_in_theta_alone_are_searched_together(reg4rec, run):
    grid = ("--over", "theta=0.05,inf", "--over", "beam_width=2,6", "--users", "6", "--json")
    cells = document_of(reg4rec("sweep", "--run", run, *grid))
    together = {cell["name"]: cell["searched_together"] for cell in (cells["own"], *cells["cells"])}
    assert together == {
        "own": 3,
        "theta=0.05,beam_width=2": 2,
        "theta=0.05,beam_width=6": 3,
        "theta=inf,beam_width=2": 2,
        "theta=inf,beam_width=6": 3,
    }


def test_cells_are_no_part_of_the_manifest(reg4rec, run, document):
    opened = open_run(run)
    opened.write_manifest()
    assert not any("sweeps" in name for name in json.loads((run / "manifest.json").read_text())["sha256"])
    opened.verify()


def test_a_sweep_kept_among_the_results_fills_a_table(document, tmp_path):
    for data in ("beauty", "toys", "sports"):
        write_json(tmp_path / "assets" / "results" / f"theta_{data}.json", document)
    assert {"config", "seed", "git_revision", "data_checksum"} <= set(document)
    lines = fill_tables("<!-- table: theta-data -->\n<!-- end -->\n", tmp_path).splitlines()
    assert [line.split(" | ")[0] for line in lines[3:-1]] == ["| .01", "| .20", "| off"]
    assert lines[1].startswith("| theta, 30 valid users each | Beauty: NDCG@10 (of off) |")
    assert f"| {short(document['cells'][2]['metrics']['ndcg@10']['mean'])} (100 %) |" in lines[-2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--over", "theta=0.2:0.1:0.1"), "a range reads START:STOP:STEP"),
        (("--over", "theta=0.1", "--over", "theta=0.2"), "every field once"),
        (("--over", "theta=0.1", "--name", "../mine"), "--name must be the plain name of a folder"),
        (("--over", "theta=-0.1"), "theta must be >= 0"),
        (("--over", "theta=nan"), "theta must be >= 0"),
        (("--over", "theta=0.1", "--cohort", "history_many"), "a range reads LOW~HIGH"),
        (("--over", "theta=0.1", "--cohort", "history_900~"), "nobody with a valid target is in the cohort"),
        (("--over", "theta=0.1", "--cohort", "outcome_miss"), "is decided by a search"),
        (("--over", "theta=0.1", "--cohort", "outcome_miss", "--store", "none"), "there is no trace store at none"),
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
