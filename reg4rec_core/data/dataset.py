"""The data set directory: what `prepare` writes and every later stage reads.

catalog.parquet             item_key, title, brand, category_path, category; row i is item i + 1
interactions.parquet        user, item, timestamp: by user, oldest first
users.parquet               user_key, train_length, valid_position, test_position
features.safetensors        "features" N x F, where the user gave an extra modality
text_features.safetensors   sentence vectors computed earlier, where the source came with them
dataset.json                format, source, split, k_core, category_names, audit, checksum
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from reg4rec_core.types import Catalog, InputError, Interactions

FORMAT = 1
"""Version of the directory's layout."""
REMEDY = "reg4rec prepare"
"""The command that makes what is missing or damaged here."""
TEXT_FEATURES = "text_features.safetensors"
"""Name of the sentence vectors' file, in a source directory as in a data set directory."""


@dataclass(frozen=True)
class Dataset:
    """A catalogue, the interactions with it, and what is known about where they came from."""

    catalog: Catalog
    interactions: Interactions
    info: dict[str, Any] = field(default_factory=dict)
    """Contents of dataset.json: format, source, split, k_core, category_names, audit, checksum."""

    def __post_init__(self) -> None:
        newest = self.interactions.items.max(initial=0)
        if newest >= self.catalog.n_items:
            raise ValueError(f"interactions name item {newest}, but the catalogue ends at {self.catalog.n_items - 1}")


def checksum(catalog: Catalog, interactions: Interactions) -> str:
    """SHA-256 over every value of the catalogue, the interactions and the split; file formats play no part."""
    digest = hashlib.sha256()
    paths = ["\x1e".join(path) for path in catalog.category_paths]
    names = (catalog.category_names, interactions.user_keys)
    for texts in (catalog.item_keys, catalog.titles, catalog.brands, paths, *names):
        digest.update(f"{len(texts)};".encode())
        digest.update("\x1f".join(texts).encode())
    log = interactions
    for array in (catalog.categories, log.items, log.timestamps, log.offsets, log.train_lengths):
        digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    for array in (log.valid_positions, log.test_positions):
        digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(catalog.features, dtype="<f4").tobytes())
    return digest.hexdigest()


