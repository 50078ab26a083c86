"""`reg4rec ablate` on a tiny shop: cells trained, searched, compared, and kept."""

import json
import shutil

import numpy as np
import pytest
from quick_theta import theta_chosen_quickly
from safetensors.numpy import load_file

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.experiments.result_tables import fill_tables, short
from reg4rec_core.metrics import ranking_metrics

SETTINGS = {
    "format": 1,
    "tokenizer": {"n_codebooks": 3, "codebook_size": 8, "code_width": 4, "epochs": 20},
    "model": {"width": 16, "hidden": 24, "n_heads": 2},
    "pretrain": {"batch_size": 32, "learning_rate": 0.01, "warmup_steps": 5, "dropout": 0.1},
    "post_train": {"batch_size": 8, "rollouts": 4, "validate_every": 2, "learning_rate": 0.01, "warmup_steps": 1},
    "decode": {"beam_width": 6},
}
CELLS = ("no-mpq", "no-crss", "no-pars", "no-corp", "window-1", "window-3", "codebook-size-300")
BUDGET = ("--minutes", "0.01", "--steps", "2", "--users", "12")


@pytest.fixture(scope="module")
def base_run(tmp_path_factory):
    """A run that lends its settings: nothing else of it is read."""
    path = tmp_path_factory.mktemp("runs") / "base"
    write_json(path / "run.json", SETTINGS)
    write_json(path / "tokenizer_report.json", {"seconds": 30.0})
    return path


@pytest.fixture(scope="module")
def ablated(reg4rec, base_run, tiny_data, tmp_path_factory):
    """(command, directory, document) of a finished ablation."""
    out = tmp_path_factory.mktemp("ablation") / "out"
    command = ("ablate", "--run", base_run, "--data", tiny_data, "--out", out, *BUDGET, "--cells", ",".join(CELLS))
    with theta_chosen_quickly():
        result = reg4rec(*command, "--json")
    assert result.exit_code == 0, result.stderr
    return command, out, json.loads(result.stdout, parse_constant=pytest.fail)


def by_name(document):
    return {cell["name"]: cell for cell in document["cells"]}


def test_the_cells_that_were_asked_for_stand_beside_base_and_controls(ablated):
    _, out, document = ablated
    cells = by_name(document)
    assert set(cells) == {"full", "supervised-only", "no-msra", *CELLS}
    assert {name: cells[name]["same_as"] for name in ("window-1", "window-3", "codebook-size-300")} == {
        "window-1": "no-msra",
        "window-3": "full",
        "codebook-size-300": "codebook-size-300",
    }
    assert {"config", "seed", "git_revision", "data_checksum"} <= set(document)
    assert json.loads((out / "ablation.json").read_text()) == document
    assert cells["no-pars"]["control"] == "supervised-only"


def test_only_new_codes_are_trained_anew(ablated):
    _, out, document = ablated
    runs = {path.name for path in (out / "runs").iterdir()}
    pretrained = {"full", "no-mpq", "codebook-size-300"}
    post_trained = {"full", "supervised-only", "no-mpq", "no-crss", "no-msra", "codebook-size-300"}
    assert runs == pretrained | {f"{name}+post" for name in post_trained}
    weights = [
        (out / "runs" / name / "weights" / "pretrained.safetensors").read_bytes() for name in ("full", "no-crss+post")
    ]
    assert weights[0] == weights[1]
    cells = by_name(document)
    assert (cells["no-pars"]["run"], cells["no-corp"]["run"]) == ("full", "full+post")


def test_each_run_has_the_settings_of_its_cell(ablated):
    _, out, document = ablated
    runs = {path.name: open_run(path) for path in (out / "runs").iterdir()}
    assert runs["no-mpq"].settings["tokenizer"]["quantizer"] == "residual"
    selections = {name: run.decode_config().selection for name, run in runs.items()}
    assert {name for name, selection in selections.items() if selection == "fixed"} == {
        "no-mpq",
        "no-mpq+post",
        "no-crss+post",
    }
    assert runs["supervised-only+post"].settings["post_train"]["policy_weight"] == 0
    assert runs["no-msra+post"].settings["post_train"]["window"] == 1
    assert {run.decode_config().beam_width for run in runs.values()} == {6}
    cells = by_name(document)
    assert (cells["no-corp"]["decode"]["theta"], cells["no-corp"]["prune_rate"]) == (None, 0)
    assert cells["no-crss"]["decode"]["selection"] == "fixed"
    for run in runs.values():
        run.verify()


