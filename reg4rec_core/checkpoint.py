"""A run directory: everything a model needs to be used, in files that say what they are.

data/                       the data set (catalogue, interactions, split)
features.safetensors        item features the codes were made from (float16)
tokenizer.safetensors       codewords M x K x d and codes N x M
weights/pretrained.safetensors, weights/post_trained.safetensors
                            the network after each training stage (float16)
run.json                    package version, git revision, data checksum, seeds and the settings of every stage
tokenizer_report.json       what the tokenizer made of the catalogue
metrics.jsonl               one JSON object per logged step
evaluation/                 stored reports
baselines/                  peers trained beside the run: SASRec's weights, others' places, how each was trained
traces/                     stored searches of all users; not in the manifest, they can be made again
manifest.json               SHA-256 of every file above; training starts from nothing that differs from it
"""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass, fields, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save_file as save_tensors

from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig, ModelConfig
from reg4rec_core.data import Dataset, load_dataset
from reg4rec_core.data.batching import training_sequences
from reg4rec_core.model import EncoderDecoder, Reasoner, Transitions
from reg4rec_core.types import InputError, Rollouts, SemanticIds

WEIGHTS = ("post_trained", "pretrained")
"""Stages that leave weights, the latest first."""
ROLLOUTS = "rollouts.safetensors"
"""The sample of rollouts that post-training leaves."""


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file so that a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write a safetensors file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_tensors({name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}, partial)
    partial.chmod(0o644)  # the library leaves files that only their owner can read
    os.replace(partial, path)


def write_weights(path: Path, weights: dict[str, torch.Tensor]) -> None:
    """Write a network's weights atomically, numbers in half precision: half the size, and rankings stay as they are.

    Loading gives float32 again. InputError for a value that half precision cannot hold (above 65,504, or no number).
    """
    write_tensors(path, {name: _halved(name, tensor) for name, tensor in weights.items()})


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        return tensor
    half = tensor.detach().half()
    fits = torch.isfinite(half)
    if not fits.all():
        raise InputError(
            f"weights must be numbers of at most {torch.finfo(torch.half).max:,.0f} to be stored, {name} holds "
            f"{tensor.detach()[~fits][0].item():g}; the training has diverged, lower its --learning-rate"
        )
    return half


def append_metrics(path: Path, record: dict[str, Any]) -> None:
    """Add one JSON object to a `.jsonl` file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def provenance() -> dict[str, str]:
    """Package version and, inside a checkout, the git revision ("+changes" when files differ from it)."""
    try:
        package = version("reg4rec")
    except PackageNotFoundError:
        package = "unknown"
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty=+changes", "--abbrev=12"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return {"package_version": package, "git_revision": answer.stdout.strip() if answer.returncode == 0 else "unknown"}


def build_network(
    settings: ModelConfig,
    ids: SemanticIds,
    dataset: Dataset,
    *,
    dropout: float = 0.0,
    decoder_dropout: float = 0.0,
) -> EncoderDecoder:
    """An untrained network for these codes, the data's categories and the transitions of its training part."""
    transitions = None
    if settings.transition_weight:
        transitions = Transitions.count(training_sequences(dataset.interactions), n_items=ids.n_items)
    network = EncoderDecoder(
        torch.as_tensor(ids.codes),
        codebook_size=ids.codebook_size,
        n_categories=dataset.catalog.n_categories,
        history_length=HISTORY_LENGTH,
        dropout=dropout,
        decoder_dropout=decoder_dropout,
        transitions=transitions,
        **settings.to_dict(),
    )
    network.read_categories(torch.as_tensor(dataset.catalog.categories))
    return network