def save_dataset(directory: Path, dataset: Dataset, *, text_features: Path | None = None) -> None:
    """Write a data set directory in one move: it is there whole or not at all.

    `text_features` is a file of sentence vectors to copy along. Raises InputError when `directory` exists or its
    parent cannot be written.
    """
    directory = Path(directory)
    require_absent(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", suffix=".partial", dir=directory.parent))
    except OSError as error:
        raise InputError(f"cannot write {directory}: {error.strerror}; choose another --out") from error
    try:
        write_parts(building, dataset)
        if text_features is not None:
            shutil.copyfile(text_features, building / TEXT_FEATURES)
        building.chmod(0o755)
        require_absent(directory)
        os.rename(building, directory)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def require_absent(directory: Path) -> None:
    """InputError when something is at the output path already."""
    if os.path.lexists(directory):
        raise InputError(f"{directory} exists; remove it or choose another --out")


def write_parts(directory: Path, dataset: Dataset) -> None:
    """Write every file of a data set into an existing directory."""
    catalog, log = dataset.catalog, dataset.interactions
    items = {
        "item_key": pa.array(catalog.item_keys[1:], pa.string()),
        "title": pa.array(catalog.titles[1:], pa.string()),
        "brand": pa.array(catalog.brands[1:], pa.string()),
        "category_path": pa.array([list(path) for path in catalog.category_paths[1:]], pa.list_(pa.string())),
        "category": pa.array(catalog.categories[1:], pa.int32()),
    }
    rows = {
        "user": pa.array(np.repeat(np.arange(log.n_users), np.diff(log.offsets)), pa.int32()),
        "item": pa.array(log.items, pa.int32()),
        "timestamp": pa.array(log.timestamps, pa.int64()),
    }
    users = {
        "user_key": pa.array(log.user_keys, pa.string()),
        "train_length": pa.array(log.train_lengths, pa.int32()),
        "valid_position": pa.array(log.valid_positions, pa.int32()),
        "test_position": pa.array(log.test_positions, pa.int32()),
    }
    for name, columns in (("catalog", items), ("interactions", rows), ("users", users)):
        pq.write_table(pa.table(columns), directory / f"{name}.parquet", compression="zstd")
    if catalog.features.shape[1]:
        save_file({"features": catalog.features.astype(np.float32)}, directory / "features.safetensors")
    info = {
        **dataset.info,
        "format": FORMAT,
        "category_names": list(catalog.category_names),
        "checksum": checksum(catalog, log),
    }
    (directory / "dataset.json").write_text(json.dumps(info, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_dataset(directory: Path) -> Dataset:
    """Read a data set directory back, checked against its own checksum.

    Raises InputError when the directory is missing, incomplete, of another format or damaged.
    """
    directory = Path(directory)
    info = read_info(directory)
    items = read_part(directory, "catalog", ("item_key", "title", "brand", "category_path", "category"))
    rows = read_part(directory, "interactions", ("user", "item", "timestamp"))
    users = read_part(directory, "users", ("user_key", "train_length", "valid_position", "test_position"))
    try:
        catalog = assemble_catalog(items, read_features(directory, n_items=len(items) + 1), info["category_names"])
        dataset = Dataset(catalog, assemble_interactions(rows, users), info)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{directory} is not a valid data set ({error}); make it again with {REMEDY}") from error
    if checksum(catalog, dataset.interactions) != info.get("checksum"):
        raise InputError(f"{directory} differs from its checksum in dataset.json; make it again with {REMEDY}")
    return dataset


def read_info(directory: Path) -> dict[str, Any]:
    """Contents of dataset.json."""
    path = directory / "dataset.json"
    if not path.exists():
        raise InputError(f"there is no data set at {directory}; make one with: reg4rec prepare --out {directory}")
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not readable JSON ({error}); make it again with {REMEDY}") from error
    if not isinstance(info, dict) or info.get("format") != FORMAT:
        raise InputError(f"{path} must say format {FORMAT}; make it again with {REMEDY}")
    return info


def read_part(directory: Path, name: str, columns: Iterable[str]) -> pd.DataFrame:
    path = directory / f"{name}.parquet"
    try:
        return pq.read_table(path, columns=list(columns), partitioning=None).select(list(columns)).to_pandas()
    except (OSError, KeyError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({reason}); make it again with {REMEDY}") from error


def read_features(directory: Path, *, n_items: int) -> np.ndarray:
    path = directory / "features.safetensors"
    if not path.exists():
        return np.zeros((n_items, 0), np.float32)
    try:
        return load_file(path)["features"]
    except (SafetensorError, KeyError) as error:
        raise InputError(f"{path} cannot be read ({error}); make it again with {REMEDY}") from error


def assemble_catalog(items: pd.DataFrame, features: np.ndarray, category_names: Iterable[str]) -> Catalog:
    """The catalogue of these rows, with padding put in front."""
    paths = (tuple(str(name) for name in path) for path in items["category_path"])
    return Catalog(
        item_keys=("", *items["item_key"].tolist()),
        titles=("", *items["title"].tolist()),
        brands=("", *items["brand"].tolist()),
        category_paths=((), *paths),
        categories=np.concatenate([[0], items["category"].to_numpy()]).astype(np.int64),
        category_names=tuple(category_names),
        features=features,
    )


def assemble_interactions(rows: pd.DataFrame, users: pd.DataFrame) -> Interactions:
    """The interactions of these rows, which must be ordered by user."""
    owners = rows["user"].to_numpy(np.int64)
    if len(owners) and (np.diff(owners) < 0).any():
        raise ValueError("interactions.parquet is not ordered by user")
    return Interactions(
        user_keys=tuple(users["user_key"].tolist()),
        items=rows["item"].to_numpy(np.int64),
        timestamps=rows["timestamp"].to_numpy(np.int64),
        offsets=np.searchsorted(owners, np.arange(len(users) + 1)).astype(np.int64),
        train_lengths=users["train_length"].to_numpy(np.int64),
        valid_positions=users["valid_position"].to_numpy(np.int64),
        test_positions=users["test_position"].to_numpy(np.int64),
    )
