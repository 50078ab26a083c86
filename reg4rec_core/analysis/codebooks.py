"""What each expert's codebook tells of the items, how its codes are used, and whether experts copy each other.

Raw mutual information flatters: 300 codes over 12,000 items agree with anything. Every agreement here is therefore
given beside what shuffled items reach (its chance level), and `adjusted` is the difference. Title, brand and category
path are read by the tokenizer, so agreement with them is partly by construction; each attribute says whether it was.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.checkpoint import Run
from reg4rec_core.data.batching import training_sequences
from reg4rec_core.tokenizer.assignment import GATE_PERCENT, normalised_mutual_information, perplexity, usage
from reg4rec_core.types import UNKNOWN, Catalog, Interactions, SemanticIds

SHUFFLES = 5
"""Random orders of the items that a chance level is the mean of."""
DECILES = 10
MIN_COVERAGE = 0.25
"""Share of the items that must reach a category level for it to be an attribute of its own."""
OVERLOAD = 3.0
"""A code is overloaded when it carries more than this many times an even share of the items."""
ITEMS_PER_FEATURE = 2
"""Items a feature column needs at least before directions are estimated from them by least squares."""


@dataclass(frozen=True)
class ItemAttribute:
    """Something known of the items that codes may tell."""

    name: str
    labels: tuple[str, ...]
    values: Int[np.ndarray, "N"]
    """Index into `labels`, -1 where the item's value is unknown; row 0 (padding) is -1."""
    is_input: bool
    """Whether the tokenizer reads it, so that agreement is partly by construction."""
    note: str
    """Where it stands among the tokenizer's inputs, in a few words."""
    ordered: bool
    """Whether the labels rise from small to large."""

    @property
    def n_known(self) -> int:
        return int((self.values >= 0).sum())


@dataclass(frozen=True)
class Agreement:
    """How well the codes of every codebook tell one attribute."""

    attribute: ItemAttribute
    raw: Float[np.ndarray, "M"]
    """Normalised mutual information, 0 to 1, over the items whose value is known."""
    chance: Float[np.ndarray, "M"]
    """The same when the values are shuffled among the items, mean over `SHUFFLES` orders."""
    told: Float[np.ndarray, "M"]
    """Share of the attribute's entropy that the code tells beyond chance, at most 1; around 0 for unrelated codes."""

    @property
    def adjusted(self) -> Float[np.ndarray, "M"]:
        """Normalised mutual information beyond chance."""
        return self.raw - self.chance


@dataclass(frozen=True)
class Likeness:
    """How alike the experts are, pair by pair, by one measure."""

    name: str
    matrix: Float[np.ndarray, "M M"]
    """Symmetric, 1 on the diagonal."""
    note: str
    """What the numbers mean, and what experts without anything in common reach."""


@dataclass(frozen=True)
class CodeFlow:
    """From groups of codes to the attribute that their items really have."""

    labels: tuple[str, ...]
    counts: Int[np.ndarray, "A A"]
    """counts[g, v]: items of value v whose code is most often of value g."""
    codes: Int[np.ndarray, "A"]
    """Codes whose items are most often of each value."""

    @property
    def purity(self) -> float:
        """Share of the items whose value is the leading one of their code."""
        return float(np.trace(self.counts) / max(self.counts.sum(), 1))


