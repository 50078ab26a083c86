"""A run with codes and no network, made without the earlier stages: its users walk the catalogue in steps of one."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.config import ModelConfig
from reg4rec_core.data import Dataset, save_dataset
from reg4rec_core.types import Catalog, Interactions

ITEMS, USERS = 20, 60
SMALL = ModelConfig(width=16, hidden=24, n_heads=2)


def make_run(path: Path, *, seed=0, users=USERS) -> Path:
    """A run with codes whose users walk the catalogue in steps of one: the next item can be learnt."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, 9, users)
    starts = rng.integers(ITEMS, size=users)
    items = np.concatenate([(s + np.arange(n)) % ITEMS + 1 for s, n in zip(starts, lengths, strict=True)])
    interactions = Interactions(
        tuple(f"u{u}" for u in range(users)), items, np.full(len(items), -1), np.concatenate([[0], lengths.cumsum()]),
        lengths - 2, lengths - 2, lengths - 1,
    )  # fmt: skip
    keys = ("", *(f"i{i}" for i in range(1, ITEMS + 1)))
    categories = np.arange(ITEMS + 1) % 3
    catalog = Catalog(
        keys, keys, keys, ((), *((("c",),) * ITEMS)), categories, ("a", "b", "c"), np.zeros((len(keys), 0), np.float32)
    )
    save_dataset(path / "data", Dataset(catalog, interactions))
    codes = np.concatenate([np.zeros((1, 3), np.int16), rng.integers(4, size=(ITEMS, 3)).astype(np.int16)])
    save_file({"codes": codes, "codewords": np.zeros((3, 4, 2), np.float32)}, path / "tokenizer.safetensors")
    features = np.concatenate([np.zeros((1, 6)), rng.normal(size=(ITEMS, 6))]).astype(np.float16)
    save_file({"features": features}, path / "features.safetensors")
    write_json(path / "run.json", {"format": 1})
    open_run(path).write_manifest()
    return path
