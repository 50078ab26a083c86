"""Thetas of every step at a quantile of the run's own divergences."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.config import DecodeConfig
from reg4rec_core.evaluation import search_split
from reg4rec_core.evaluation.beam_search import consistency
from reg4rec_core.evaluation.calibration import calibrate
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import InputError


@pytest.fixture(scope="module")
def recommender(tiny_run):
    return Recommender.load(tiny_run)


def test_so_many_jumps_of_every_step_lie_above_its_theta(recommender):
    decode = DecodeConfig(beam_width=6, theta=0.3, check_from=1)
    most, every = calibrate(recommender, decode, [0.9, 1.0], users=40)
    assert (most.theta, len(most.thetas)) == (0.3, 3)
    unpruned = search_split(recommender, "valid", replace(decode, theta=math.inf), users=40).searched
    for step, theta in enumerate(most.thetas):
        known = unpruned.js[:, step][~np.isnan(unpruned.js[:, step])]
        assert (known > theta).mean() == pytest.approx(0.1, abs=0.01)
        assert every.thetas[step] == known.max()
    assert len(set(most.thetas)) == 3
    pruned = search_split(recommender, "valid", most, users=40)
    assert (pruned.searched.pruned[:, :3].sum(0) > 0).all(), "every step prunes"
    shares = [row["tried_above_theta"] for row in consistency(pruned)["js"].values()]
    assert shares[0] == pytest.approx(0.1, abs=0.03)
    assert all(share < 0.3 for share in shares)


def test_a_sweep_has_a_cell_for_every_quantile(reg4rec, tiny_run, tmp_path):

    run = shutil.copytree(tiny_run, tmp_path / "run")
    result = reg4rec("sweep", "--run", run, "--theta-quantile", "0.5,0.99", "--users", "20", "--json")
    assert result.exit_code == 0, result.stderr
    cells = json.loads(result.stdout)["cells"]
    assert [cell["name"] for cell in cells] == ["theta_quantile=0.5", "theta_quantile=0.99"]
    assert cells[0]["pruned"] > cells[1]["pruned"]
    assert cells[0]["identity"]["decode"]["thetas"] < cells[1]["identity"]["decode"]["thetas"]
    nothing = reg4rec("sweep", "--run", run)
    assert nothing.exit_code == 2
    assert "a sweep needs something to vary" in nothing.stderr


def test_a_report_can_be_made_under_calibrated_thetas(reg4rec, tiny_run):

    common = ("evaluate", "--run", tiny_run, "--split", "test", "--users", "10", "--oracle-users", "0", "--json")
    reports = [json.loads(reg4rec(*common, "--theta-quantile", share).stdout) for share in ("0.2", "1")]
    assert reports[0]["prune_rate"] > reports[1]["prune_rate"]
    assert len(reports[0]["decode"]["thetas"]) == 3


def test_a_share_beyond_one_is_refused(recommender):
    with pytest.raises(InputError, match=r"must lie in \[0, 1\], got 95"):
        calibrate(recommender, DecodeConfig(), [95.0])


def test_thetas_are_stored_with_the_run(tmp_path):
    write_json(tmp_path / "run.json", {"format": 1})
    decode = DecodeConfig(theta=math.inf, thetas=(0.3, math.inf, 0.1))
    open_run(tmp_path).set_decode_config(decode)
    assert "Infinity" not in (tmp_path / "run.json").read_text()
    assert open_run(tmp_path).decode_config() == decode
    with pytest.raises(InputError, match="thetas must be >= 0"):
        DecodeConfig(thetas=(0.1, -1.0))