@dataclass(frozen=True)
class Run:
    """An opened run directory; parts are read when asked for."""

    path: Path

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Contents of run.json."""
        return json.loads((self.path / "run.json").read_text(encoding="utf-8"))

    def update_settings(self, **entries: Any) -> None:
        """Replace entries of run.json."""
        self.write_json("run.json", {**self.settings, **entries})
        self.__dict__.pop("settings", None)

    @cached_property
    def _dataset(self) -> Dataset:
        return load_dataset(self.path / "data")

    def load_dataset(self) -> Dataset:
        """Catalogue, interactions and split that the run was made from; read once."""
        return self._dataset

    def _file(self, name: str, made_by: str) -> Path:
        path = self.path / name
        if not path.exists():
            raise InputError(f"{self.path} has no {name}; make it with: reg4rec {made_by} --run {self.path}")
        return path

    def _arrays(self, name: str, made_by: str) -> dict[str, np.ndarray]:
        path = self._file(name, made_by)
        try:
            return load_arrays(path)
        except SafetensorError as error:
            raise InputError(f"{path} is damaged ({error}); make it again with: reg4rec {made_by}") from error

    def semantic_ids(self) -> SemanticIds:
        """Codes of every item."""
        arrays = self._arrays("tokenizer.safetensors", "fit-tokenizer --data DATA")
        return SemanticIds(arrays["codes"].astype(np.int64), arrays["codewords"].shape[1])

    def codewords(self) -> Float[np.ndarray, "M K d"]:
        """Codeword vectors of every codebook."""
        return self._arrays("tokenizer.safetensors", "fit-tokenizer --data DATA")["codewords"]

    def features(self) -> Float[np.ndarray, "N F"]:
        """Item features that the codes were made from."""
        return self._arrays("features.safetensors", "fit-tokenizer --data DATA")["features"].astype(np.float32)

    def weights_available(self) -> list[str]:
        """Stages whose weights exist, the latest first."""
        return [stage for stage in WEIGHTS if (self.path / "weights" / f"{stage}.safetensors").exists()]

    def stage_of(self, weights: str) -> str:
        """The stage that `weights` (latest, pretrained or post_trained) means here; InputError when it left none."""
        available = self.weights_available()
        if not available:
            raise InputError(f"{self.path} has no trained weights; make them with: reg4rec pretrain --run {self.path}")
        stage = available[0] if weights == "latest" else weights
        if stage not in available:
            raise InputError(f"{self.path} has no {weights} weights; it has {', '.join(available)}")
        return stage

    def network(self, weights: str = "latest", *, dropout: float = 0.0, decoder_dropout: float = 0.0) -> Reasoner:
        """The trained network, ready for decoding; `weights` is latest, pretrained or post_trained.

        Dropout counts for who trains it further.
        """
        path = self.path / "weights" / f"{self.stage_of(weights)}.safetensors"
        # what a run does not know of, because it is older, it has not got
        settings = ModelConfig.from_dict({"transition_weight": 0.0, "filter_share": 0.0, **self.settings["model"]})
        if "transition_weight" in self.settings:  # what pre-training chose at its end
            settings = replace(settings, transition_weight=self.settings["transition_weight"]["chosen"])
        network = build_network(
            settings, self.semantic_ids(), self.load_dataset(), dropout=dropout, decoder_dropout=decoder_dropout
        )
        try:
            weights = load_tensors(path)
            # runs from before codes spoke of categories by themselves: nothing is told
            weights.setdefault("code_categories.weight", torch.zeros_like(network.code_categories.weight))
            weights.setdefault("code_trust", network.code_trust.detach())
            network.load_state_dict(weights)
        except (SafetensorError, RuntimeError) as error:
            raise InputError(f"{path} does not fit this run ({str(error).splitlines()[0]}); train it again") from error
        return Reasoner(network)

    def decode_config(self) -> DecodeConfig:
        """The run's own decoding defaults (theta was chosen on validation)."""
        stored = dict(self.settings.get("decode", {}))
        if "theta" in stored and stored["theta"] is None:
            stored["theta"] = float("inf")
        if "thetas" in stored:
            stored["thetas"] = tuple(float("inf") if theta is None else theta for theta in stored["thetas"])
        return DecodeConfig.from_dict(stored)

    def set_decode_config(self, config: DecodeConfig) -> None:
        """Store decoding defaults; infinite thetas are stored as null."""
        values = config.to_dict()
        if values["theta"] == float("inf"):
            values["theta"] = None
        values["thetas"] = [None if theta == float("inf") else theta for theta in values["thetas"]]
        self.update_settings(decode=values)

    def save_rollouts(self, rollouts: Rollouts) -> None:
        """Keep a sample of post-training's rollouts with their reward terms."""
        columns = {field.name: torch.from_numpy(getattr(rollouts, field.name)) for field in fields(rollouts)}
        small = {name: column if column.is_floating_point() else column.int() for name, column in columns.items()}
        write_tensors(self.path / ROLLOUTS, small)

    def rollouts(self) -> Rollouts:
        """The stored sample of rollouts; InputError when the run was not post-trained."""
        arrays = self._arrays(ROLLOUTS, "post-train")
        return Rollouts(
            **{name: column.astype(np.int64) if column.dtype == np.int32 else column for name, column in arrays.items()}
        )

    def write_json(self, name: str, content: Any) -> None:
        """Store a JSON document under the run."""
        write_json(self.path / name, content)
        self._record(name)

    def read_json(self, name: str) -> Any:
        """A stored JSON document; InputError when there is none."""
        path = self.path / name
        if not path.exists():
            raise InputError(f"{self.path} has no {name}")
        return json.loads(path.read_text(encoding="utf-8"))

    def metrics(self) -> list[dict[str, Any]]:
        """The log of all training stages, in order."""
        path = self.path / "metrics.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def write_manifest(self) -> None:
        """List every file of the run with its checksum, at the end of a stage that had verified its inputs."""
        files = sorted(p for p in self.path.rglob("*") if p.is_file() and is_part_of_run(p.relative_to(self.path)))
        self._write_checksums({str(p.relative_to(self.path)): file_checksum(p) for p in files})

    def _record(self, name: str) -> None:
        """Renew one file's checksum; the others stay, so that what is damaged stays known as damaged."""
        if (self.path / "manifest.json").exists():
            self._write_checksums({**self._checksums(), name: file_checksum(self.path / name)})

    def _write_checksums(self, sums: dict[str, str]) -> None:
        write_json(self.path / "manifest.json", {"format": 1, "sha256": dict(sorted(sums.items()))})

    def _checksums(self) -> dict[str, str]:
        path = self.path / "manifest.json"
        if not path.exists():
            raise InputError(f"{self.path} has no manifest.json to check its files against; copy the run anew, whole")
        try:
            return dict(json.loads(path.read_text(encoding="utf-8"))["sha256"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged; copy the run anew, whole") from error

    def verify(self) -> None:
        """Compare every file with the manifest; InputError names the first that differs."""
        self._compare(self._checksums())

    def verify_inputs(self, *outputs: str) -> None:
        """Verify all that a training stage starts from: every file but the logs and the stage's own `outputs`.

        A stage that was stopped has left these ahead of the manifest. Call it before anything is overwritten.
        """
        sums = self._checksums()
        self._compare({name: sums[name] for name in sums if name not in outputs and not name.endswith(".jsonl")})

    def _compare(self, sums: dict[str, str]) -> None:
        for name, expected in sums.items():
            path = self.path / name
            if not path.exists():
                raise InputError(
                    f"{self.path} lost {name}, which its manifest lists; restore it or train the run again"
                )
            if file_checksum(path) != expected:
                raise InputError(f"{path} differs from its manifest; restore it or train the run again")


def is_part_of_run(path: Path) -> bool:
    """Whether a file belongs in the manifest: resume states, partial files, notes, sweeps and stored traces do not.

    `path` starts at the run. A cell of a sweep and a trace store name the weights they were made with, and may be
    deleted.
    """
    if path.parts[0] == "traces" or path.parts[:2] == ("evaluation", "sweeps"):
        return False
    return path.name not in ("manifest.json", "README.md") and path.suffix not in (".partial", ".resume")


def open_run(path: Path | str) -> Run:
    """Open a run directory, or say in one sentence what is missing."""
    path = Path(path)
    if not (path / "run.json").exists():
        raise InputError(f"there is no run at {path}; make one with: reg4rec fit-tokenizer --data DATA --run {path}")
    return Run(path)
