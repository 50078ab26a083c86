"""Raw files -> a validated data set directory, and back into memory."""

from reg4rec_core.data.dataset import Dataset, load_dataset, save_dataset
from reg4rec_core.data.prepare import prepare_dataset
from reg4rec_core.data.readers import FORMATS, read_source, read_table_source
from reg4rec_core.data.source import SourceTables

__all__ = [
    "FORMATS",
    "Dataset",
    "SourceTables",
    "load_dataset",
    "prepare_dataset",
    "read_source",
    "read_table_source",
    "save_dataset",
]
