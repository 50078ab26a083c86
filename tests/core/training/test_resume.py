import pytest
import torch

from reg4rec_core.training.resume import (
    ResumeState,
    load_resume,
    optimizer_tensors,
    restore_optimizer,
    save_resume,
)
from reg4rec_core.types import InputError


def test_saved_groups_and_metadata_come_back(tmp_path):
    groups = {"network": {"layer.0.weight": torch.eye(2)}, "extra": {"moment": torch.tensor(3)}}
    state = ResumeState(groups, {"progress": {"epoch": 2}, "plan": ["fp32", "bf16"]})
    save_resume(tmp_path / "a.resume", state, settings={"seed": 1, "minutes": 2.0})
    read = load_resume(tmp_path / "a.resume", settings={"minutes": 2.0, "seed": 1})
    assert read.metadata == state.metadata
    assert torch.equal(read.groups["network"]["layer.0.weight"], torch.eye(2))
    assert read.groups["extra"]["moment"].item() == 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.resume"]


def test_without_a_file_the_state_is_empty(tmp_path):
    assert load_resume(tmp_path / "a.resume", settings={}).is_empty


def test_other_settings_are_refused(tmp_path):
    save_resume(tmp_path / "a.resume", ResumeState({}, {"step": 1}), settings={"seed": 1})
    with pytest.raises(InputError, match="other settings"):
        load_resume(tmp_path / "a.resume", settings={"seed": 2})


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "a.resume").write_bytes(b"half a fi")
    with pytest.raises(InputError, match=r"a\.resume is damaged"):
        load_resume(tmp_path / "a.resume", settings={})


def test_an_optimizer_goes_on_as_if_it_had_not_stopped():
    def make():
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        return layer, torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)

    def steps(layer, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            layer(torch.ones(3)).square().sum().backward()
            optimizer.step()

    whole, whole_optimizer = make()
    steps(whole, whole_optimizer, 5)
    first, first_optimizer = make()
    steps(first, first_optimizer, 2)
    second, second_optimizer = make()
    second.load_state_dict(first.state_dict())
    restore_optimizer(second_optimizer, optimizer_tensors(first_optimizer))
    steps(second, second_optimizer, 3)
    assert torch.equal(second.weight, whole.weight)
