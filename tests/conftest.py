"""What all tests share: checked shapes, one thread, and one tiny but real trained run."""

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from checked_once import checked_once
from click.testing import Result
from command_line import run_command, succeed
from made_once import made_once
from quick_theta import theta_chosen_quickly

# Before anything imports the package, so that every annotated shape is checked while the tests run.
jaxtyping.jaxtyped = checked_once
jaxtyping.install_import_hook("reg4rec_core", "beartype.beartype")
torch.set_num_threads(1)

KINDS = {
    "Lips": ("lipstick", "lip gloss", "lip balm"),
    "Eyes": ("mascara", "eye liner", "eye shadow"),
    "Nails": ("nail polish", "nail file", "top coat"),
    "Hair": ("shampoo", "conditioner", "hair spray"),
    "Skin": ("day cream", "night cream", "face serum"),
    "Bath": ("bath salt", "shower gel", "bath sponge"),
}
BRANDS = ("Avalon", "Birch & Co", "Corvina")
COLOURS = ("red", "silver", "blue", "green", "ivory", "black", "coral", "amber", "white", "plum")
LONGEST = ("tests/browser/", "tests/end_to_end/test_data_parallel.py", "tests/end_to_end/")
"""What the tests begin with; the second needs no trained run at first, while the browser waits for one."""
COLUMN_MAPPING = "user=visitor,item=product,time=at,title=name,brand=maker,category=kind"


def shop_items() -> list[dict[str, str]]:
    """60 items in 6 kinds; one has neither title, brand nor kind."""
    items = []
    for kind, names in KINDS.items():
        for index in range(10):
            number = len(items)
            brand, colour = BRANDS[number % 3], COLOURS[index]
            title, path = f"{colour} {names[index % 3]} by {brand}", f"Beauty>{kind}>{names[index % 3].title()}"
            items.append({"product": f"p{number:03d}", "name": title, "maker": brand, "kind": path})
    items[-1] |= {"name": "", "maker": "", "kind": ""}
    return items


def shop_visits(*, n_users: int = 150, seed: int = 0) -> list[dict[str, str]]:
    """Every visitor likes two kinds and tends to buy a kind's items in their order, so there is something to learn."""
    generator = np.random.default_rng(seed)
    visits = []
    for user in range(n_users):
        liked = generator.choice(6, size=2, replace=False)
        place = {kind: int(generator.integers(10)) for kind in liked}
        bought: list[int] = []
        kind = liked[0]
        for _ in range(int(generator.integers(6, 13))):
            if generator.random() < 0.25:
                kind = liked[0] + liked[1] - kind
            item = int(kind * 10 + place[kind]) if generator.random() < 0.9 else int(generator.integers(60))
            place[kind] = (place[kind] + 1) % 10
            if item not in bought:
                bought.append(item)
        for position, item in enumerate(bought):
            visits.append(
                {"visitor": f"visitor {user + 1}", "product": f"p{item:03d}", "at": str(10_000 * position + user)}
            )
    return visits


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest pieces first: where processes share the work, short ones then fill the end up."""
    items.sort(key=lambda item: ([*map(item.nodeid.startswith, LONGEST), True]).index(True))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where processes share the work by files, one of them does all that needs a browser: with one set of servers."""
    from xdist.scheduler import LoadFileScheduling

    class BrowserTogether(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)

    return BrowserTogether(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def reg4rec() -> Callable[..., Result]:
    """The command line as a function: reg4rec("evaluate", "--run", run).exit_code."""
    return run_command


@pytest.fixture
def quick_theta() -> Iterator[None]:
    """Whatever is pre-trained in the test chooses its theta quickly."""
    with theta_chosen_quickly():
        yield


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set directory that `prepare` made from two CSV files with column names of their own."""

    def prepare(data: Path) -> None:
        folder = tmp_path_factory.mktemp("shop")
        write_csv(folder / "visits.csv", shop_visits())
        write_csv(folder / "products.csv", shop_items())
        tables = ("--interactions", folder / "visits.csv", "--items", folder / "products.csv")
        succeed("prepare", "--format", "table", *tables, "--columns", COLUMN_MAPPING, "--out", data)

    return made_once("data", prepare, tmp_path_factory)


@pytest.fixture(scope="session")
def tiny_run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory trained on `tiny_data` with the commands of the README, only smaller. Never write into it."""
    from reg4rec_core.checkpoint import open_run

    def train(run: Path) -> None:
        sizes = ("--n-codebooks", "4", "--codebook-size", "8", "--code-width", "4", "--epochs", "20")
        succeed("fit-tokenizer", "--data", tiny_data, "--run", run, *sizes, "--seed", "0")
        network = ("--width", "32", "--hidden", "64", "--n-heads", "2")
        training = ("--batch-size", "32", "--learning-rate", "0.01", "--warmup-steps", "5", "--dropout", "0.1")
        # so short a training has no time to teach the encoder first
        training += ("--encoder-share", "0", "--encoder-rate", "1", "--transition-weight", "0.1")
        with theta_chosen_quickly():
            succeed("pretrain", "--run", run, "--epochs", "16", *network, *training, "--seed", "0")
        opened = open_run(run)  # so that the pages show pruning
        opened.set_decode_config(replace(opened.decode_config(), theta=0.2, check_from=2))

    return made_once("tiny", train, tmp_path_factory)


@pytest.fixture(scope="session")
def two_stage_run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny_run` with second weights, as a training after pre-training would leave them. Never write into it."""
    from safetensors.torch import load_file

    from reg4rec_core.checkpoint import open_run, write_weights

    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "two-stage")
    weights, generator = load_file(run / "weights" / "pretrained.safetensors"), torch.Generator().manual_seed(0)
    moved = {
        name: value + 0.4 * value.float().std(correction=0) * torch.randn(value.shape, generator=generator)
        for name, value in weights.items()
    }
    write_weights(run / "weights" / "post_trained.safetensors", moved)
    open_run(run).write_manifest()
    return run
