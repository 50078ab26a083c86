from dataclasses import replace

import numpy as np
import pytest
import torch

from reg4rec_core.checkpoint import open_run
from reg4rec_core.config import TokenizerConfig
from reg4rec_core.data import load_dataset
from reg4rec_core.training.fit_tokenizer import (
    assign_codes,
    fit_codebooks_to,
    fit_tokenizer,
    gate_quantiles,
    refuse_collapse,
    train_quantizer,
    training_interactions,
)
from reg4rec_core.types import InputError

SMALL = TokenizerConfig(n_codebooks=4, codebook_size=8, code_width=4, epochs=40, batch_size=32, learning_rate=3e-3)


def clustered_features(n_items=120, *, seed=0):
    """Items around 12 centres: something for codebooks to find."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((12, 24))
    points = centres[rng.integers(12, size=n_items)] + 0.2 * rng.standard_normal((n_items, 24))
    points /= np.sqrt(np.square(points).sum(1).mean())
    return np.concatenate([np.zeros((1, 24)), points]).astype(np.float32)


def quiet(_):
    """Takes what nobody reads."""


def test_training_lowers_the_reconstruction_loss_and_keeps_experts_apart():
    log = []
    quantizer = train_quantizer(clustered_features(), SMALL, log=log.append, progress=quiet)
    assert log[-1]["reconstruction"] < 0.6 * log[0]["reconstruction"]
    assert log[-1]["orthogonality"] < 4.0, "16 x 16 columns that copied each other would give far more"
    ids = assign_codes(quantizer, clustered_features())
    assert (ids.codes[0] == 0).all()
    assert all(len(np.unique(column)) > 4 for column in ids.codes[1:].T)


def test_the_seed_decides_the_codes():
    runs = [
        train_quantizer(clustered_features(), replace(SMALL, epochs=4, seed=s), log=quiet, progress=quiet)
        for s in (1, 1, 2)
    ]
    codes = [assign_codes(quantizer, clustered_features()).codes for quantizer in runs]
    assert (codes[0] == codes[1]).all()
    assert (codes[0] != codes[2]).any()


def test_codes_are_made_from_training_interactions_alone(tiny_data):
    dataset = load_dataset(tiny_data)
    items, offsets = training_interactions(dataset)
    assert len(items) == dataset.interactions.train_lengths.sum()
    for user in (0, 7, 31):
        own = items[offsets[user] : offsets[user + 1]]
        np.testing.assert_array_equal(own, dataset.interactions.sequence(user)[:-2])


def test_a_run_directory_holds_everything_but_the_weights(tiny_data, tmp_path):
    report = fit_tokenizer(tiny_data, tmp_path / "run", SMALL)
    run = open_run(tmp_path / "run")
    run.verify()
    assert run.semantic_ids().codes.shape == (report["items"] + 1, 4)
    assert run.codewords().shape == (4, 8, 4)
    assert run.features().shape[0] == report["items"] + 1
    assert run.load_dataset().info["checksum"] == run.settings["data_checksum"]
    assert len(report["perplexity"]) == len(report["dead_codes"]) == 4
    levels = np.array(list(report["gate_quantiles"].values()))
    assert levels.shape == (5, 4)
    assert (np.diff(levels, axis=0) >= 0).all()
    assert levels[0, 0] < report["gate_mean"][0] < levels[-1, 0]


def test_the_spread_of_the_gate_is_that_of_its_weights_over_the_items():
    falling = torch.arange(100.0, -1, -1) / 100
    quantiles = gate_quantiles(torch.stack([falling, falling / 2], 1))
    assert {name: pytest.approx([int(name) / 100, int(name) / 200]) for name in quantiles} == quantiles
    assert list(quantiles) == ["5", "25", "50", "75", "95"]


def test_a_run_of_residual_codes_is_decoded_in_their_order_and_its_codewords_add_up(tiny_data, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "reg4rec_core.training.fit_tokenizer.COLLAPSED_SHARE", 2.0
    )  # they are taken however uneven they come
    report = fit_tokenizer(tiny_data, tmp_path / "run", replace(SMALL, quantizer="residual"))
    run = open_run(tmp_path / "run")
    run.verify()
    assert (run.settings["tokenizer"]["quantizer"], run.decode_config().selection) == ("residual", "fixed")
    codes, codewords, features = run.semantic_ids().codes[1:], run.codewords(), run.features()[1:]
    assert codewords.shape == (4, 8, features.shape[1])
    summed = codewords[np.arange(4), codes].sum(1)
    spread = np.square(features - features.mean(0)).sum()
    assert 1 - np.square(features - summed).sum() / spread == pytest.approx(report["explained_variance"], abs=1e-3)
    assert report["explained_variance"] > 0.5
    assert len(report["perplexity"]) == 4


def test_an_existing_run_is_not_overwritten(tiny_data, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="must be a new directory"):
        fit_tokenizer(tiny_data, tmp_path / "run", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_collapsed_codebook_is_an_error():
    report = {"codebook_size": 50, "items": 1000, "perplexity": [30.0, 9.0]}
    with pytest.raises(InputError, match="codebook 1 collapsed"):
        refuse_collapse(report)


def test_a_small_catalogue_gets_smaller_codebooks_and_is_told_so():
    said = []
    assert fit_codebooks_to(300, TokenizerConfig(), progress=said.append).codebook_size == 37
    assert "taking 37" in said[0]
    assert fit_codebooks_to(12_101, TokenizerConfig(), progress=said.append).codebook_size == 300
    assert len(said) == 1