@dataclass(frozen=True)
class CodebookReport:
    """Everything the codes of a run say about its experts, computed once."""

    ids: SemanticIds
    loads: Int[np.ndarray, "M K"]
    """Items that carry each code."""
    perplexity: Float[np.ndarray, "M"]
    """How many codes are effectively in use."""
    agreements: tuple[Agreement, ...]
    likenesses: tuple[Likeness, ...]
    collisions: tuple[Int[np.ndarray, "_"], ...]
    """Groups of items that share all codes, the largest group first."""
    gate_means: tuple[float, ...]
    """Mean weight the gate gave each expert when the codes were fitted; empty where the run did not record it."""
    gate_quantiles: Float[np.ndarray, "_ quantiles"]
    """An expert a row: the weights that 5, 25, 50, 75 and 95 % of the items stay below; no rows where not recorded."""

    @property
    def even_load(self) -> float:
        """Items a code would carry if all carried the same."""
        return (self.ids.n_items - 1) / self.ids.codebook_size

    def dead(self, codebook: int) -> Int[np.ndarray, "_"]:
        """Codes that no item carries."""
        return np.flatnonzero(self.loads[codebook] == 0)

    def overloaded(self, codebook: int) -> Int[np.ndarray, "_"]:
        """Codes that carry more than `OVERLOAD` even shares, the largest first."""
        order = np.argsort(-self.loads[codebook], kind="stable")
        return order[self.loads[codebook][order] > OVERLOAD * self.even_load]

    def flow(self, codebook: int, attribute: ItemAttribute) -> CodeFlow:
        """Where the items of each group of codes really belong."""
        return code_flow(self.ids, codebook, attribute)


def read_codebooks(run: Run, *, seed: int = 0) -> CodebookReport:
    """Read all of it off a run directory; a few seconds for 12,000 items, the seed rules the shuffles."""
    dataset, ids = run.load_dataset(), run.semantic_ids()
    rng = np.random.default_rng(seed)
    behaviour_width = run.settings.get("tokenizer", {}).get("behaviour_width", 0)
    attributes = item_attributes(dataset.catalog, dataset.interactions, behaviour_width=behaviour_width)
    report = run.read_json("tokenizer_report.json") if (run.path / "tokenizer_report.json").exists() else {}
    likenesses = [shared_information(ids, rng=rng), codeword_likeness(run.codewords(), ids)]
    if (run.path / "features.safetensors").exists():
        features = run.features()
        if ids.n_items > ITEMS_PER_FEATURE * features.shape[1] > 0:
            likenesses.append(direction_overlap(features, run.codewords(), ids))
    return CodebookReport(
        ids=ids,
        loads=usage(ids),
        perplexity=perplexity(ids),
        agreements=tuple(agreement(ids, attribute, rng=rng) for attribute in attributes),
        likenesses=tuple(likenesses),
        collisions=collision_groups(ids),
        gate_means=tuple(float(weight) for weight in report.get("gate_mean", ())),
        gate_quantiles=_gate_quantiles(report),
    )


def _gate_quantiles(report: dict[str, Any]) -> Float[np.ndarray, "_ quantiles"]:
    """Of a tokenizer's report: an expert a row, or no rows where it lacks them."""
    if "gate_quantiles" not in report:
        return np.zeros((0, len(GATE_PERCENT)))
    return np.array([report["gate_quantiles"][str(percent)] for percent in GATE_PERCENT], dtype=np.float64).T


def item_attributes(catalog: Catalog, interactions: Interactions, *, behaviour_width: int) -> tuple[ItemAttribute, ...]:
    """Category levels from the first that differs down to the leaf, brand, and popularity in training purchases.

    An attribute that is the same for all items, or known of none, tells nothing and is left out.
    """
    text = "part of the text the tokenizer reads"
    attributes = []
    paths = [path if path != (UNKNOWN,) else () for path in catalog.category_paths]
    for depth in range(max(len(path) for path in paths)):
        reached = [path[: depth + 1] if len(path) > depth else None for path in paths]
        if sum(path is not None for path in reached) >= MIN_COVERAGE * (catalog.n_items - 1):
            attributes.append(_attribute(f"category level {depth}", reached, is_input=True, note=text))
    attributes.append(_attribute("finest category", [path or None for path in paths], is_input=True, note=text))
    brands = [brand if brand not in ("", UNKNOWN) else None for brand in catalog.brands]
    attributes.append(_attribute("brand", brands, is_input=True, note=text))
    attributes.append(_popularity(catalog, interactions, behaviour_width=behaviour_width))
    telling = [attribute for attribute in attributes if len(attribute.labels) > 1]
    seen: list[ItemAttribute] = []
    for attribute in telling:
        if not any(np.array_equal(attribute.values, other.values) for other in seen):
            seen.append(attribute)
    return tuple(seen)


