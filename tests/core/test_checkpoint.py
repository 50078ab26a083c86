import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from reg4rec_core.checkpoint import append_metrics, open_run, write_json, write_tensors, write_weights
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


def test_weights_are_stored_in_half_precision_and_whole_numbers_as_they_are(tmp_path):
    write_weights(
        tmp_path / "w.safetensors", {"matrix": torch.tensor([[0.1, -65504.0]]), "codes": torch.tensor([70000])}
    )
    stored = load_file(tmp_path / "w.safetensors")
    assert (stored["matrix"].dtype, stored["codes"].dtype) == (torch.float16, torch.int64)
    assert stored["matrix"].tolist() == [[pytest.approx(0.1, rel=2**-11), -65504.0]]
    assert stored["codes"].tolist() == [70000]


@pytest.mark.parametrize("value", [70_000.0, -70_000.0, float("inf"), float("nan")])
def test_a_weight_that_half_precision_cannot_hold_is_refused_and_the_old_file_stays(tmp_path, value):
    path = tmp_path / "w.safetensors"
    write_weights(path, {"bias": torch.zeros(2)})
    with pytest.raises(InputError, match=rf"at most 65,504 to be stored, bias holds {value:g}; .*--learning-rate"):
        write_weights(path, {"bias": torch.tensor([0.5, value])})
    assert load_file(path)["bias"].tolist() == [0, 0]


def test_half_precision_weights_load_as_float32_and_older_float32_files_still_do(two_stage_run, tmp_path):
    run = open_run(two_stage_run)
    halved = run.network("post_trained").network.state_dict()
    assert {value.dtype for value in halved.values() if value.is_floating_point()} == {torch.float32}
    stored = load_file(two_stage_run / "weights" / "post_trained.safetensors")
    shutil.copytree(two_stage_run, tmp_path / "old")
    write_tensors(tmp_path / "old" / "weights" / "post_trained.safetensors", {n: v.float() for n, v in stored.items()})
    for name, value in open_run(tmp_path / "old").network("post_trained").network.state_dict().items():
        assert torch.equal(value, halved[name])


def test_the_latest_stage_is_the_default_and_each_can_be_asked_for(two_stage_run):
    run = open_run(two_stage_run)
    assert [run.stage_of(name) for name in ("latest", "post_trained", "pretrained")] == [
        "post_trained",
        "post_trained",
        "pretrained",
    ]
    bias = {name: run.network(name).network.category_head.bias for name in ("latest", "post_trained", "pretrained")}
    assert torch.equal(bias["latest"], bias["post_trained"])
    assert not torch.equal(bias["latest"], bias["pretrained"])


def test_weights_that_no_stage_left_are_refused(tiny_run):
    with pytest.raises(InputError, match="has no post_trained weights; it has pretrained"):
        open_run(tiny_run).stage_of("post_trained")


def test_a_stored_document_is_listed_at_once_and_blesses_nothing_else(run):
    (run.path / "weights.bin").write_bytes(b"good")
    run.write_manifest()
    (run.path / "weights.bin").write_bytes(b"damaged")
    run.write_json("evaluation/test.json", {"recall@10": 0.5})
    run.update_settings(decode={})
    with pytest.raises(InputError, match=r"weights\.bin differs from its manifest"):
        run.verify()
    (run.path / "weights.bin").write_bytes(b"good")
    run.verify()


def test_a_stopped_stage_may_have_left_its_logs_and_outputs_ahead_of_the_manifest(run):
    append_metrics(run.path / "metrics.jsonl", {"epoch": 1})
    (run.path / "codes.bin").write_bytes(b"codes")
    (run.path / "weights.bin").write_bytes(b"old")
    run.write_manifest()
    append_metrics(run.path / "metrics.jsonl", {"epoch": 2})
    (run.path / "weights.bin").write_bytes(b"newer")
    run.verify_inputs("weights.bin")
    with pytest.raises(InputError, match=r"weights\.bin differs"):
        run.verify_inputs()
    (run.path / "codes.bin").write_bytes(b"other")
    with pytest.raises(InputError, match=r"codes\.bin differs"):
        run.verify_inputs("weights.bin")


@pytest.mark.parametrize("check", ["verify", "verify_inputs"])
def test_a_run_without_a_manifest_or_with_a_damaged_one_is_refused(run, check):
    with pytest.raises(InputError, match=r"has no manifest\.json to check its files against"):
        getattr(run, check)()
    for damaged in ("{", "[]", '{"format": 1}', '{"sha256": 3}'):
        (run.path / "manifest.json").write_text(damaged)
        with pytest.raises(InputError, match=r"manifest\.json is damaged"):
            getattr(run, check)()
