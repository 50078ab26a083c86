"""Where a killed training goes on: named groups of tensors and JSON in one file that is there whole or not at all."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from reg4rec_core.training.parallel import ALONE, Workers
from reg4rec_core.types import InputError


@dataclass(frozen=True)
class ResumeState:
    """What a resume file holds; empty when there is nothing to go on from."""

    groups: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    """Tensors by group (network, optimizer, ...) and name; a group's name has no dot."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """JSON values by name: counters, and whatever else a stage keeps."""

    @property
    def is_empty(self) -> bool:
        return not self.groups and not self.metadata


def save_resume(path: Path, state: ResumeState, *, settings: dict[str, Any]) -> None:
    """Write the state and the settings it belongs to, atomically."""
    tensors = {f"{group}.{name}": value for group, named in state.groups.items() for name, value in named.items()}
    entries = {**state.metadata, "settings": settings}
    partial = path.with_name(path.name + ".partial")
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(kept, partial, metadata={name: json.dumps(entry, sort_keys=True) for name, entry in entries.items()})
    partial.replace(path)


def load_resume(path: Path, *, settings: dict[str, Any], workers: Workers = ALONE) -> ResumeState:
    """The saved state on every worker, an empty one where there is none; InputError when its settings are others.

    Only the first worker reads: the other machines need no copy of the file. How many workers saved it is no matter.
    """
    read = ResumeState()

    def metadata() -> dict[str, Any]:
        nonlocal read
        read = _read(path, settings)
        return read.metadata

    entries = workers.from_first(metadata)
    flat = {f"{group}.{name}": value for group, named in read.groups.items() for name, value in named.items()}
    return ResumeState(_grouped(workers.tensors_from_first(flat)), entries)


def _read(path: Path, settings: dict[str, Any]) -> ResumeState:
    if not path.exists():
        return ResumeState()
    try:
        with safe_open(path, framework="pt") as file:
            entries = {name: json.loads(text) for name, text in file.metadata().items()}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise InputError(f"{path} is damaged ({error}); delete it to start anew") from error
    # Compared as JSON, which knows no tuples and no difference between 1 and 1.0 that settings would care about.
    if entries.pop("settings") != json.loads(json.dumps(settings)):
        raise InputError(
            f"{path} was left by a training with other settings; "
            "repeat those settings to go on, or delete it to start anew"
        )
    return ResumeState(_grouped(tensors), entries)


def _grouped(flat: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    groups: dict[str, dict[str, Tensor]] = {}
    for full_name, value in flat.items():
        group, _, name = full_name.partition(".")
        groups.setdefault(group, {})[name] = value
    return groups


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's moments and step counts, named "parameter number.field"."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{name}": value for index, fields in state.items() for name, value in fields.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave; the groups keep their own learning rates and decay."""
    state: dict[int, dict[str, Tensor]] = {}
    for full_name, value in tensors.items():
        index, _, name = full_name.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
