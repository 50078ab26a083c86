"""The data that crosses module borders, and the letters of its dimensions.

N items (row 0 is padding)   U users              B histories in a batch    L history length     S future items
M parallel codebooks         K codes a codebook   T reasoning steps, T=M    W beam width         C categories
P nodes of one search tree   R recommended items  G rollouts a history      Q reward terms
D model width                F feature width

Items, users, codebooks, codes and categories are integers inside the package; the source's own ids appear only as
`item_keys` and `user_keys`. Item 0 is padding and never a real item.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Int

UNKNOWN = "unknown"
"""What a title, brand or category reads when the source does not know it."""


class InputError(ValueError):
    """Something the user gave is wrong. The message is one sentence: rule, value, remedy."""


class WorkerLost(Exception):
    """Another process of the same training has gone; nobody's fault here, and the run can be resumed."""


class Fate(IntEnum):
    """What became of a node of the search tree."""

    KEPT = 0
    """In the beam."""
    BEAM_CUT = 1
    """Out-scored: it never entered the beam."""
    PRUNED = 2
    """Chosen, but its belief moved by more than theta (CORP)."""
    FALLBACK = 3
    """Kept although inconsistent, because nothing else was left."""

    @property
    def label(self) -> str:
        return self.name.lower()


def _require(rule: bool, message: str) -> None:
    if not rule:
        raise ValueError(message)


@dataclass(frozen=True)
class Catalog:
    """The items: row i describes item i, row 0 is padding (empty key, category 0)."""

    item_keys: tuple[str, ...]
    titles: tuple[str, ...]
    brands: tuple[str, ...]
    category_paths: tuple[tuple[str, ...], ...]
    """Root first; ("unknown",) where the source has none, () for padding."""
    categories: Int[np.ndarray, "N"]
    """Class index of each item at the granularity chosen by `prepare`, 0 <= class < C."""
    category_names: tuple[str, ...]
    features: Float[np.ndarray, "N F"]
    """An extra modality given by the user (image vectors, say); F = 0 where there is none."""

    def __post_init__(self) -> None:
        n = len(self.item_keys)
        _require(n >= 2, "a catalogue needs at least one item besides padding")
        _require(self.item_keys[0] == "", "row 0 of a catalogue is padding and has an empty key")
        _require(len(set(self.item_keys)) == n, "item keys must be unique")
        for name in ("titles", "brands", "category_paths", "categories", "features"):
            _require(len(getattr(self, name)) == n, f"{name} must have {n} rows, got {len(getattr(self, name))}")
        _require(
            bool((self.categories >= 0).all() and (self.categories < len(self.category_names)).all()),
            f"categories must lie in [0, {len(self.category_names)})",
        )

    @property
    def n_items(self) -> int:
        """Number of rows, padding included."""
        return len(self.item_keys)

    @property
    def n_categories(self) -> int:
        return len(self.category_names)


@dataclass(frozen=True)
class Interactions:
    """Who bought what, in order: user u owns items[offsets[u]:offsets[u + 1]], oldest first.

    The split is stored with it, as positions inside each user's sequence: the first `train_lengths[u]` items may be
    learnt from; `valid_positions[u]` and `test_positions[u]` are the positions of the held-out targets, -1 where the
    user has none. The history of a target is everything before its position.
    """

    user_keys: tuple[str, ...]
    items: Int[np.ndarray, "total"]
    timestamps: Int[np.ndarray, "total"]
    """Unix seconds, -1 where unknown."""
    offsets: Int[np.ndarray, "bounds"]
    train_lengths: Int[np.ndarray, "U"]
    valid_positions: Int[np.ndarray, "U"]
    test_positions: Int[np.ndarray, "U"]

    def __post_init__(self) -> None:
        users = len(self.user_keys)
        _require(len(set(self.user_keys)) == users, "user keys must be unique")
        _require(len(self.offsets) == users + 1, f"offsets must have {users + 1} entries, got {len(self.offsets)}")
        _require(len(self.items) == len(self.timestamps), "items and timestamps must have the same length")
        _require(
            bool(self.offsets[0] == 0 and self.offsets[-1] == len(self.items) and (np.diff(self.offsets) >= 0).all()),
            "offsets must rise from 0 to the number of interactions",
        )
        _require(bool((self.items > 0).all()), "interactions never hold the padding item 0")
        lengths = np.diff(self.offsets)
        for name in ("train_lengths", "valid_positions", "test_positions"):
            values = getattr(self, name)
            _require(len(values) == users, f"{name} must have {users} entries, got {len(values)}")
        _require(bool((self.train_lengths <= lengths).all()), "train_lengths must not exceed the sequence lengths")
        for name in ("valid_positions", "test_positions"):
            values = getattr(self, name)
            held_out = values >= 0
            _require(
                bool(
                    (values[held_out] < lengths[held_out]).all()
                    and (values[held_out] >= self.train_lengths[held_out]).all()
                ),
                f"{name} must lie behind the training part of the sequence",
            )

    @property
    def n_users(self) -> int:
        return len(self.user_keys)

    def sequence(self, user: int) -> Int[np.ndarray, "length"]:
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def times(self, user: int) -> Int[np.ndarray, "length"]:
        return self.timestamps[self.offsets[user] : self.offsets[user + 1]]


@dataclass(frozen=True)
class SemanticIds:
    """The codes of every item: an unordered set of one code per codebook. Row 0 (padding) is all zeros and unused."""

    codes: Int[np.ndarray, "N M"]
    codebook_size: int

    def __post_init__(self) -> None:
        _require(self.codes.ndim == 2, f"codes must be N x M, got shape {self.codes.shape}")
        _require(
            bool((self.codes >= 0).all() and (self.codes < self.codebook_size).all()),
            f"codes must lie in [0, {self.codebook_size})",
        )

    @property
    def n_items(self) -> int:
        return self.codes.shape[0]

    @property
    def n_codebooks(self) -> int:
        return self.codes.shape[1]


