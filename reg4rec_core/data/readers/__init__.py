"""One module per source format; each turns a source into SourceTables."""

from pathlib import Path

from reg4rec_core.data.readers import amazon, movielens, parquet_layout, recbole
from reg4rec_core.data.readers.table import read_table_source
from reg4rec_core.data.source import SourceTables
from reg4rec_core.types import InputError

FORMATS = ("parquet", "amazon", "recbole", "movielens", "table")
"""Every format that `prepare` reads; a table has a reader of its own, because its columns must be named."""

READERS = {
    "parquet": parquet_layout.read_source,
    "amazon": amazon.read_source,
    "recbole": recbole.read_source,
    "movielens": movielens.read_source,
}

__all__ = ["FORMATS", "read_source", "read_table_source"]


def read_source(source: Path, source_format: str) -> SourceTables:
    """Read a directory in one of the known layouts (parquet, amazon, recbole, movielens).

    Raises InputError that names the file, the row or the column, and the remedy.
    """
    if source_format not in READERS:
        raise InputError(f"the format of a source directory must be one of {', '.join(READERS)}, got {source_format}")
    source = Path(source)
    if not source.is_dir():
        raise InputError(f"--source must be a directory, got {source}; check the path")
    return READERS[source_format](source)
