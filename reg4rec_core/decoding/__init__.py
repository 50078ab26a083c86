"""From a network's states to recommendations: step selection, catalogue constraint, pruning, search, traces."""

from reg4rec_core.decoding.begun_search import BegunSearch, begin_search
from reg4rec_core.decoding.benchmark import DecodingBenchmark, benchmark_decoding
from reg4rec_core.decoding.block import BLOCK_USERS
from reg4rec_core.decoding.constraints import ItemIndex
from reg4rec_core.decoding.oracle import item_path_scores
from reg4rec_core.decoding.path_scores import ItemPaths, PathScores, path_scores, paths_of
from reg4rec_core.decoding.random_paths import RandomLists, random_paths
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.search import SearchedItems, Truth, search, search_items

__all__ = [
    "BLOCK_USERS",
    "BegunSearch",
    "DecodingBenchmark",
    "ItemIndex",
    "ItemPaths",
    "PathScores",
    "RandomLists",
    "ReasoningModel",
    "SearchedItems",
    "Truth",
    "begin_search",
    "benchmark_decoding",
    "item_path_scores",
    "path_scores",
    "paths_of",
    "random_paths",
    "search",
    "search_items",
]
