"""`reg4rec prepare` from the outside."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reg4rec_core.cli.prepare import parse_columns
from reg4rec_core.data import load_dataset
from reg4rec_core.types import InputError

BEAUTY = Path(__file__).parents[3] / "assets" / "beauty"
COLUMNS = "user=Who, exactly?,item=sku,time=when (s),title=What,brand=made by,category=shelf"


@pytest.fixture
def odd_shop(tmp_path):
    """Ten customers who each buy the same six things, in files whose column names are no identifiers."""
    with (tmp_path / "sales.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["when (s)", "Who, exactly?", "till", "sku"])
        rows.writerows(
            [86_400 * (6 - item), f"customer {user}", 3, f"S-{item}"] for item in range(6) for user in range(10)
        )
    with (tmp_path / "things.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["shelf", "sku", "What", "made by"])
        rows.writerows([f"Shop|Aisle {item % 2}", f"S-{item}", f"Thing, {item}", ""] for item in range(1, 6))
    return tmp_path


def table_options(folder):
    return (
        *("--format", "table", "--interactions", folder / "sales.csv", "--items", folder / "things.csv"),
        *("--columns", COLUMNS, "--category-separator", "|", "--out", folder / "data"),
    )


def test_a_table_with_odd_column_names_becomes_a_data_set(reg4rec, odd_shop):
    result = reg4rec("prepare", *table_options(odd_shop), "--category-level", "2", "--json")
    assert result.exit_code == 0, result.stderr
    dataset = load_dataset(odd_shop / "data")
    catalog, log = dataset.catalog, dataset.interactions
    assert catalog.item_keys == ("", "S-0", "S-1", "S-2", "S-3", "S-4", "S-5")
    assert catalog.titles[1:3] == ("S-0", "Thing, 1")
    assert catalog.category_names == ("Shop > Aisle 0", "Shop > Aisle 1", "unknown")
    assert log.user_keys[0] == "customer 0"
    assert log.sequence(0).tolist() == [6, 5, 4, 3, 2, 1]
    assert (log.train_lengths[0], log.valid_positions[0], log.test_positions[0]) == (4, 4, 5)


def test_the_document_is_the_audit_and_the_text_goes_to_stderr(reg4rec, odd_shop):
    result = reg4rec("prepare", *table_options(odd_shop), "--json")
    document = json.loads(result.stdout)
    assert document["data"] == str(odd_shop / "data")
    assert set(document["files"]) == {"catalog.parquet", "interactions.parquet", "users.parquet", "dataset.json"}
    assert all(Path(path).exists() for path in document["files"].values())
    assert document["audit"] == load_dataset(odd_shop / "data").info["audit"]
    stored = load_dataset(odd_shop / "data").info
    assert all(document[name] == stored[name] > 0 for name in ("seconds", "cpu_seconds", "peak_memory_mb"))
    assert (document["audit"]["users"], document["audit"]["items_without_metadata"]) == (10, 1)
    assert "10 users, 6 items, 60 interactions" in result.stderr


def test_a_global_time_split_can_be_asked_for(reg4rec, odd_shop):
    options = ("--split", "global-time", "--train-share", "0.5", "--valid-share", "0.25")
    result = reg4rec("prepare", *table_options(odd_shop), *options, "--json")
    split = json.loads(result.stdout)["split"]
    assert split == {"kind": "global-time", "train_share": 0.5, "valid_share": 0.25, "cuts": [4 * 86_400, 5 * 86_400]}
    log = load_dataset(odd_shop / "data").interactions
    assert (log.train_lengths[0], log.valid_positions[0], log.test_positions[0]) == (3, 3, 4)


def test_beauty_is_the_published_benchmark(reg4rec, tmp_path):
    result = reg4rec("prepare", "--source", BEAUTY, "--format", "parquet", "--out", tmp_path / "data", "--json")
    audit = json.loads(result.stdout)["audit"]
    assert (audit["users"], audit["items"], audit["interactions"]) == (22_363, 12_101, 198_502)
    assert audit["targets"]["test"]["repeat_an_item_of_the_history"] == 0
    log = load_dataset(tmp_path / "data").interactions
    published = pq.read_table(BEAUTY / "interactions.parquet").sort_by(
        [("user_id", "ascending"), ("position", "ascending")]
    )
    assert np.array_equal(log.items, published["item_id"].to_numpy())
    assert log.user_keys[:2] == ("1", "2")


def test_extra_features_are_added(reg4rec, odd_shop):
    vectors = {"sku": [f"S-{item}" for item in range(6)], "image": [[float(item), 1.0] for item in range(6)]}
    pq.write_table(pa.table(vectors), odd_shop / "image.parquet")
    result = reg4rec("prepare", *table_options(odd_shop), "--features", odd_shop / "image.parquet")
    assert result.exit_code == 0, result.stderr
    assert load_dataset(odd_shop / "data").catalog.features[:, 0].tolist() == [0, 0, 1, 2, 3, 4, 5]


def refused(result):
    """The one line of a refusal."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert "Traceback" not in result.stderr
    return line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--k-core", "11"), "no interactions are left after the 11-core filter"),
        (("--k-core", "-1"), "k_core must be >= 0, got -1"),
        (("--category-level", "deep"), "--category-level must be leaf or a level"),
        (("--train-share", "0.95"), "train_share and valid_share must be > 0 and sum to less than 1"),
        (("--columns", "user=nobody,item=sku"), "sales.csv lacks the column nobody"),
        (("--columns", "item=sku"), "must name the user column"),
        (("--columns", "user=till,item=sku,colour=x"), "got colour"),
        (("--columns", "till"), "must read role=column"),
        (("--interactions", "nowhere.csv"), "nowhere.csv does not exist"),
        (("--items", "nowhere.csv"), "nowhere.csv does not exist"),
        (("--features", "nowhere.parquet"), "nowhere.parquet does not exist"),
        (("--source", "."), "not --source"),
        (("--format", "parquet"), "--interactions belongs to --format table"),
        (("--category-separator", ""), "--category-separator must not be empty"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(options, words, reg4rec, odd_shop):
    assert words in refused(reg4rec("prepare", *table_options(odd_shop), *options))
    assert not (odd_shop / "data").exists()
    assert not [path for path in odd_shop.iterdir() if path.name.startswith(".")]


def test_a_format_with_a_directory_needs_one(reg4rec, tmp_path):
    assert "needs --source DIR" in refused(reg4rec("prepare", "--format", "amazon", "--out", tmp_path / "data"))
    assert "needs --interactions" in refused(reg4rec("prepare", "--format", "table", "--out", tmp_path / "data"))


def test_an_existing_directory_is_refused_before_anything_is_read(reg4rec, tmp_path):
    line = refused(reg4rec("prepare", "--source", tmp_path / "nowhere", "--format", "parquet", "--out", tmp_path))
    assert f"{tmp_path} exists; remove it or choose another --out" in line


def test_a_truncated_download_is_refused(reg4rec, tmp_path):
    review = json.dumps({"reviewerID": "u", "asin": "i", "unixReviewTime": 1})
    (tmp_path / "reviews_X_5.json.gz").write_bytes(gzip.compress(review.encode())[:-9])
    (tmp_path / "meta_X.json.gz").write_bytes(b"")
    line = refused(reg4rec("prepare", "--source", tmp_path, "--format", "amazon", "--out", tmp_path / "data"))
    assert "reviews_X_5.json.gz is a truncated or damaged gzip file" in line


def test_a_column_name_may_hold_commas_and_equal_signs():
    assert parse_columns("user=Who, exactly?, item=a=b") == {"user": "Who, exactly?", "item": "a=b"}
    with pytest.raises(InputError, match="names the role user twice"):
        parse_columns("user=a,user=b")
