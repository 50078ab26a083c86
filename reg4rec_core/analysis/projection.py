"""Codewords and items laid out on a plane: UMAP, computed once and kept beside the run; PCA at once or in its place."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from reg4rec_core.checkpoint import Run, file_checksum
from reg4rec_core.retrieval import summed_codewords

CACHE_FOLDER = ".projections"
"""Stands beside the run directory, not in it: a run's manifest lists all that is in it."""
NEIGHBOURS = 15
"""Of each point that UMAP keeps near."""
MIN_POINTS = 2 * NEIGHBOURS
"""Distinct points that UMAP needs to have anything to say."""
SEED = 0


@dataclass(frozen=True)
class Layout:
    """Points on a plane; only nearness means something."""

    points: Float[np.ndarray, "n 2"]
    """Centred, the farthest coordinate at 1."""
    method: str
    """UMAP or PCA."""
    reason: str
    """Why it is not UMAP, in words; empty where it is."""


@dataclass(frozen=True)
class CodebookMaps:
    """A layout of every codebook's codewords, and one of all items."""

    codebooks: tuple[Layout, ...]
    """Point k of layout m is code k of codebook m."""
    items: Layout
    """Point i is item i + 1, by the sum of its codewords."""


def principal_maps(run: Run) -> CodebookMaps:
    """The maps by PCA: at once, for as long as nobody has asked for UMAP."""
    reason = "PCA is shown until UMAP has been computed"
    spaces = _spaces(run)
    layouts = [Layout(principal_plane(space), "PCA", reason) for space in spaces]
    return CodebookMaps(tuple(layouts[:-1]), layouts[-1])


def has_umap_maps(run: Run) -> bool:
    """Whether `umap_maps` has left its result beside the run."""
    return _cache_file(run).exists()


def umap_maps(run: Run, *, progress: Callable[[float, str], None]) -> CodebookMaps:
    """The maps by UMAP, seeded; read from the cache beside the run, or computed and kept there if it can be written.

    Computing takes minutes for 12,000 items on a slow machine. `progress` gets the share done and what comes next.
    """
    path = _cache_file(run)
    if path.exists():
        try:
            return _read(path)
        except (SafetensorError, KeyError):
            progress(0.0, "the stored maps are damaged; computing them again")
    spaces, layouts = _spaces(run), []
    work = np.array([len(space) for space in spaces], dtype=np.float64)
    for place, space in enumerate(spaces):
        what = "items" if place == len(spaces) - 1 else f"codebook {place + 1} of {len(spaces) - 1}"
        progress(float(work[:place].sum() / work.sum()), f"laying out {what}: {len(space):,} points")
        layouts.append(lay_out(space))
    progress(1.0, "done")
    maps = CodebookMaps(tuple(layouts[:-1]), layouts[-1])
    _store(path, maps)
    return maps


def lay_out(space: Float[np.ndarray, "n d"]) -> Layout:
    """UMAP of a set of points, the same for the same points; PCA, with the reason, where UMAP cannot be used."""
    if find_spec("umap") is None:
        return Layout(principal_plane(space), "PCA", "PCA is shown because umap-learn is not installed")
    distinct = len(np.unique(space, axis=0))
    if distinct < MIN_POINTS:
        reason = f"PCA is shown because UMAP needs {MIN_POINTS} different points and there are {distinct}"
        return Layout(principal_plane(space), "PCA", reason)
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the single thread that a seed costs
        reducer = UMAP(n_neighbors=NEIGHBOURS, min_dist=0.1, random_state=SEED, n_jobs=1)
        points = reducer.fit_transform(space.astype(np.float32))
    return Layout(_fit_to_unit(points), "UMAP", "")


def principal_plane(space: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
    """The two leading principal components, signs fixed."""
    centred = space.astype(np.float64) - space.mean(0, dtype=np.float64)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    leading = vectors[:, np.argsort(values)[::-1][:2]]
    leading = leading * np.sign(leading[np.abs(leading).argmax(0), np.arange(leading.shape[1])])
    points = np.zeros((len(space), 2))
    points[:, : leading.shape[1]] = centred @ leading
    return _fit_to_unit(points)


def _fit_to_unit(points: np.ndarray) -> Float[np.ndarray, "n 2"]:
    middle = (points.max(0) + points.min(0)) / 2
    moved = (points - middle).astype(np.float32)
    return moved / max(float(np.abs(moved).max()), 1e-12)


def _spaces(run: Run) -> list[Float[np.ndarray, "_ d"]]:
    """The codewords of every codebook, then the items."""
    codewords = run.codewords()
    return [*codewords, summed_codewords(codewords, run.semantic_ids())[1:]]


def _cache_file(run: Run) -> Path:
    """Named after what is in the tokenizer, so that other codes have other maps."""
    checksum = file_checksum(run.path / "tokenizer.safetensors")[:16]
    return run.path.resolve().parent / CACHE_FOLDER / f"{checksum}.safetensors"


def _read(path: Path) -> CodebookMaps:
    with safe_open(path, framework="numpy") as file:
        notes = file.metadata() or {}
        count = len([name for name in file.keys() if name != "items"])  # noqa: SIM118 (it is no mapping)
        names = [*[f"codebook {place}" for place in range(count)], "items"]
        layouts = [Layout(file.get_tensor(name), notes[f"{name} method"], notes[f"{name} reason"]) for name in names]
    return CodebookMaps(tuple(layouts[:-1]), layouts[-1])


def _store(path: Path, maps: CodebookMaps) -> None:
    """Keep the maps where that is possible; a folder that cannot be written only costs computing them again."""
    named = {f"codebook {place}": layout for place, layout in enumerate(maps.codebooks)} | {"items": maps.items}
    notes = {f"{name} method": layout.method for name, layout in named.items()}
    notes |= {f"{name} reason": layout.reason for name, layout in named.items()}
    try:
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        save_file({name: layout.points for name, layout in named.items()}, partial, metadata=notes)
        os.replace(partial, path)
    except OSError:
        return