def test_numbers_and_differences_are_those_of_the_stored_places(ablated):
    _, out, document = ablated
    places = {path.stem: load_file(path) for path in (out / "cells").glob("*.safetensors")}
    cells = by_name(document)
    for name, own in places.items():
        for ranking in ("first_state", "beam"):
            block = cells[name][ranking]
            assert block["users"] == len(own[ranking])
            means = ranking_metrics(own[ranking])
            assert {metric: row["mean"] for metric, row in block["metrics"].items()} == pytest.approx(means)
            for other, key in (("full", "difference"), (cells[name]["control"], "against_control")):
                theirs = ranking_metrics(places[other][ranking])
                for metric, row in block[key].items():
                    assert row["mean"] == pytest.approx(means[metric] - theirs[metric])
    assert cells["full"]["beam"]["users"] == 12 < cells["full"]["first_state"]["users"]
    same = [np.array_equal(places["full"][r], places["no-corp"][r]) for r in ("first_state", "beam")]
    assert same[0], "pruning comes after the first state"


def test_a_stopped_ablation_goes_on_and_another_one_is_refused(reg4rec, ablated):
    command, out, document = ablated
    runs = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.safetensors")}
    (out / "cells" / "no-corp.json").unlink()
    again = reg4rec(*command, "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout) == document
    assert again.stderr.count("(kept)") == len(document["cells"]) - 3  # no-corp is made anew, two windows are twins
    assert runs == {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.safetensors")}
    other = reg4rec(*command, "--seed", "1")
    assert other.exit_code == 2
    assert "holds an ablation with another base; choose another --out" in other.stderr


def test_a_twin_is_asked_what_it_is_asked_and_stands_beside_its_own_control(ablated):
    cells = by_name(ablated[2])
    twin, base, control = (cells[name] for name in ("window-3", "full", "supervised-only"))
    assert (twin["control"], twin["question"]) == ("supervised-only", "h, future items that count")
    for ranking in ("first_state", "beam"):
        assert twin[ranking]["metrics"] == base[ranking]["metrics"]
        for metric, row in twin[ranking]["against_control"].items():
            means = [cell[ranking]["metrics"][metric]["mean"] for cell in (twin, control)]
            assert row["mean"] == pytest.approx(means[0] - means[1])
            assert row["mean"] == pytest.approx(-control[ranking]["difference"][metric]["mean"])


def test_windows_are_a_table_of_their_own(ablated, tmp_path):
    _, out, document = ablated
    (tmp_path / "assets" / "results").mkdir(parents=True)
    shutil.copy(out / "ablation.json", tmp_path / "assets" / "results" / "windows.json")
    lines = fill_tables("<!-- table: windows -->\n<!-- end -->\n", tmp_path).splitlines()[3:-1]
    rows = [[text.strip() for text in line.split("|")[1:-1]] for line in lines]
    assert [row[:3] for row in rows] == [
        ["supervised-only", "", ""],
        ["window-1 (= no-msra)", "1", ".8"],
        ["window-3 (= full)", "3", ".8"],
    ]
    for row, cell in zip(rows, (by_name(document)[row[0].split()[0]] for row in rows), strict=True):
        assert [row[3], row[5]] == [short(cell[r]["metrics"]["ndcg@10"]["mean"]) for r in ("first_state", "beam")]
    differences = [
        row["mean"]
        for row in (by_name(document)["window-3"][r]["against_control"]["ndcg@10"] for r in ("first_state", "beam"))
    ]
    assert [float(rows[2][column].split()[0]) for column in (4, 6)] == pytest.approx(differences, abs=5e-5)
    assert [rows[0][column] for column in (4, 6)] == ["", ""]


def test_an_ablation_kept_among_the_results_fills_a_table(ablated, tmp_path):
    _, out, document = ablated
    (tmp_path / "assets" / "results").mkdir(parents=True)
    shutil.copy(out / "ablation.json", tmp_path / "assets" / "results")
    lines = fill_tables("<!-- table: ablation -->\n<!-- end -->\n", tmp_path).splitlines()[3:-1]
    assert [line.split()[1] for line in lines] == [cell["name"] for cell in document["cells"]]
    assert [line.endswith("| |") for line in lines] == [True, *[False] * (len(lines) - 1)]


@pytest.fixture(scope="module")
def in_two_calls(reg4rec, tiny_data, tmp_path_factory):
    """(directory, documents) of an ablation of sizes in epochs whose cells were asked for one call after the other."""
    folder = tmp_path_factory.mktemp("sizes")
    write_json(folder / "base" / "run.json", SETTINGS | {"tokenizer": SETTINGS["tokenizer"] | {"n_codebooks": 2}})
    command = ("ablate", "--run", folder / "base", "--data", tiny_data, "--out", folder / "out", "--epochs", "2")
    documents = []
    with theta_chosen_quickly():
        for cells in ("codebooks-2,codebooks-4", "no-corp"):
            result = reg4rec(*command, "--steps", "0", "--users", "12", "--cells", cells, "--json")
            assert result.exit_code == 0, result.stderr
            documents.append(json.loads(result.stdout))
    return folder / "out", documents


def test_cells_asked_for_later_join_those_that_are_made(in_two_calls):
    out, (first, second) = in_two_calls
    assert [cell["name"] for cell in first["cells"]] == ["full", "codebooks-2", "codebooks-4"]
    assert [cell["name"] for cell in second["cells"]] == ["full", "no-corp", "codebooks-2", "codebooks-4"]
    assert [cell for cell in second["cells"] if cell["name"] != "no-corp"] == first["cells"]
    for name in ("full", "codebooks-4"):
        trained = open_run(out / "runs" / name).settings
        assert (trained["pretrain"]["epochs"], trained["pretrain"]["minutes"]) == (2, None)
        assert trained["pretrain_report"]["epochs"] == 2


def test_a_second_ablation_fills_a_table_of_both_rankings(in_two_calls, tmp_path):
    out, (_, document) = in_two_calls
    (tmp_path / "assets" / "results").mkdir(parents=True)
    shutil.copy(out / "ablation.json", tmp_path / "assets" / "results" / "ablation_sizes.json")
    header, _, *lines = fill_tables("<!-- table: ablation-sizes -->\n<!-- end -->\n", tmp_path).splitlines()[1:-1]
    rows = [[text.strip() for text in line.split("|")[1:-1]] for line in lines]
    assert [row[0] for row in rows] == ["full", "no-corp", "codebooks-2 (= full)", "codebooks-4"]
    assert {len(row) for row in rows} == {header.count("|") - 1}
    assert [bool(row[6]) for row in rows] == [False, True, False, True]
    own, base = document["cells"][3], document["cells"][0]
    means = [
        own[ranking]["metrics"][m]["mean"] for ranking in ("first_state", "beam") for m in ("recall@10", "ndcg@10")
    ]
    assert rows[3][2:6] == [short(mean) for mean in means]
    minus = own["beam"]["metrics"]["ndcg@10"]["mean"] - base["beam"]["metrics"]["ndcg@10"]["mean"]
    assert float(rows[3][6].split()[0]) == pytest.approx(minus, abs=5e-5)
    assert rows[2][2:6] == rows[0][2:6]
    assert rows[0][7].isdigit()


def test_the_plan_is_listed_without_doing_anything(reg4rec, base_run):
    result = reg4rec("ablate", "--run", base_run, "--list", *BUDGET, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert len(document["cells"]) == 34
    assert document["cells"][0]["minutes"] == pytest.approx((30 + 60 * 0.01 + 2 * 2.5 + 12 / 100) / 60)
    assert document["minutes"] == pytest.approx(sum(row["minutes"] for row in document["cells"]))
    assert result.stderr.count("\n") == 36
    assert sorted(path.name for path in base_run.iterdir()) == ["run.json", "tokenizer_report.json"]


def test_a_plan_in_epochs_costs_what_the_run_took_for_as_many(reg4rec, tmp_path):
    run = tmp_path / "run"
    write_json(run / "run.json", SETTINGS | {"pretrain_report": {"epochs": 10, "seconds": 500.0}})
    write_json(run / "tokenizer_report.json", {"seconds": 30.0})
    result = reg4rec("ablate", "--run", run, "--list", "--epochs", "4", "--steps", "0", "--users", "100", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["cells"][0]["minutes"] == pytest.approx((30 + 4 * 50 + 1) / 60)


def test_a_run_lends_its_pre_training_when_asked(reg4rec, two_stage_run, tiny_data, tmp_path):
    command = ("ablate", "--run", two_stage_run, "--out", tmp_path / "out", "--reuse", "--steps", "1", "--users", "8")
    result = reg4rec(*command, "--data", tiny_data, "--cells", "no-pars", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    lent = (two_stage_run / "weights" / "pretrained.safetensors").read_bytes()
    assert (tmp_path / "out" / "runs" / "full" / "weights" / "pretrained.safetensors").read_bytes() == lent
    own = open_run(two_stage_run).settings["pretrain"]
    assert document["config"]["pretrain"] == own
    assert not (tmp_path / "out" / "runs" / "full" / "weights" / "post_trained.safetensors").exists()


def test_a_run_of_other_data_lends_nothing(reg4rec, tiny_run, tiny_data, tmp_path):
    run = open_run(shutil.copytree(tiny_run, tmp_path / "run"))
    run.update_settings(data_checksum="another")
    run.write_manifest()
    result = reg4rec("ablate", "--run", run.path, "--data", tiny_data, "--out", tmp_path / "out", "--reuse")
    assert result.exit_code == 2
    assert "was trained on other data than --data" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "needs --data and --out"),
        (("--list", "--cells", "no-brain"), "there is no cell no-brain"),
        (("--list", "--epochs", "3", "--minutes", "3"), "--epochs goes with neither --minutes nor --reuse"),
        (("--list", "--epochs", "3", "--reuse"), "--epochs goes with neither --minutes nor --reuse"),
    ],
)
def test_a_bad_question_is_one_sentence(reg4rec, base_run, arguments, message):
    result = reg4rec("ablate", "--run", base_run, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
