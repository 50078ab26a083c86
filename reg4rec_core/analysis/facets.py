"""What a code stands for, read off the items that carry it.

Titles, brands and category paths are themselves inputs of the tokenizer, so part of the agreement shown here is by
construction; it says what a code is about, not that the model found it out unaided.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from reg4rec_core.evaluation.baselines import popularity as count_purchases
from reg4rec_core.types import UNKNOWN, Catalog, InputError, Interactions, ReasoningTrace, SemanticIds

MIN_COUNT = 2
"""An attribute that a single item of a code carries says nothing about the code."""
MIN_SHARE = 0.12
"""Share of a code's items that must carry an attribute before it may name the code."""
MIN_LIFT = 1.5
"""How much more often than in the catalogue an attribute must occur before it may name the code."""
SECOND_SHARE = 0.3
"""Share of a code's items that the second half of a name must cover."""
WORD_WEIGHT = 0.75
"""A word of a title counts less in a name than a brand or a category that stands out as much."""
TYPICAL_ITEMS = 8
LISTED_ATTRIBUTES = 6

_WORD = re.compile(r"[a-z][a-z'+&-]*[a-z]")
_SMALL_WORDS = re.compile(r"and|the|for|with|from|all|your?|its?|an|of|in|on|by|to|or|at|is|this|that|new|free")
_MEASURES = re.compile(
    r"set|pack|kit|count|pcs|pieces?|value|oz|ounces?|fluid|fl|ml|inch(es)?|size|full|large|small|mini|travel"
)


@dataclass(frozen=True)
class Attribute:
    """A word, brand or category that items of a code carry more often than the catalogue does."""

    name: str
    count: int
    """Items of the code that carry it."""
    share: float
    """`count` over the code's items, in (0, 1]."""
    lift: float
    """`share` over the same share in the whole catalogue."""

    @property
    def strength(self) -> float:
        """What the code's items gain in this attribute over the catalogue: share times log lift, nats."""
        return self.share * float(np.log(self.lift))