@dataclass(frozen=True)
class Rollouts:
    """Paths that the policy sampled while it was post-trained, with what each was worth; the Q terms are unweighted.

    `RewardWeights` and the group advantages of other weights can be computed from them again.
    """

    users: Int[np.ndarray, "B"]
    positions: Int[np.ndarray, "B"]
    """Where in the user's sequence the first target stands; the history is everything before it."""
    future: Int[np.ndarray, "B S"]
    """The target and the items after it, 0 where the training part ended."""
    codebooks: Int[np.ndarray, "B G T"]
    codes: Int[np.ndarray, "B G T"]
    """The code chosen at each step, of that step's codebook."""
    items: Int[np.ndarray, "B G"]
    """The item that each path ends at."""
    log_probs: Float[np.ndarray, "B G T"]
    """Under the policy that sampled them, nats."""
    reference_log_probs: Float[np.ndarray, "B G T"]
    """Under the pre-trained policy, nats."""
    terms: Float[np.ndarray, "B G Q"]
    """Step, category, consistency and path reward of each rollout."""

    def __post_init__(self) -> None:
        groups = self.items.shape
        for name in ("codebooks", "codes", "log_probs", "reference_log_probs", "terms"):
            shape = getattr(self, name).shape
            _require(shape[:2] == groups, f"{name} must have shape B x G x ..., got {shape} for {groups}")
        for name in ("users", "positions", "future"):
            rows = len(getattr(self, name))
            _require(rows == groups[0], f"{name} must have one row per history, got {rows} for {groups[0]}")


@dataclass(frozen=True)
class ReasoningTrace:
    """One whole search as a tree in columns: row p is node p, row 0 the root, parents stand before their children.

    A trace replays: the same weights, history and settings give the same trace bit for bit, alone or in any batch.
    """

    parent: Int[np.ndarray, "P"]
    """Row of the parent, -1 for the root."""
    step: Int[np.ndarray, "P"]
    """Number of codes chosen so far: 0 for the root, M for a leaf."""
    attempt: Int[np.ndarray, "P"]
    """Regeneration round of the step that tried the node; 0 is the first choice."""
    codebook: Int[np.ndarray, "P"]
    """Expert whose code this node added, -1 for the root."""
    code: Int[np.ndarray, "P"]
    log_prob: Float[np.ndarray, "P"]
    """Log-probability of the path from the root, nats, never rising along a path."""
    score: Float[np.ndarray, "P"]
    """What the beam was ordered by, nats: the log-probability of the node's best item (look-ahead) or `log_prob`."""
    confidence: Float[np.ndarray, "P"]
    """Probability of the code at its parent among the codes still allowed, in [0, 1]; 1 for the root."""
    js: Float[np.ndarray, "P"]
    """Jensen-Shannon divergence (natural log) from the parent's belief; NaN where one of the two has no belief."""
    fate: Int[np.ndarray, "P"]
    """Values of `Fate`."""
    items_left: Int[np.ndarray, "P"]
    """Items whose codes agree with the path so far."""
    beliefs: Float[np.ndarray, "P C"]
    """Category distribution after the node's code; a row of NaN where the search needed none."""
    items: Int[np.ndarray, "R"]
    """Recommended items, best first."""
    item_scores: Float[np.ndarray, "R"]
    """What the list is ordered by, falling; neighbours that fill the list up score below every path."""
    item_nodes: Int[np.ndarray, "R"]
    """The leaf that gave the item, -1 for a neighbour."""
    item_first_state: Float[np.ndarray, "R"]
    """The item's log-probability at the root, before any reasoning, nats."""
    item_evidence: Float[np.ndarray, "R"]
    """The part of the item's logit, at the root and after every code, that transitions of other shoppers give, nats."""
    theta: float
    """The threshold of every step, unless `thetas` names one for each."""
    check_from: int
    beam_width: int
    thetas: tuple[float, ...] = ()
    """Thresholds of step 1, 2, ... in the place of theta, the last one for all later steps; empty: theta everywhere."""

    def __post_init__(self) -> None:
        nodes = len(self.parent)
        for name in (
            "step",
            "attempt",
            "codebook",
            "code",
            "log_prob",
            "score",
            "confidence",
            "js",
            "fate",
            "items_left",
            "beliefs",
        ):
            _require(
                len(getattr(self, name)) == nodes, f"{name} must have {nodes} rows, got {len(getattr(self, name))}"
            )
        for name in ("item_scores", "item_nodes", "item_first_state", "item_evidence"):
            _require(len(getattr(self, name)) == len(self.items), f"{name} must have one entry per recommended item")
        _require(nodes > 0 and int(self.parent[0]) == -1, "row 0 of a trace is the root")
        _require(bool((self.parent[1:] < np.arange(1, nodes)).all()), "parents must stand before their children")

    @property
    def n_nodes(self) -> int:
        return len(self.parent)

    def theta_at(self, step: int) -> float:
        """The threshold of a step, counted from 1; infinite where nothing is pruned."""
        return self.thetas[min(step, len(self.thetas)) - 1] if self.thetas else self.theta

    @property
    def prunes(self) -> bool:
        """Whether any step that is compared has a threshold."""
        steps = range(self.check_from, max(self.check_from, len(self.thetas)) + 1)
        return any(np.isfinite(self.theta_at(step)) for step in steps)

    def path(self, node: int) -> list[int]:
        """Rows from the root to `node`, both included."""
        rows = []
        while node >= 0:
            rows.append(int(node))
            node = int(self.parent[node])
        return rows[::-1]
