"""Bad input gets one line that names the file, the row or the column, and what to do."""

import gzip
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
import source_files as files

from reg4rec_core.data import read_source, read_table_source
from reg4rec_core.data.readers.table import TableColumns
from reg4rec_core.types import InputError

COLUMNS = TableColumns(user="u", item="i", time="t", title="n")


def fails_with(pattern):
    return pytest.raises(InputError, match=pattern)


def read_csv_log(folder, text, columns=COLUMNS, items=None):
    path = folder / "log.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table_source(path, items, columns)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("", r"log\.csv is empty"),
        ("u,i,t,n\n", r"log\.csv holds no rows"),
        ("u,i,n\na,1,x\n", r"log\.csv lacks the column t; it has u, i, n"),
        ("u,i,t,n\na,1,5,x\n,1,5,x\n", r"log\.csv, row 2, column u: has no id"),
        ("u,i,t,n\na,1,5,x\na, ,5,x\n", r"log\.csv, row 2, column i: is an empty id"),
        ("u,i,t,n\na,1,5,x\na,2,inf,x\n", r"log\.csv, row 2, column t: 'inf' is not a time"),
        ("u,i,t,n\na,1,nan,x\na,2,5,x\n", r"log\.csv, row 1, column t: 'nan' is not a time"),
        ("u,i,t,n\na,1,yesterday,x\n", r"log\.csv, row 1, column t: 'yesterday' is not a time.*ISO date"),
        ("u,i,t,n\na,1,-5,x\n", r"row 1, column t: '-5' lies before 1970"),
        ("u,i,t,n\na,1,1969-01-01,x\n", r"row 1, column t: .* lies before 1970"),
        ("u,i,t,n\na,1,5,x\na,2,5,x,y,z\n", r"log\.csv is not a well-formed table \(.*line 3.*\)"),
        ("u,i,t,n\na,1,5,x,y\na,2,5,x,y\n", r"log\.csv has rows with more fields than its header"),
        (b"u,i,t,n\na,1,5,\xff\xfe\n", r"log\.csv is not UTF-8 text"),
    ],
)
def test_a_bad_csv_is_refused(text, pattern, tmp_path):
    with fails_with(pattern):
        read_csv_log(tmp_path, text)


def test_every_error_is_one_line(tmp_path):
    with pytest.raises(InputError) as caught:
        read_csv_log(tmp_path, 'u,i,t,n\na,1,"5\nx",y\n')
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with fails_with(r"nowhere\.csv does not exist"):
        read_table_source(tmp_path / "nowhere.csv", None, COLUMNS)


def test_a_directory_is_no_table(tmp_path):
    with fails_with(r"is a directory; name a CSV or Parquet file"):
        read_table_source(tmp_path, None, COLUMNS)


def test_an_item_that_occurs_twice_in_the_items_file_is_refused(tmp_path):
    (tmp_path / "items.csv").write_text("i,n\n1,x\n2,y\n1,z\n")
    with fails_with(r"items\.csv, row 3, column i: '1' occurs twice; keep one row per item"):
        read_csv_log(tmp_path, "u,i,t\na,1,5\n", items=tmp_path / "items.csv")


@pytest.mark.parametrize(
    ("mapping", "pattern"),
    [
        ({"user": "u"}, r"must name the item column"),
        ({}, r"must name the user and item column"),
        ({"user": "u", "item": "i", "price": "p"}, r"knows the roles user, item, .*, got price"),
    ],
)
def test_a_bad_column_mapping_is_refused(mapping, pattern):
    with fails_with(pattern):
        TableColumns.from_mapping(mapping)