def _attribute(name: str, values: Sequence[Hashable | None], *, is_input: bool, note: str) -> ItemAttribute:
    """An attribute from one value an item, None where unknown; its labels go from frequent to rare."""
    counts: dict[Hashable, int] = {}
    for value in values[1:]:
        if value is not None:
            counts[value] = counts.get(value, 0) + 1
    ranked = sorted(counts, key=lambda value: (-counts[value], str(value)))
    index = {value: place for place, value in enumerate(ranked)}
    column = np.array([-1, *[index.get(value, -1) for value in values[1:]]], dtype=np.int64)
    return ItemAttribute(name, tuple(_label(value) for value in ranked), column, is_input, note, ordered=False)


def _label(value: Hashable) -> str:
    """A category path without its root, any other value as it is."""
    return " > ".join(value[1:] or value) if isinstance(value, tuple) else str(value)


def _popularity(catalog: Catalog, interactions: Interactions, *, behaviour_width: int) -> ItemAttribute:
    """Purchases in training, cut at their deciles; items bought equally often stay together."""
    bought = np.bincount(np.concatenate(list(training_sequences(interactions))), minlength=catalog.n_items)
    edges = np.unique(np.quantile(bought[1:], np.arange(1, DECILES) / DECILES, method="inverted_cdf"))
    places = np.searchsorted(edges, bought, side="left")
    present, values = np.unique(places[1:], return_inverse=True)
    labels = []
    for place in present:
        counts = bought[1:][places[1:] == place]
        low, high = int(counts.min()), int(counts.max())
        labels.append(f"bought {low}" if low == high else f"bought {low} to {high}")
    note = "not an input, but behaviour vectors come from the same purchases" if behaviour_width else "not an input"
    column = np.concatenate([[-1], values.astype(np.int64)])
    return ItemAttribute("popularity", tuple(labels), column, False, note, ordered=True)


def agreement(ids: SemanticIds, attribute: ItemAttribute, *, rng: np.random.Generator) -> Agreement:
    """How well every codebook tells an attribute, beside what shuffled values reach."""
    known = attribute.values >= 0
    codes, values = ids.codes[known], attribute.values[known]
    pairs = [_beyond_chance(codes[:, codebook], values, rng=rng) for codebook in range(ids.n_codebooks)]
    raw, chance = np.array(pairs).T
    entropy = _entropy(values)
    half_sum = np.array([(_entropy(column) + entropy) / 2 for column in codes.T])  # nats
    left = entropy - chance * half_sum  # what chance leaves to be told
    told = np.divide((raw - chance) * half_sum, left, out=np.zeros_like(raw), where=left > 1e-9)
    return Agreement(attribute, raw, chance, told)


def _beyond_chance(
    left: Int[np.ndarray, "n"], right: Int[np.ndarray, "n"], *, rng: np.random.Generator
) -> tuple[float, float]:
    """Normalised mutual information, and its mean when one side is shuffled."""
    shuffled = [normalised_mutual_information(left, rng.permutation(right)) for _ in range(SHUFFLES)]
    return normalised_mutual_information(left, right), float(np.mean(shuffled))


def _entropy(values: Int[np.ndarray, "n"]) -> float:
    counts = np.bincount(values)
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def shared_information(ids: SemanticIds, *, rng: np.random.Generator) -> Likeness:
    """Normalised mutual information of every pair of codebooks beyond chance; the diagonal is 1."""
    matrix, floors = np.eye(ids.n_codebooks), []
    for a in range(ids.n_codebooks):
        for b in range(a):
            raw, chance = _beyond_chance(ids.codes[1:, a], ids.codes[1:, b], rng=rng)
            matrix[a, b] = matrix[b, a] = raw - chance
            floors.append(chance)
    floor = float(np.mean(floors)) if floors else 0.0
    note = (
        "Normalised mutual information of two facets' codes beyond chance: 0 where one tells nothing of the other, "
        f"near 1 for copies. Shuffled items reach {floor:.2f} by themselves, which is taken off."
    )
    return Likeness("shared information", matrix, note)


