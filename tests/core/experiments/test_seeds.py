"""Runs that differ in their seed alone, side by side."""

import json
import shutil

import numpy as np
import pytest
from quick_theta import theta_chosen_quickly
from small_run import SMALL, make_run

from reg4rec_core.checkpoint import open_run
from reg4rec_core.config import PretrainConfig
from reg4rec_core.experiments.seeds import seeds_document
from reg4rec_core.training.pretrain import pretrain
from reg4rec_core.types import InputError


@pytest.fixture(scope="module")
def runs(reg4rec, tmp_path_factory):
    """Two tiny runs with their test reports."""
    folder = tmp_path_factory.mktemp("seeds")
    for seed in (0, 1):
        run = make_run(folder / f"seed{seed}")
        open_run(run).update_settings(data_checksum="0" * 64)
        config = PretrainConfig(epochs=2, encoder_share=0.0, batch_size=16, learning_rate=1e-2, seed=seed)
        with theta_chosen_quickly():
            pretrain(run, SMALL, config)
        assert reg4rec("evaluate", "--run", run, "--split", "test", "--oracle-users", "2").exit_code == 0
    return [folder / f"seed{seed}" for seed in (0, 1)]


def test_mean_and_deviation_are_those_of_the_runs_own_reports(reg4rec, runs, tmp_path):
    options = [part for run in runs for part in ("--run", run)]
    answer = reg4rec("seeds", *options, "--out", tmp_path / "seeds.json", "--json")
    document = json.loads(answer.stdout)
    assert json.loads((tmp_path / "seeds.json").read_text()) == document
    reports = [open_run(run).read_json("evaluation/test.json") for run in runs]
    values = [report["ndcg@10"] for report in reports]
    assert document["mean"]["beam search"]["ndcg@10"] == pytest.approx(np.mean(values))
    assert document["deviation"]["beam search"]["ndcg@10"] == pytest.approx(abs(values[0] - values[1]) / np.sqrt(2))
    exact = [report["first_state"]["recall@10"] for report in reports]
    assert [run["rankings"]["first state, exact"]["recall@10"] for run in document["runs"]] == exact
    assert document["seed"] == [0, 1]


def test_runs_that_differ_in_more_than_their_seed_are_refused(runs, tmp_path):
    other = shutil.copytree(runs[1], tmp_path / "other")
    pretrained = open_run(other).settings["pretrain"]
    open_run(other).update_settings(pretrain={**pretrained, "dropout": 0.1})
    with pytest.raises(InputError, match=r"differ in their seed alone, .*other differs in pretrain"):
        seeds_document([runs[0], other])


def test_the_same_seed_twice_or_a_single_run_is_refused(runs):
    with pytest.raises(InputError, match="must have different seeds"):
        seeds_document([runs[0], runs[0]])
    with pytest.raises(InputError, match="twice at least"):
        seeds_document(runs[:1])


def test_a_run_without_a_report_is_refused(runs, tmp_path):
    other = shutil.copytree(runs[1], tmp_path / "other")
    (other / "evaluation" / "test.json").unlink()
    with pytest.raises(InputError, match=r"has no evaluation/test.json"):
        seeds_document([runs[0], other])