@dataclass(frozen=True)
class CodeCard:
    """One code of one codebook in plain terms."""

    codebook: int
    code: int
    name: str
    """Two or three words for people; several codes may share a name."""
    load: int
    """Items that carry the code."""
    typical_items: Int[np.ndarray, "n"]
    """The most bought of them, most bought first."""
    words: tuple[Attribute, ...]
    """Distinguishing words of their titles, strongest first."""
    categories: tuple[Attribute, ...]
    brands: tuple[Attribute, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Which items carry which values of one kind of attribute."""

    values: tuple[str, ...]
    table: scipy.sparse.csr_array
    """N x V, 1 where the item carries the value."""
    totals: Float[np.ndarray, "V"]
    """Items of the catalogue that carry each value."""


@dataclass(frozen=True)
class Facets:
    """Everything that code cards are made from; built once a run by `read_facets`."""

    catalog: Catalog
    ids: SemanticIds
    popularity: Float[np.ndarray, "N"]
    """How often each item was bought in training, as a share of the most popular item's count."""
    words: Vocabulary
    categories: Vocabulary
    brands: Vocabulary
    names: tuple[tuple[str, ...], ...]
    """names[codebook][code]"""

    def name(self, codebook: int, code: int) -> str:
        return self.names[codebook][code]


def title_words(title: str) -> list[str]:
    """The words of a title that may tell items apart: lower case, two letters and more, without units and fillers."""
    words = _WORD.findall(title.lower())
    return [word for word in words if not (_SMALL_WORDS.fullmatch(word) or _MEASURES.fullmatch(word))]


def read_facets(catalog: Catalog, ids: SemanticIds, interactions: Interactions) -> Facets:
    """Read what every code stands for; under a second for 12,000 items. Popularity is counted in training data only."""
    if catalog.n_items != ids.n_items:
        raise ValueError(f"catalogue and codes must cover the same items, got {catalog.n_items} and {ids.n_items}")
    popularity = count_purchases(interactions, n_items=catalog.n_items)
    words = _vocabulary(title_words(title) for title in catalog.titles)
    categories = _vocabulary(_below_root(path) for path in catalog.category_paths)
    brands = _vocabulary([brand] for brand in catalog.brands)
    names = tuple(
        _codebook_names(catalog, ids, codebook, popularity, (categories, brands, words))
        for codebook in range(ids.n_codebooks)
    )
    return Facets(catalog, ids, popularity, words, categories, brands, names)


def code_card(facets: Facets, codebook: int, code: int) -> CodeCard:
    """What one code stands for. InputError when the run has no such code."""
    ids = facets.ids
    if not (0 <= codebook < ids.n_codebooks and 0 <= code < ids.codebook_size):
        bounds = f"codebook must lie in [0, {ids.n_codebooks}) and code in [0, {ids.codebook_size})"
        raise InputError(f"{bounds}, got {codebook} and {code}")
    carriers = items_with_code(ids, codebook, code)
    return CodeCard(
        codebook=codebook,
        code=code,
        name=facets.name(codebook, code),
        load=len(carriers),
        typical_items=_most_bought(carriers, facets.popularity)[:TYPICAL_ITEMS],
        words=_distinguishing(facets.words, carriers),
        categories=_distinguishing(facets.categories, carriers),
        brands=_distinguishing(facets.brands, carriers),
    )


def items_with_code(ids: SemanticIds, codebook: int, code: int) -> Int[np.ndarray, "n"]:
    """The items that carry a code, in item order."""
    return np.flatnonzero(ids.codes[1:, codebook] == code) + 1


def items_left(ids: SemanticIds, trace: ReasoningTrace, node: int) -> Int[np.ndarray, "n"]:
    """The items whose codes agree with the path to `node`, in item order; all items at the root."""
    agree = np.ones(ids.n_items, dtype=bool)
    agree[0] = False
    for row in trace.path(node)[1:]:
        agree &= ids.codes[:, trace.codebook[row]] == trace.code[row]
    return np.flatnonzero(agree)


def items_left_of_nodes(
    ids: SemanticIds, trace: ReasoningTrace, items: Int[np.ndarray, "n"]
) -> list[Int[np.ndarray, "..."]]:
    """For every node those of `items` whose codes agree with the path to it, in the order given; all at the root."""
    left = [items]
    columns = (part[1:].tolist() for part in (trace.parent, trace.codebook, trace.code))
    for parent, codebook, code in zip(*columns, strict=True):
        left.append(left[parent][ids.codes[left[parent], codebook] == code])
    return left


def _below_root(path: tuple[str, ...]) -> tuple[str, ...]:
    return path[1:] if len(path) > 1 else path


def _vocabulary(values_of_items: Iterable[Iterable[str]]) -> Vocabulary:
    columns: dict[str, int] = {}
    rows: list[int] = []
    entries: list[int] = []
    n_items = 0
    for item, values in enumerate(values_of_items):
        n_items += 1
        for value in sorted(set(values)):
            if item == 0 or value in ("", UNKNOWN):
                continue
            rows.append(item)
            entries.append(columns.setdefault(value, len(columns)))
    table = scipy.sparse.csr_array(
        (np.ones(len(rows)), (rows, entries)), shape=(n_items, max(len(columns), 1)), dtype=np.float64
    )
    return Vocabulary(tuple(columns) or ("",), table, np.asarray(table.sum(axis=0)).ravel())


def _most_bought(items: Int[np.ndarray, "n"], popularity: Float[np.ndarray, "N"]) -> Int[np.ndarray, "n"]:
    return items[np.argsort(-popularity[items], kind="stable")]


def _distinguishing(vocabulary: Vocabulary, carriers: Int[np.ndarray, "n"]) -> tuple[Attribute, ...]:
    counts = np.bincount(_columns(vocabulary.table, carriers), minlength=vocabulary.table.shape[1])
    columns = np.flatnonzero(counts >= MIN_COUNT)
    return _rank(vocabulary, columns, counts[columns], len(carriers), most=LISTED_ATTRIBUTES)


def _columns(table: scipy.sparse.csr_array, rows: Int[np.ndarray, "n"]) -> Int[np.ndarray, "m"]:
    """The columns of all entries of some rows."""
    starts, ends = table.indptr[rows].tolist(), table.indptr[rows + 1].tolist()
    parts = [table.indices[start:end] for start, end in zip(starts, ends, strict=True)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=table.indices.dtype)


def _rank(
    vocabulary: Vocabulary,
    columns: Int[np.ndarray, "n"],
    counts: Int[np.ndarray, "n"] | Float[np.ndarray, "n"],
    load: int,
    *,
    most: int | None = None,
) -> tuple[Attribute, ...]:
    """What stands out among `load` items, strongest first; at most `most` of them."""
    catalogue = vocabulary.table.shape[0] - 1
    shares = counts / max(load, 1)
    lifts = shares / (vocabulary.totals[columns] / catalogue)
    strengths = shares * np.log(lifts)
    telling = np.flatnonzero(lifts > 1)
    if most is not None and len(telling) > most:  # those that may be among them: names decide between equals
        telling = telling[strengths[telling] >= np.partition(strengths[telling], -most)[-most]]
    attributes = [
        Attribute(vocabulary.values[columns[at]], int(counts[at]), float(shares[at]), float(lifts[at]))
        for at in telling.tolist()
    ]
    return tuple(sorted(attributes, key=lambda attribute: (-attribute.strength, attribute.name))[:most])


def _codebook_names(
    catalog: Catalog,
    ids: SemanticIds,
    codebook: int,
    popularity: Float[np.ndarray, "N"],
    vocabularies: tuple[Vocabulary, Vocabulary, Vocabulary],
) -> tuple[str, ...]:
    """Names of all codes of a codebook: one sparse product a kind of attribute counts for all codes at once."""
    codes = ids.codes[1:, codebook]
    loads = np.bincount(codes, minlength=ids.codebook_size)
    carries = scipy.sparse.csr_array(
        (np.ones(len(codes)), (codes, np.arange(1, ids.n_items))), shape=(ids.codebook_size, ids.n_items)
    )
    counts = [(carries @ vocabulary.table).tocsr() for vocabulary in vocabularies]
    names = []
    for code, load in enumerate(loads):
        if load == 0:
            names.append("unused code")
            continue
        kinds = [_row_attributes(v, table, code, int(load)) for v, table in zip(vocabularies, counts, strict=True)]
        best = int(_most_bought(items_with_code(ids, codebook, code), popularity)[0])
        names.append(_compose(kinds) or f"like “{_shorten(catalog.titles[best], 24)}”")
    return tuple(names)


def _row_attributes(vocabulary: Vocabulary, counts: scipy.sparse.csr_array, code: int, load: int) -> list[Attribute]:
    start, end = counts.indptr[code], counts.indptr[code + 1]
    columns, values = counts.indices[start:end], counts.data[start:end]
    enough = values >= max(MIN_COUNT, MIN_SHARE * load)
    ranked = _rank(vocabulary, columns[enough], values[enough], load)
    return [attribute for attribute in ranked if attribute.lift >= MIN_LIFT]


def _compose(kinds: Sequence[list[Attribute]]) -> str:
    """The strongest attribute and the strongest one of another kind that adds something, broad kinds first."""
    weights = (1.0, 1.0, WORD_WEIGHT)
    ranked = sorted(
        ((attribute, kind) for kind, attributes in enumerate(kinds) for attribute in attributes[:3]),
        key=lambda pair: (-weights[pair[1]] * pair[0].strength, pair[0].name),
    )
    if not ranked:
        return ""
    first, first_kind = ranked[0]
    seen = _stems(first.name)
    for second, kind in ranked[1:]:
        adds = not (_stems(second.name) & seen)
        if kind != first_kind and adds and second.share >= SECOND_SHARE:
            broad, narrow = (second, first) if kind < first_kind else (first, second)
            return f"{broad.name} · {narrow.name}"
    return first.name


def _stems(name: str) -> set[str]:
    return {word.rstrip("s") for word in _WORD.findall(name.lower())}


def _shorten(text: str, length: int) -> str:
    """The text, cut at a word with an ellipsis when it is longer than `length` characters."""
    if len(text) <= length:
        return text
    cut = text[: length - 1].rsplit(" ", 1)[0] if " " in text[: length - 1] else text[: length - 1]
    return cut.rstrip(" ,;:-") + "…"
