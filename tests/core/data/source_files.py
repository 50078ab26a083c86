"""Small sources in every format, written by the tests that read them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

DAY = 86_400

LOG = [("1", "1", 1), ("1", "2", 2), ("1", "3", 3), ("2", "2", 1), ("2", "3", 2), ("2", "10", 4), ("3", "1", 5)]
"""(user, item, day) of the sources that the reader tests share."""
TITLES = {"1": "Red lipstick", "2": "Day cream", "3": "Soap & water"}
PATHS = {"1": ["Beauty", "Lips"], "2": ["Beauty", "Skin"], "3": ["Beauty", "Skin"]}


def write_lines(path: Path, records: list[Any], *, literal: bool = False) -> None:
    """One record a line, as JSON or as Python literals, gzipped where the name says so."""
    text = "".join((repr(record) if literal else json.dumps(record)) + "\n" for record in records)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def parquet_source(folder: Path, **replaced: Any) -> Path:
    """Our own layout; `replaced` gives other columns to interactions (log_...) or items (items_...)."""
    folder.mkdir(parents=True, exist_ok=True)
    users, items, days = zip(*LOG, strict=True)
    log: dict[str, Any] = {
        "user_id": [int(user) for user in users],
        "item_id": [int(item) for item in items],
        "position": [users[:row].count(user) for row, user in enumerate(users)],
        "timestamp": [day * DAY for day in days],
    }
    described: dict[str, Any] = {
        "item_id": [int(item) for item in TITLES],
        "title": list(TITLES.values()),
        "brand": ["Avalon", None, "Birch"],
        "categories": list(PATHS.values()),
    }
    for name, column in replaced.items():
        target, _, field = name.partition("_")
        ({"log": log, "items": described}[target])[field] = column
    for name, columns in (("interactions", log), ("items", described)):
        kept = {field: column for field, column in columns.items() if column is not None}
        pq.write_table(pa.table(kept), folder / f"{name}.parquet")
    return folder


def amazon_2014(folder: Path) -> Path:
    """Reviews as JSON, metadata as Python literals with several paths an item; item 10 has no metadata."""
    reviews = [{"reviewerID": u, "asin": i, "overall": 5.0, "unixReviewTime": day * DAY} for u, i, day in LOG]
    metadata: list[dict[str, Any]] = [
        {"asin": "1", "title": "Red lipstick", "brand": "Avalon", "categories": [["Beauty", "Lips"]]},
        {"asin": "2", "title": "Day cream", "categories": [["Gifts"], ["Beauty", "Skin"]], "price": 3.5},
        {"asin": "3", "title": "Soap &amp; water", "brand": "Birch", "categories": [["Beauty", "Skin"]]},
        {"asin": "99", "title": "Nobody's choice", "categories": [["Beauty", "Bath"]]},
    ]
    write_lines(folder / "reviews_Beauty_5.json.gz", reviews)
    write_lines(folder / "meta_Beauty.json.gz", metadata, literal=True)
    return folder


def amazon_2018(folder: Path) -> Path:
    reviews = [{"reviewerID": u, "asin": i, "overall": 5.0, "unixReviewTime": day * DAY} for u, i, day in LOG]
    brands = {"1": "Avalon", "3": "Birch"}
    metadata = [
        {"asin": i, "title": title.replace("&", "&amp;"), "brand": brands.get(i, ""), "category": PATHS[i]}
        for i, title in TITLES.items()
    ]
    write_lines(folder / "Beauty_5.json", reviews)
    write_lines(folder / "meta_Beauty.json", metadata)
    return folder


def amazon_2023(folder: Path) -> Path:
    reviews = [{"user_id": u, "parent_asin": i, "asin": "x", "timestamp": day * DAY * 1000 + 7} for u, i, day in LOG]
    brands = {"1": "Avalon", "2": None, "3": "Birch"}
    metadata = [
        {"parent_asin": i, "title": title, "store": brands[i], "categories": PATHS[i], "main_category": "All"}
        for i, title in TITLES.items()
    ]
    write_lines(folder / "Beauty.jsonl.gz", reviews)
    write_lines(folder / "meta_Beauty.jsonl.gz", metadata)
    return folder


def recbole(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{u}\t{i}\t5.0\t{day * DAY}.0\n" for u, i, day in LOG)
    (folder / "beauty.inter").write_text("user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + rows)
    brands = {"1": "Avalon", "3": "Birch"}
    lines = "".join(f"{i}\t{', '.join(PATHS[i])}\t{title}\t{brands.get(i, '')}\n" for i, title in TITLES.items())
    (folder / "beauty.item").write_text("item_id:token\tcategories:token_seq\ttitle:token\tbrand:token\n" + lines)
    return folder


def movielens(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    ratings = pd.DataFrame(
        [(u, i, 4.5, day * DAY) for u, i, day in LOG], columns=["userId", "movieId", "rating", "timestamp"]
    )
    ratings.to_csv(folder / "ratings.csv", index=False)
    movies = [(i, title, "|".join(PATHS[i])) for i, title in TITLES.items()]
    pd.DataFrame(movies, columns=["movieId", "title", "genres"]).to_csv(folder / "movies.csv", index=False)
    return folder
