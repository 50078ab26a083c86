"""Maps of codewords and items: kept beside the run, the same every time, PCA with a reason where UMAP cannot be."""

import shutil

import numba
import numpy as np
import pytest
from small_run import make_run

from reg4rec_core.analysis import projection
from reg4rec_core.analysis.projection import (
    MIN_POINTS,
    has_umap_maps,
    lay_out,
    principal_maps,
    principal_plane,
    umap_maps,
)
from reg4rec_core.checkpoint import open_run


@pytest.fixture
def run(tmp_path):
    return open_run(make_run(tmp_path / "runs" / "small"))


def quiet(share: float, text: str) -> None:
    pass


def test_the_principal_plane_keeps_the_two_widest_directions():
    points = np.array([[0, 10, 0], [0, -10, 0], [0, 0, 4], [0, 0, -4]], np.float32)
    plane = principal_plane(points)
    assert np.abs(plane).max() == 1
    assert np.abs(plane[:2]).tolist() == pytest.approx(np.array([[1, 0], [1, 0]]))
    assert np.abs(plane[2:]).tolist() == pytest.approx(np.array([[0, 0.4], [0, 0.4]]))


def test_one_dimension_and_one_point_still_make_a_plane():
    assert principal_plane(np.array([[1.0], [2.0], [3.0]])).tolist() == pytest.approx(
        np.array([[-1, 0], [0, 0], [1, 0]])
    )
    assert principal_plane(np.ones((1, 3))).tolist() == [[0, 0]]


def test_few_or_equal_points_are_laid_out_by_pca_and_it_says_why():
    layout = lay_out(np.tile(np.arange(5.0)[:, None], (20, 3)))
    assert layout.method == "PCA"
    assert layout.reason == f"PCA is shown because UMAP needs {MIN_POINTS} different points and there are 5"


def test_without_umap_the_layout_is_pca_and_it_says_why(monkeypatch):
    monkeypatch.setattr(projection, "find_spec", lambda name: None)
    layout = lay_out(np.random.default_rng(0).standard_normal((60, 4)))
    assert (layout.method, "not installed" in layout.reason) == ("PCA", True)


def test_maps_are_kept_beside_the_run_and_read_again(run):
    assert not has_umap_maps(run)
    told: list[tuple[float, str]] = []
    maps = umap_maps(run, progress=lambda share, text: told.append((share, text)))
    assert [text for _, text in told] == [
        "laying out codebook 1 of 3: 4 points",
        "laying out codebook 2 of 3: 4 points",
        "laying out codebook 3 of 3: 4 points",
        "laying out items: 20 points",
        "done",
    ]
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert has_umap_maps(run)
    run.verify()
    assert not [path for path in run.path.rglob("*") if "projection" in str(path.relative_to(run.path))]
    told.clear()
    again = umap_maps(run, progress=lambda share, text: told.append((share, text)))
    assert told == []
    assert again.items.points.tolist() == maps.items.points.tolist()
    assert [layout.reason for layout in again.codebooks] == [layout.reason for layout in maps.codebooks]


def test_other_codes_have_other_maps(run, tmp_path):
    umap_maps(run, progress=quiet)
    other = open_run(make_run(tmp_path / "runs" / "other", seed=1))
    assert not has_umap_maps(other)
    copy = open_run(shutil.copytree(run.path, tmp_path / "runs" / "copy"))
    assert has_umap_maps(copy)


def test_a_damaged_cache_is_made_again(run):
    maps = umap_maps(run, progress=quiet)
    (stored,) = (run.path.parent / projection.CACHE_FOLDER).glob("*.safetensors")
    stored.write_bytes(b"nonsense")
    assert umap_maps(run, progress=quiet).items.points.tolist() == maps.items.points.tolist()
    assert len(stored.read_bytes()) > 100


def test_where_nothing_can_be_written_the_maps_are_still_given(run):
    (run.path.parent / projection.CACHE_FOLDER).write_text("a file where the folder should be")
    maps = umap_maps(run, progress=quiet)
    assert len(maps.items.points) == 20
    assert not has_umap_maps(run)


def test_pca_is_there_at_once_and_says_what_it_is(run):
    maps = principal_maps(run)
    assert len(maps.codebooks) == 3
    assert maps.items.points.shape == (20, 2)
    assert {layout.method for layout in (*maps.codebooks, maps.items)} == {"PCA"}


@pytest.fixture
def few_points(monkeypatch):
    """UMAP of a handful of points, as plain Python: compiling it takes a hundred times as long as this lasts."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    monkeypatch.setattr(projection, "NEIGHBOURS", 4)
    monkeypatch.setattr(projection, "MIN_POINTS", 8)


@pytest.mark.usefixtures("few_points")
def test_umap_gives_the_same_points_twice_and_keeps_groups_together():
    rng = np.random.default_rng(0)
    space = np.concatenate([rng.standard_normal((6, 5)), 20 + rng.standard_normal((6, 5))])
    first, second = lay_out(space), lay_out(space)
    assert first.method == "UMAP"
    assert first.points.tolist() == second.points.tolist()
    left, right = first.points[:6], first.points[6:]
    spread = max(np.linalg.norm(part - part.mean(0), axis=1).mean() for part in (left, right))
    assert np.linalg.norm(left.mean(0) - right.mean(0)) > 2 * spread
