"""Every format gives the same tables."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import source_files as files

from reg4rec_core.data import read_source, read_table_source
from reg4rec_core.data.readers import movielens, recbole
from reg4rec_core.data.readers.table import TableColumns

WRITERS = {
    "parquet": (files.parquet_source, "parquet"),
    "amazon 2014": (files.amazon_2014, "amazon"),
    "amazon 2018": (files.amazon_2018, "amazon"),
    "amazon 2023": (files.amazon_2023, "amazon"),
    "recbole": (files.recbole, "recbole"),
    "movielens": (files.movielens, "movielens"),
}


def as_log(tables):
    log = tables.interactions
    return list(zip(log["user"], log["item"], log["timestamp"] // files.DAY, strict=True))


def described(tables):
    return {row.item: (row.title, row.brand, row.category_path) for row in tables.items.itertuples()}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_reads_the_same_interactions(name, tmp_path):
    write, source_format = WRITERS[name]
    assert as_log(read_source(write(tmp_path / "source"), source_format)) == files.LOG


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_reads_the_same_items(name, tmp_path):
    write, source_format = WRITERS[name]
    items = described(read_source(write(tmp_path / "source"), source_format))
    brands = ("", "", "") if name == "movielens" else ("Avalon", "", "Birch")
    assert {key: items[key] for key in files.TITLES} == {
        key: (title, brand, tuple(files.PATHS[key]))
        for (key, title), brand in zip(files.TITLES.items(), brands, strict=True)
    }


def test_an_item_is_filed_under_the_root_that_most_items_share(tmp_path):
    items = described(read_source(files.amazon_2014(tmp_path / "source"), "amazon"))
    assert items["2"][2] == ("Beauty", "Skin")


def test_metadata_of_items_nobody_bought_stays_out(tmp_path):
    assert "99" not in described(read_source(files.amazon_2014(tmp_path / "source"), "amazon"))


def test_a_metadata_line_that_repeats_word_for_word_is_counted_and_left_out(tmp_path):
    source = files.amazon_2018(tmp_path / "source")
    path = source / "meta_Beauty.json"
    path.write_text(path.read_text() + path.read_text().splitlines()[0] + "\n")
    tables = read_source(source, "amazon")
    assert len(tables.items) == 3
    assert tables.notes == {"repeated_metadata_lines": 1}


def test_a_review_without_time_is_read_as_unknown(tmp_path):
    source = files.amazon_2018(tmp_path / "source")
    files.write_lines(source / "Beauty_5.json", [{"reviewerID": "1", "asin": "2"}])
    assert read_source(source, "amazon").interactions["timestamp"].tolist() == [-1]


def test_null_times_of_the_parquet_layout_are_unknown(tmp_path):
    times = [None, 2 * files.DAY, 3 * files.DAY, None, 5, 6, 7]
    source = files.parquet_source(tmp_path / "source", log_timestamp=times)
    assert read_source(source, "parquet").interactions["timestamp"].tolist() == [-1, 172800, 259200, -1, 5, 6, 7]


def test_the_position_column_orders_ties_whatever_the_order_of_rows(tmp_path):
    positions = [2, 1, 0, 0, 1, 2, 0]
    tables = read_source(files.parquet_source(tmp_path / "source", log_position=positions), "parquet")
    assert tables.interactions["order"].tolist() == positions


def test_sentence_vectors_beside_the_parquet_layout_are_found(tmp_path):
    source = files.parquet_source(tmp_path / "source")
    assert read_source(source, "parquet").text_features is None
    (source / "text_features.safetensors").write_bytes(b"vectors")
    assert read_source(source, "parquet").text_features == source / "text_features.safetensors"


def test_recbole_without_an_item_file_describes_nothing(tmp_path):
    source = files.recbole(tmp_path / "source")
    (source / "beauty.item").unlink()
    tables = read_source(source, "recbole")
    assert len(tables.items) == 0
    assert as_log(tables) == files.LOG


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Comedy Drama", "War"], [("Comedy", "Drama"), ("War",)]),
        (["Hair Care, Shampoos", "Bath"], [("Hair Care", "Shampoos"), ("Bath",)]),
        (["Hair Care|Shampoos", None], [("Hair Care", "Shampoos"), ()]),
        (["['Hair Care', 'Shampoos']", "[['Bath'], ['Gifts']]"], [("Hair Care", "Shampoos"), ("Bath",)]),
    ],
)
def test_recbole_sequences_are_split_at_the_mark_the_file_uses(cells, expected):
    separator = recbole.sequence_separator(cells)
    assert [recbole.read_sequence(cell, separator) for cell in cells] == expected


def test_a_quotation_mark_in_an_atomic_file_is_part_of_the_text(tmp_path):
    source = files.recbole(tmp_path / "source")
    path = source / "beauty.item"
    path.write_text(path.read_text().replace("Day cream", '12" cream "rich'))
    assert described(read_source(source, "recbole"))["2"][0] == '12" cream "rich'


def test_a_movie_without_genres_has_no_category(tmp_path):
    source = files.movielens(tmp_path / "source")
    path = source / "movies.csv"
    path.write_text(path.read_text().replace("Beauty|Lips", movielens.NO_GENRES))
    assert described(read_source(source, "movielens"))["1"][2] == ()


ODD_COLUMNS = TableColumns(
    user="Customer, no.", item="sku=id", time="bought.at", title="the name", brand="maker", category="path"
)


def odd_tables(folder, suffix):
    log = pd.DataFrame(
        [(u, i, f"1970-01-0{day + 1}T00:00:00Z", "x") for u, i, day in files.LOG],
        columns=[ODD_COLUMNS.user, ODD_COLUMNS.item, ODD_COLUMNS.time, "unused"],
    )
    items = pd.DataFrame(
        [(i, title, "M", " / ".join(files.PATHS[i])) for i, title in files.TITLES.items()],
        columns=[ODD_COLUMNS.item, ODD_COLUMNS.title, ODD_COLUMNS.brand, ODD_COLUMNS.category],
    )
    paths = folder / f"log{suffix}", folder / f"items{suffix}"
    for frame, path in zip((log, items), paths, strict=True):
        if suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, sep="\t" if ".tsv" in suffix else ",")
    return paths


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".parquet"])
def test_a_table_with_odd_column_names_is_read(suffix, tmp_path):
    log, items = odd_tables(tmp_path, suffix)
    tables = read_table_source(log, items, ODD_COLUMNS, category_separator=" / ")
    assert as_log(tables) == files.LOG
    assert described(tables)["1"] == ("Red lipstick", "M", ("Beauty", "Lips"))


def test_descriptions_may_stand_in_the_interactions_and_the_first_row_counts(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("u,i,name\na,7,First\nb,7,Second\na,8,\n")
    tables = read_table_source(path, None, TableColumns(user="u", item="i", title="name"))
    assert described(tables) == {"7": ("First", "", ()), "8": ("", "", ())}
    assert tables.title_from_key
    assert tables.interactions["timestamp"].tolist() == [-1, -1, -1]
    assert tables.interactions["order"].tolist() == [0, 1, 2]


def test_the_items_file_may_name_its_key_differently(tmp_path):
    (tmp_path / "log.csv").write_text("u,i\na,007\n")
    (tmp_path / "items.csv").write_text("sku,name\n007,Bond\n")
    columns = TableColumns(user="u", item="i", title="name", key="sku")
    assert described(read_table_source(tmp_path / "log.csv", tmp_path / "items.csv", columns)) == {
        "007": ("Bond", "", ())
    }


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        (["86400", "86401.9"], [86400, 86401]),
        (["1400000000000", "1400000000999"], [1400000000, 1400000000]),
        (["1400000000000000", "1400000001000000"], [1400000000, 1400000001]),
        (["1400000000000000000", "1400000001000000000"], [1400000000, 1400000001]),
        (["1970-01-02", "1970-01-02T01:00:00+01:00"], [86400, 86400]),
        (["86400", ""], [86400, -1]),
    ],
)
def test_times_may_be_seconds_finer_ticks_or_iso_dates(times, seconds, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("u,i,t\n" + "".join(f"a,{row},{time}\n" for row, time in enumerate(times)))
    tables = read_table_source(path, None, TableColumns(user="u", item="i", time="t"))
    assert tables.interactions["timestamp"].tolist() == seconds


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_dates_of_every_resolution_become_seconds(unit, tmp_path):
    times = pa.array([86400, None], pa.timestamp("s")).cast(pa.timestamp(unit))
    pq.write_table(pa.table({"u": ["a", "a"], "i": [1, 2], "t": times}), tmp_path / "log.parquet")
    tables = read_table_source(tmp_path / "log.parquet", None, TableColumns(user="u", item="i", time="t"))
    assert tables.interactions["timestamp"].tolist() == [86400, -1]


def test_lists_in_a_parquet_column_are_category_paths(tmp_path):
    pq.write_table(pa.table({"u": ["a"], "i": [1.0], "c": [["Beauty", "Lips"]]}), tmp_path / "log.parquet")
    tables = read_table_source(tmp_path / "log.parquet", None, TableColumns(user="u", item="i", category="c"))
    assert described(tables) == {"1": ("", "", ("Beauty", "Lips"))}
