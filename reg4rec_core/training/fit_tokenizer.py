"""Stage 1: item features, then codes: MPQ (REG4Rec III-B, Algorithm 1), or residual ones in its place."""

import dataclasses
import math
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from reg4rec_core.checkpoint import Run, append_metrics, provenance, write_json, write_tensors
from reg4rec_core.config import DecodeConfig, TokenizerConfig
from reg4rec_core.data import Dataset, load_dataset
from reg4rec_core.machine import Meter
from reg4rec_core.tokenizer.assignment import GATE_PERCENT, collision_rate, pairwise_information, perplexity, usage
from reg4rec_core.tokenizer.behaviour import behaviour_features
from reg4rec_core.tokenizer.features import join_modalities, principal_components, standardise
from reg4rec_core.tokenizer.mpq import (
    MixtureQuantizer,
    choose_codewords,
    codebook_loss,
    kmeans,
    nearest_codes,
    orthogonality_loss,
    reconstruction_loss,
)
from reg4rec_core.tokenizer.rq import fit_residual_codebooks, residual_codes
from reg4rec_core.tokenizer.text import text_features
from reg4rec_core.types import InputError, SemanticIds

ITEMS_PER_CODE = 8
"""A codebook has at most one code for so many items: where every item has a code of its own, one step says all."""
COLLAPSED_SHARE = 0.2
"""A codebook whose perplexity is under this share of what its items could fill has collapsed."""


@dataclasses.dataclass(frozen=True)
class FittedCodes:
    """What a quantizer made of a catalogue."""

    ids: SemanticIds
    codewords: Float[torch.Tensor, "M K d"]
    report: dict[str, Any]


def item_features(
    dataset: Dataset, config: TokenizerConfig, *, text_cache: Path, progress: Callable[[str], None]
) -> Float[np.ndarray, "N F"]:
    """v_i: text, behaviour (training interactions only) and the user's own modality, side by side."""
    catalog = dataset.catalog
    text = principal_components(
        standardise(text_features(catalog, cache=text_cache, progress=progress)), width=config.text_width
    )
    modalities = [text]
    if config.behaviour_width:
        progress("reading behaviour from training interactions")
        items, offsets = training_interactions(dataset)
        behaviour = behaviour_features(
            items, offsets, n_items=catalog.n_items, width=config.behaviour_width, seed=config.seed
        )
        modalities.append(behaviour)
    if catalog.features.shape[1]:
        modalities.append(standardise(catalog.features))
    return join_modalities(*modalities)