@pytest.mark.parametrize(
    ("replaced", "pattern"),
    [
        ({"log_timestamp": None}, r"interactions\.parquet lacks the column timestamp; it has user_id"),
        ({"items_categories": None}, r"items\.parquet lacks the column categories"),
        ({"log_user_id": [1.5] * 7}, r"interactions\.parquet, row 1, column user_id: 1\.5 is not an id"),
        ({"log_user_id": [[1]] * 7}, r"interactions\.parquet, column user_id: ids must be text or whole numbers"),
        ({"log_user_id": [True] * 7}, r"interactions\.parquet, column user_id: ids must be text or whole numbers"),
        ({"log_item_id": [1, None, 3, 2, 3, 9, 1]}, r"interactions\.parquet, row 2, column item_id: has no id"),
        ({"log_position": [0.5] * 7}, r"column position: must hold whole numbers"),
        ({"log_position": [0, 1, 1, 0, 1, 2, 0]}, r"row 3, column position: occurs twice for one user"),
        ({"log_timestamp": ["soon"] * 7}, r"row 1, column timestamp: 'soon' is not a time"),
        ({"log_timestamp": [True] * 7}, r"column timestamp: is not a time, got true or false"),
        ({"log_timestamp": [1.0, np.inf, 1, 1, 1, 1, 1]}, r"row 2, column timestamp: is not a finite number"),
        ({"log_timestamp": [1.0, 1, np.nan, 1, 1, 1, 1]}, r"row 3, column timestamp: is not a finite number"),
        ({"items_item_id": [1, 2, 1]}, r"items\.parquet, row 3, column item_id: '1' occurs twice"),
        ({"items_title": [1, 2, 3]}, r"items\.parquet, row 1, column title: 1 is not text"),
        ({"items_categories": ["a", "b", "c"]}, r"items\.parquet, row 1, column categories: is not a list of names"),
        ({"items_categories": [[1], [2], [3]]}, r"items\.parquet, row 1, column categories: is not a list of names"),
    ],
)
def test_a_bad_parquet_layout_is_refused(replaced, pattern, tmp_path):
    source = files.parquet_source(tmp_path / "source", **replaced)
    with fails_with(pattern):
        read_source(source, "parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None])
def test_an_unreadable_parquet_file_is_refused(content, tmp_path):
    path = files.parquet_source(tmp_path / "source") / "interactions.parquet"
    path.write_bytes(path.read_bytes()[:-20] if content is None else content)
    with fails_with(r"interactions\.parquet is not a readable Parquet file"):
        read_source(path.parent, "parquet")


def test_a_parquet_file_without_rows_is_refused(tmp_path):
    source = files.parquet_source(tmp_path / "source")
    path = source / "interactions.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with fails_with(r"interactions\.parquet holds no rows"):
        read_source(source, "parquet")


@pytest.mark.parametrize("name", ["reviews_Beauty_5.json.gz", "meta_Beauty.json.gz"])
def test_a_truncated_gzip_is_refused(name, tmp_path):
    source = files.amazon_2014(tmp_path / "source")
    whole = (source / name).read_bytes()
    (source / name).write_bytes(whole[: len(whole) // 2])
    with fails_with(re.escape(name) + r" is a truncated or damaged gzip file"):
        read_source(source, "amazon")


def test_a_file_that_only_claims_to_be_gzip_is_refused(tmp_path):
    source = files.amazon_2014(tmp_path / "source")
    (source / "reviews_Beauty_5.json.gz").write_text("{}\n")
    with fails_with(r"reviews_Beauty_5\.json\.gz is a truncated or damaged gzip file"):
        read_source(source, "amazon")


def test_a_truncated_gzipped_csv_is_refused(tmp_path):
    path = tmp_path / "log.csv.gz"
    rows = "".join(f"a,{row},{row * 7919 % 1009},x\n" for row in range(5000))
    path.write_bytes(gzip.compress(f"u,i,t,n\n{rows}".encode())[:-2000])
    with fails_with(r"log\.csv\.gz is a truncated or damaged gzip file"):
        read_table_source(path, None, COLUMNS)


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ('{"reviewerID": "1", "asin":', r"line 2: must be one JSON object, got"),
        ("[1, 2]", r"line 2: must be one JSON object"),
        ("__import__('os').abort()", r"line 2: must be one JSON object"),
        ("[" * 100_000, r"line 2: must be one JSON object"),
        ('{"asin": "2", "unixReviewTime": 5}', r"line 2: user_id is missing"),
        ('{"reviewerID": "1", "unixReviewTime": 5}', r"line 2: asin is missing"),
        ('{"reviewerID": ["1"], "asin": "2"}', r"line 2: reviewerID must be an id, got \['1'\]"),
        ('{"reviewerID": "1", "asin": "2", "unixReviewTime": "late"}', r"line 2: the review time must be a unix time"),
        ('{"reviewerID": "1", "asin": "2", "unixReviewTime": NaN}', r"line 2: the review time must be a unix time"),
        (
            '{"reviewerID": "1", "asin": "2", "unixReviewTime": Infinity}',
            r"line 2: the review time must be a unix time",
        ),
    ],
)
def test_a_bad_review_line_is_named_by_its_number(line, pattern, tmp_path):
    source = files.amazon_2018(tmp_path / "source")
    path = source / "Beauty_5.json"
    path.write_text(path.read_text().splitlines()[0] + "\n" + line + "\n")
    with fails_with(r"Beauty_5\.json, " + pattern):
        read_source(source, "amazon")


def test_a_bad_metadata_line_is_named_by_its_number(tmp_path):
    source = files.amazon_2014(tmp_path / "source")
    path = source / "meta_Beauty.json.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("\n".join([*lines[:2], lines[2][:-5]]).encode()))
    with fails_with(r"meta_Beauty\.json\.gz, line 3: must be one JSON object"):
        read_source(source, "amazon")


def test_metadata_that_contradicts_itself_is_refused(tmp_path):
    source = files.amazon_2018(tmp_path / "source")
    path = source / "meta_Beauty.json"
    path.write_text(path.read_text() + '{"asin": "1", "title": "Something else"}\n')
    with fails_with(r"meta_Beauty\.json, line 4: item 1 occurs twice"):
        read_source(source, "amazon")


@pytest.mark.parametrize("name", ["Beauty_5.json", "meta_Beauty.json"])
def test_an_empty_amazon_file_is_refused(name, tmp_path):
    source = files.amazon_2018(tmp_path / "source")
    (source / name).write_text("\n")
    with fails_with(re.escape(name) + " is empty"):
        read_source(source, "amazon")


def test_a_directory_must_hold_one_category(tmp_path):
    source = files.amazon_2018(tmp_path / "source")
    (source / "meta_Beauty.json").unlink()
    with fails_with(r"exactly one file of metadata .*, found none"):
        read_source(source, "amazon")
    files.amazon_2023(source)
    with fails_with(r"exactly one file of reviews .*, found Beauty\.jsonl\.gz, Beauty_5\.json"):
        read_source(source, "amazon")


@pytest.mark.parametrize(
    ("name", "text", "pattern"),
    [
        ("beauty.inter", "user_id\titem_id\n1\t2\n", r"column user_id: a header must read name:type"),
        ("beauty.inter", "user_id:token\tthing:token\n1\t2\n", r"lacks the column item_id; it has user_id, thing"),
        ("beauty.inter", "", r"beauty\.inter is empty"),
        (
            "beauty.item",
            "item_id:token\ttitle:token\n1\tx\n1\ty\n",
            r"beauty\.item, row 2, column item_id: '1' occurs twice",
        ),
    ],
)
def test_a_bad_atomic_file_is_refused(name, text, pattern, tmp_path):
    source = files.recbole(tmp_path / "source")
    (source / name).write_text(text)
    with fails_with(pattern):
        read_source(source, "recbole")


def test_a_recbole_directory_must_hold_one_data_set(tmp_path):
    with fails_with(r"exactly one \.inter file, found none"):
        read_source(tmp_path, "recbole")


def test_movies_must_have_their_columns_and_occur_once(tmp_path):
    source = files.movielens(tmp_path / "source")
    (source / "movies.csv").write_text("movieId,title,genres\n1,a,War\n1,b,War\n")
    with fails_with(r"movies\.csv, row 2, column movieId: '1' occurs twice"):
        read_source(source, "movielens")
    (source / "ratings.csv").write_text("userId,movieId,rating\n1,1,5\n")
    with fails_with(r"ratings\.csv lacks the column timestamp"):
        read_source(source, "movielens")


def test_a_source_must_be_a_directory_and_its_format_known(tmp_path):
    with fails_with(r"--source must be a directory, got .*nowhere"):
        read_source(tmp_path / "nowhere", "parquet")
    with fails_with(r"must be one of parquet, amazon, recbole, movielens, got xml"):
        read_source(tmp_path, "xml")