def codeword_likeness(codewords: Float[np.ndarray, "M K d"], ids: SemanticIds) -> Likeness:
    """Linear CKA of the codewords that the items get from two experts: whether both lay the items out alike."""
    vectors = [codewords[m][ids.codes[1:, m]].astype(np.float64) for m in range(ids.n_codebooks)]  # (N - 1, d) each
    centred = [view - view.mean(0) for view in vectors]
    grams = [np.linalg.norm(view.T @ view) for view in centred]
    matrix = np.eye(ids.n_codebooks)
    for a in range(ids.n_codebooks):
        for b in range(a):
            scale = grams[a] * grams[b]
            cross = np.linalg.norm(centred[a].T @ centred[b]) ** 2
            matrix[a, b] = matrix[b, a] = cross / scale if scale > 0 else 0.0
    note = (
        "Whether two experts lay the items out alike (linear CKA of the codewords their items get): 0 for layouts "
        "without anything in common, 1 for the same layout up to a rotation."
    )
    return Likeness("codewords", matrix, note)


def direction_overlap(
    features: Float[np.ndarray, "N F"], codewords: Float[np.ndarray, "M K d"], ids: SemanticIds
) -> Likeness:
    """Mean squared cosine between the directions of the item features that two experts read.

    The run keeps no projections, so each expert's directions are estimated: least squares from the features to the
    codewords that its items get. Orthogonal experts (Eq. 3) overlap by 0, unrelated ones by d / F.
    """
    inputs = features[1:].astype(np.float64)
    inputs = inputs - inputs.mean(0)
    bases = []
    for m in range(ids.n_codebooks):
        outputs = codewords[m][ids.codes[1:, m]].astype(np.float64)
        weights = np.linalg.lstsq(inputs.T @ inputs, inputs.T @ (outputs - outputs.mean(0)), rcond=1e-8)[0]  # (F, d)
        left, values, _ = np.linalg.svd(weights, full_matrices=False)
        bases.append(left[:, values > 1e-6 * max(float(values.max()), 1e-300)])
    matrix = np.eye(ids.n_codebooks)
    for a in range(ids.n_codebooks):
        for b in range(a):
            size = min(bases[a].shape[1], bases[b].shape[1])
            overlap = np.linalg.norm(bases[a].T @ bases[b]) ** 2 / size if size else 0.0
            matrix[a, b] = matrix[b, a] = overlap
    expected = codewords.shape[2] / features.shape[1]
    note = (
        "How far two experts read the same directions of the item features: 0 for orthogonal experts, 1 for the same "
        f"directions, {expected:.2f} for unrelated ones. Estimated by least squares from the codewords, since the run "
        "stores no projections."
    )
    return Likeness("directions", matrix, note)


def collision_groups(ids: SemanticIds) -> tuple[Int[np.ndarray, "_"], ...]:
    """Groups of two and more items that share all codes, the largest first, then by item."""
    _, inverse, counts = np.unique(ids.codes[1:], axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.ravel()
    groups = [np.flatnonzero(inverse == group) + 1 for group in np.flatnonzero(counts > 1)]
    return tuple(sorted(groups, key=lambda items: (-len(items), int(items[0]))))


def code_flow(ids: SemanticIds, codebook: int, attribute: ItemAttribute) -> CodeFlow:
    """Group codes by the value their items most often have, and count the values that the items of each group have."""
    size, known = len(attribute.labels), attribute.values >= 0
    table = np.zeros((ids.codebook_size, size), np.int64)
    np.add.at(table, (ids.codes[known, codebook], attribute.values[known]), 1)
    leading, carried = table.argmax(1), table.sum(1) > 0
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, leading[carried], table[carried])
    return CodeFlow(attribute.labels, counts, np.bincount(leading[carried], minlength=size))
