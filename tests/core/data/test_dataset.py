"""The data set directory: whole or not at all, and the same after a round trip."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import source_files as files

from reg4rec_core.config import PrepareConfig
from reg4rec_core.data import dataset as dataset_module
from reg4rec_core.data import load_dataset, prepare_dataset, read_source, save_dataset
from reg4rec_core.types import InputError


@pytest.fixture
def small(tmp_path):
    source = read_source(files.amazon_2014(tmp_path / "source"), "amazon")
    return prepare_dataset(source, PrepareConfig(k_core=0))


def equal(one, other):
    return all(
        np.array_equal(value, getattr(other, name)) if isinstance(value, np.ndarray) else value == getattr(other, name)
        for name, value in vars(one).items()
    )


def test_what_is_saved_is_what_is_loaded(small, tmp_path):
    save_dataset(tmp_path / "deep" / "data", small)
    loaded = load_dataset(tmp_path / "deep" / "data")
    assert equal(small.catalog, loaded.catalog)
    assert equal(small.interactions, loaded.interactions)
    assert loaded.info == small.info


def test_extra_features_make_the_round_trip(tmp_path):
    source = read_source(files.parquet_source(tmp_path / "source"), "parquet")
    table = pq.read_table(tmp_path / "source" / "items.parquet").select(["item_id"])
    vectors = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    pq.write_table(table.append_column("image", [vectors]), tmp_path / "image.parquet")
    made = prepare_dataset(source, PrepareConfig(k_core=0), features=tmp_path / "image.parquet")
    save_dataset(tmp_path / "data", made)
    loaded = load_dataset(tmp_path / "data")
    assert loaded.catalog.features.tolist() == [[0, 0], [1, 2], [3, 4], [5, 6], [3, 4]][: loaded.catalog.n_items]
    assert loaded.info["audit"]["extra_features"]["width"] == 2


def test_sentence_vectors_are_copied_along(small, tmp_path):
    (tmp_path / "vectors").write_bytes(b"vectors")
    save_dataset(tmp_path / "data", small, text_features=tmp_path / "vectors")
    assert (tmp_path / "data" / "text_features.safetensors").read_bytes() == b"vectors"


def test_an_existing_directory_is_left_alone(small, tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match=r"data exists; remove it or choose another --out"):
        save_dataset(tmp_path / "data", small)
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_nothing_behind(failure, small, tmp_path, monkeypatch):
    def write_some(directory, _):
        (directory / "catalog.parquet").write_bytes(b"half")
        raise failure

    monkeypatch.setattr(dataset_module, "write_parts", write_some)
    (tmp_path / "place").mkdir()
    with pytest.raises(type(failure)):
        save_dataset(tmp_path / "place" / "data", small)
    assert list((tmp_path / "place").iterdir()) == []


def test_being_killed_while_writing_never_leaves_a_half_written_directory(tmp_path):
    files.amazon_2014(tmp_path / "source")
    script = f"""
        import os, signal
        from pathlib import Path
        from reg4rec_core.config import PrepareConfig
        from reg4rec_core.data import dataset, prepare_dataset, read_source
        made = prepare_dataset(read_source(Path({str(tmp_path / "source")!r}), "amazon"), PrepareConfig(k_core=0))
        dataset.checksum = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        dataset.save_dataset(Path({str(tmp_path / "data")!r}), made)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, env=os.environ.copy())
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "data").exists()


def test_a_place_that_cannot_be_written_is_named(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*; choose another --out"):
        save_dataset(tmp_path / "file" / "data", small)


def test_a_missing_data_set_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(InputError, match=r"there is no data set at .*nowhere; make one with: reg4rec prepare"):
        load_dataset(tmp_path / "nowhere")


def damage_column(directory, name, column, values):
    table = pq.read_table(directory / f"{name}.parquet")
    index = table.column_names.index(column)
    pq.write_table(table.set_column(index, column, [values]), directory / f"{name}.parquet")


def rewrite_info(directory, **entries):
    path = directory / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


@pytest.mark.parametrize(
    ("damage", "pattern"),
    [
        (lambda d: (d / "users.parquet").unlink(), r"users\.parquet cannot be read"),
        (lambda d: (d / "catalog.parquet").write_bytes(b"PAR1"), r"catalog\.parquet cannot be read"),
        (lambda d: (d / "dataset.json").write_text("{"), r"dataset\.json is not readable JSON"),
        (lambda d: rewrite_info(d, format=99), r"dataset\.json must say format 1"),
        (lambda d: rewrite_info(d, checksum="0"), r"differs from its checksum"),
        (
            lambda d: rewrite_info(d, category_names=["one"]),
            r"is not a valid data set \(categories must lie in \[0, 1\)\)",
        ),
        (lambda d: damage_column(d, "interactions", "item", [1, 2, 3, 4, 2, 3]), r"differs from its checksum"),
        (
            lambda d: damage_column(d, "interactions", "item", [9] * 6),
            r"is not a valid data set \(interactions name item 9",
        ),
        (lambda d: damage_column(d, "interactions", "user", [1, 0] * 3), r"not ordered by user"),
        (lambda d: damage_column(d, "users", "test_position", [7, 7]), r"test_positions must lie behind"),
    ],
)
def test_damage_is_noticed(damage, pattern, small, tmp_path):
    save_dataset(tmp_path / "data", small)
    damage(tmp_path / "data")
    with pytest.raises(InputError, match=pattern):
        load_dataset(tmp_path / "data")


def test_the_checksum_follows_the_values_and_not_the_files(small, tmp_path):
    save_dataset(tmp_path / "data", small)
    path = tmp_path / "data" / "interactions.parquet"
    pq.write_table(pq.read_table(path), path, compression="none")
    assert load_dataset(tmp_path / "data").info["checksum"] == small.info["checksum"]


def test_the_directory_appears_in_one_move_when_it_is_complete(small, tmp_path, monkeypatch):
    moves = []

    def rename(building, directory):
        moves.append(building)
        assert load_dataset(building).info == small.info
        assert not directory.exists()
        building.replace(directory)

    monkeypatch.setattr(dataset_module.os, "rename", rename)
    save_dataset(tmp_path / "data", small)
    assert len(moves) == 1
    assert moves[0].parent == tmp_path


@pytest.mark.parametrize(
    "change",
    [
        {"items": [1, 2, 3, 2, 3, 1]},
        {"timestamps": [0] * 6},
        {"train_lengths": [0, 1]},
        {"valid_positions": [-1, 1]},
        {"test_positions": [-1, 2]},
        {"user_keys": ("1", "other")},
    ],
)
def test_the_checksum_follows_every_part_of_the_interactions(change, small):
    change = {name: np.array(value) if isinstance(value, list) else value for name, value in change.items()}
    changed = replace(small.interactions, **change)
    assert dataset_module.checksum(small.catalog, changed) != small.info["checksum"]


@pytest.mark.parametrize("name", ["item_keys", "titles", "brands", "category_paths", "category_names"])
def test_the_checksum_follows_every_text_of_the_catalogue(name, small):
    old = getattr(small.catalog, name)
    changed = replace(small.catalog, **{name: (*old[:-1], ("new",) if name == "category_paths" else "new")})
    assert dataset_module.checksum(changed, small.interactions) != small.info["checksum"]