def training_interactions(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Items and offsets of the training part of every sequence: nothing held out may shape the codes."""
    interactions = dataset.interactions
    starts = interactions.offsets[:-1]
    kept = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, interactions.train_lengths, strict=True)])
    offsets = np.concatenate([[0], np.cumsum(interactions.train_lengths)])
    return interactions.items[kept], offsets


def train_quantizer(
    features: Float[np.ndarray, "N F"],
    config: TokenizerConfig,
    *,
    log: Callable[[dict[str, Any]], None],
    progress: Callable[[str], None],
) -> MixtureQuantizer:
    """Fit MPQ to the real items; codebooks start from k-means, codes unused for an epoch restart at random items."""
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    points = torch.as_tensor(features[1:])
    code_width = min(config.code_width, points.shape[1] // config.n_codebooks)
    if code_width < 1:
        raise InputError(
            f"n_codebooks must not exceed the {points.shape[1]} feature columns, got {config.n_codebooks}; "
            "raise text_width or lower n_codebooks"
        )
    quantizer = MixtureQuantizer(
        points.shape[1], n_codebooks=config.n_codebooks, codebook_size=config.codebook_size, code_width=code_width
    )
    initialise_codebooks(quantizer, points, generator=generator)
    optimizer = torch.optim.AdamW(quantizer.parameters(), lr=config.learning_rate, weight_decay=0.0)
    steps = math.ceil(len(points) / config.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs * steps)
    for epoch in range(config.epochs):
        used = torch.zeros(config.n_codebooks, config.codebook_size, dtype=torch.long)
        terms = torch.zeros(3)
        for batch in points[torch.randperm(len(points), generator=generator)].split(config.batch_size):
            quantized = quantizer(batch)
            reconstruction = reconstruction_loss(batch, quantized.reconstruction)
            orthogonality = orthogonality_loss(quantizer.projections)
            codebook = codebook_loss(quantized.expert_outputs, quantized.codewords, commitment=config.commitment)
            loss = reconstruction + config.orthogonality * orthogonality + codebook
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            used.scatter_add_(1, quantized.codes.T, torch.ones_like(quantized.codes.T))
            terms += torch.stack([reconstruction, orthogonality, codebook]).detach()
        restarted = (
            restart_dead_codes(quantizer, points, used, generator=generator) if epoch < 0.8 * config.epochs else 0
        )
        names = ("reconstruction", "orthogonality", "codebook")
        means = dict(zip(names, (terms / steps).tolist(), strict=True))
        log({"stage": "fit-tokenizer", "epoch": epoch + 1, **means, "restarted_codes": restarted})
        if (epoch + 1) % 20 == 0:
            progress(f"tokenizer epoch {epoch + 1} of {config.epochs}: reconstruction {means['reconstruction']:.2f}")
    return quantizer.eval()


@torch.no_grad()
def initialise_codebooks(quantizer: MixtureQuantizer, points: torch.Tensor, *, generator: torch.Generator) -> None:
    """Codewords start as the k-means centres of what each expert makes of the items."""
    outputs = quantizer.experts(points)
    size = quantizer.codebooks.shape[1]
    for index in range(outputs.shape[1]):
        centres = kmeans(outputs[:, index], n_clusters=size, iterations=15, generator=generator)
        quantizer.codebooks[index] = centres


@torch.no_grad()
def restart_dead_codes(
    quantizer: MixtureQuantizer, points: torch.Tensor, used: torch.Tensor, *, generator: torch.Generator
) -> int:
    """Codes that no item chose in the last epoch move onto random items; returns how many moved."""
    dead = torch.nonzero(used == 0)
    chosen = points[torch.randint(len(points), (len(dead),), generator=generator)]
    if len(dead):
        outputs = quantizer.experts(chosen)
        quantizer.codebooks[dead[:, 0], dead[:, 1]] = outputs[torch.arange(len(dead)), dead[:, 0]]
    return len(dead)


@torch.no_grad()
def assign_codes(quantizer: MixtureQuantizer, features: Float[np.ndarray, "N F"]) -> SemanticIds:
    """The frozen quantizer's codes of all items."""
    codes = nearest_codes(quantizer.experts(torch.as_tensor(features[1:])), quantizer.codebooks)
    padded = np.concatenate([np.zeros((1, codes.shape[1]), np.int64), codes.numpy()])
    return SemanticIds(padded, quantizer.codebooks.shape[1])


@torch.no_grad()
def tokenizer_report(
    quantizer: MixtureQuantizer, features: Float[np.ndarray, "N F"], ids: SemanticIds
) -> dict[str, Any]:
    """Reconstruction, gate, and per codebook usage, perplexity, dead codes; agreement of codebooks; collisions."""
    points = torch.as_tensor(features[1:])
    quantized = quantizer(points)
    codewords = choose_codewords(quantizer.codebooks, quantized.codes)
    error = (quantized.expert_outputs - codewords).square().sum(-1).mean(0)
    spread = (quantized.expert_outputs - quantized.expert_outputs.mean(0)).square().sum(-1).mean(0)
    return {
        **reconstruction_report(points, quantized.reconstruction, ids),
        "expert_explained_variance": (1 - error / spread.clamp_min(1e-12)).tolist(),
        "orthogonality_loss": orthogonality_loss(quantizer.projections).item(),
        "gate_mean": quantized.gate.mean(0).tolist(),
        "gate_quantiles": gate_quantiles(quantized.gate),
        **codes_report(ids),
    }


def gate_quantiles(gate: Float[torch.Tensor, "n M"]) -> dict[str, list[float]]:
    """How the gate's weights spread over the items: `GATE_PERCENT` of the items weigh each expert at most so much."""
    levels = np.percentile(gate.numpy(), GATE_PERCENT, axis=0)
    return {str(percent): weights.tolist() for percent, weights in zip(GATE_PERCENT, levels, strict=True)}


def reconstruction_report(
    points: Float[torch.Tensor, "n F"], reconstruction: Float[torch.Tensor, "n F"], ids: SemanticIds
) -> dict[str, Any]:
    """Sizes, and how much of the features the codes hold."""
    explained = 1 - (points - reconstruction).square().sum() / (points - points.mean(0)).square().sum()
    return {
        "items": ids.n_items - 1,
        "codebooks": ids.n_codebooks,
        "codebook_size": ids.codebook_size,
        "feature_width": points.shape[1],
        "reconstruction_loss": reconstruction_loss(points, reconstruction).item(),
        "explained_variance": explained.item(),
    }


def codes_report(ids: SemanticIds) -> dict[str, Any]:
    """Usage, perplexity and dead codes of every codebook, agreement of codebooks, collisions."""
    counts = usage(ids)
    return {
        "used_codes": (counts > 0).sum(1).tolist(),
        "dead_codes": (counts == 0).sum(1).tolist(),
        "largest_code": counts.max(1).tolist(),
        "perplexity": perplexity(ids).tolist(),
        "pairwise_nmi": pairwise_information(ids).tolist(),
        "collision_rate": collision_rate(ids),
    }


def fit_mpq(
    features: Float[np.ndarray, "N F"],
    config: TokenizerConfig,
    *,
    log: Callable[[dict[str, Any]], None],
    progress: Callable[[str], None],
) -> FittedCodes:
    """Train MPQ and read its codes."""
    quantizer = train_quantizer(features, config, log=log, progress=progress)
    ids = assign_codes(quantizer, features)
    return FittedCodes(ids, quantizer.codebooks.detach(), tokenizer_report(quantizer, features, ids))


def fit_residual(
    features: Float[np.ndarray, "N F"],
    config: TokenizerConfig,
    *,
    log: Callable[[dict[str, Any]], None],
    progress: Callable[[str], None],
) -> FittedCodes:
    """Residual k-means of the features; an item's codewords add up to its reconstruction."""
    points = torch.as_tensor(features[1:])

    def after_codebook(index: int, error: float) -> None:
        log({"stage": "fit-tokenizer", "codebook": index, "reconstruction": error})
        progress(f"codebook {index + 1} of {config.n_codebooks}: reconstruction {error:.2f}")

    codebooks = fit_residual_codebooks(
        points,
        n_codebooks=config.n_codebooks,
        codebook_size=config.codebook_size,
        generator=torch.Generator().manual_seed(config.seed),
        log=after_codebook,
    )
    codes = residual_codes(points, codebooks)
    ids = SemanticIds(np.concatenate([np.zeros((1, codes.shape[1]), np.int64), codes.numpy()]), config.codebook_size)
    reconstruction = choose_codewords(codebooks, codes).sum(1)
    return FittedCodes(ids, codebooks, {**reconstruction_report(points, reconstruction, ids), **codes_report(ids)})


def refuse_collapse(report: dict[str, Any]) -> None:
    """A collapsed codebook is an error: what it says of an item is next to nothing."""
    possible = min(report["codebook_size"], report["items"])
    for index, value in enumerate(report["perplexity"]):
        if value < COLLAPSED_SHARE * possible:
            raise InputError(
                f"codebook {index} collapsed: perplexity must be at least {COLLAPSED_SHARE:.0%} of {possible} codes, "
                f"got {value:.1f}; give the items richer features, more epochs or a smaller --codebook-size"
            )


def fit_codebooks_to(n_items: int, config: TokenizerConfig, *, progress: Callable[[str], None]) -> TokenizerConfig:
    """The settings with smaller codebooks where the catalogue is too small for them, said aloud."""
    largest = max(8, n_items // ITEMS_PER_CODE)
    if config.codebook_size <= largest:
        return config
    progress(f"{n_items:,} items are few for {config.codebook_size} codes a codebook; taking {largest}")
    return dataclasses.replace(config, codebook_size=largest)


def fit_tokenizer(
    data: Path, run: Path, config: TokenizerConfig, *, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Make the run directory `run` from the data set directory `data`; returns the tokenizer's report.

    The text cache of the data set is used and filled. The run appears whole or not at all.
    """
    if run.exists() and any(run.iterdir()):
        raise InputError(f"--run must be a new directory, {run} exists; choose another or delete it")
    meter = Meter()
    dataset = load_dataset(data)
    config = fit_codebooks_to(dataset.catalog.n_items - 1, config, progress=progress)
    features = item_features(dataset, config, text_cache=data / "text_features.safetensors", progress=progress)
    run.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{run.name}-", dir=run.parent))
    try:
        log = partial / "metrics.jsonl"
        fit = fit_residual if config.quantizer == "residual" else fit_mpq
        fitted = fit(features, config, log=lambda r: append_metrics(log, r), progress=progress)
        ids, report = fitted.ids, {**fitted.report, **meter.read()}
        if config.quantizer == "mpq":  # residual codes stand here to compare with, uneven as they come
            refuse_collapse(report)
        shutil.copytree(data, partial / "data", ignore=shutil.ignore_patterns("text_features.safetensors"))
        write_tensors(partial / "features.safetensors", {"features": torch.as_tensor(features).half()})
        codes = torch.as_tensor(ids.codes).to(torch.int16 if ids.codebook_size < 2**15 else torch.int32)
        write_tensors(partial / "tokenizer.safetensors", {"codes": codes, "codewords": fitted.codewords})
        write_json(partial / "tokenizer_report.json", report)
        settings = {
            "format": 1,
            **provenance(),
            "data_checksum": dataset.info.get("checksum"),
            "tokenizer": config.to_dict(),
        }
        if config.quantizer == "residual":  # its codebooks only mean something one after the other
            settings["decode"] = DecodeConfig(selection="fixed").to_dict()
        write_json(partial / "run.json", settings)
        Run(partial).write_manifest()
        if run.exists():
            run.rmdir()
        os.chmod(partial, 0o755)
        os.replace(partial, run)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return report
