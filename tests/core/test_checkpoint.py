import json

import pytest

from reg4rec_core.checkpoint import append_metrics, open_run, write_json
from reg4rec_core.config import DecodeConfig
from reg4rec_core.types import InputError


@pytest.fixture
def run(tmp_path):
    write_json(tmp_path / "run" / "run.json", {"format": 1})
    return open_run(tmp_path / "run")


def test_a_missing_run_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(InputError, match="reg4rec fit-tokenizer"):
        open_run(tmp_path / "nowhere")


def test_a_run_without_weights_names_the_command_that_makes_them(run):
    with pytest.raises(InputError, match="reg4rec pretrain"):
        run.network()


def test_an_infinite_theta_is_stored_and_read_back(run):
    run.set_decode_config(DecodeConfig(theta=float("inf"), beam_width=7))
    assert json.loads((run.path / "run.json").read_text())["decode"]["theta"] is None
    assert open_run(run.path).decode_config() == DecodeConfig(theta=float("inf"), beam_width=7)


def test_a_changed_or_lost_file_is_found_by_the_manifest(run):
    append_metrics(run.path / "metrics.jsonl", {"epoch": 1})
    run.write_manifest()
    run.verify()
    append_metrics(run.path / "metrics.jsonl", {"epoch": 2})
    with pytest.raises(InputError, match=r"metrics\.jsonl differs from its manifest"):
        run.verify()
    (run.path / "metrics.jsonl").unlink()
    with pytest.raises(InputError, match=r"lost metrics\.jsonl"):
        run.verify()


def test_metrics_are_read_back_in_order(run):
    append_metrics(run.path / "metrics.jsonl", {"epoch": 1})
    append_metrics(run.path / "metrics.jsonl", {"epoch": 2})
    assert [record["epoch"] for record in run.metrics()] == [1, 2]


def test_damaged_codes_are_refused_in_words(run):
    (run.path / "tokenizer.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="is damaged"):
        run.semantic_ids()
