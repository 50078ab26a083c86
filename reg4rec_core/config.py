"""Settings, one frozen dataclass per stage. The text under a field is its command line help."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from reg4rec_core.types import InputError

HISTORY_LENGTH = 20
"""L: the newest items of a history that the model sees (MDGR uses 20 on Amazon)."""


Precision = Literal["fp32", "bf16", "fp8", "ladq"]
"""What linear layers compute in while training; ladq chooses layer by layer."""


def _require(rule: bool, message: str) -> None:
    if not rule:
        raise InputError(message)


def require_precision(precision: str, period: int, budget: float) -> None:
    """The rules of the three precision settings, which every training stage has."""
    _require(precision in get_args(Precision), f"precision must be {' or '.join(get_args(Precision))}, got {precision}")
    _require(period >= 1, f"precision_period must be >= 1, got {period}")
    _require(budget >= 0, f"precision_budget must be >= 0, got {budget}")


SettingsType = TypeVar("SettingsType", bound="Settings")


class Settings:
    """Plain values in, plain values out, so that settings travel as JSON."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_dict(cls: type[SettingsType], values: dict[str, Any]) -> SettingsType:
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - known)
        _require(
            not unknown, f"{cls.__name__} has no setting {', '.join(unknown)}; it knows {', '.join(sorted(known))}"
        )
        return cls(**values)


@dataclass(frozen=True)
class PrepareConfig(Settings):
    """Which interactions of a source stay, how they are split, and what counts as a category."""

    k_core: int = 5
    """Keep users and items with at least this many interactions among each other; 0 keeps all (the paper's sets: 5)."""
    split: Literal["leave-one-out", "global-time"] = "leave-one-out"
    """leave-one-out holds out each user's last two interactions; global-time cuts everyone at the same two times."""
    train_share: float = 0.8
    """global-time: share of all interactions before the first cut."""
    valid_share: float = 0.1
    """global-time: share of all interactions between the two cuts."""
    category_level: str = "leaf"
    """Granularity of the category classes: leaf, or the level 1, 2, 3, ... of the category path (1 is the root)."""
    min_category_items: int | None = None
    """Classes with fewer items are merged into their parent; 10 for leaf, 1 (no merging) for a numbered level."""
    ties: Literal["standard", "shuffled"] = "standard"
    """Order of a user's items of one day: standard is the source's, which may leak the target; shuffled is drawn."""
    seed: int = 0
    """Draws the shuffled ties."""

    def __post_init__(self) -> None:
        _require(self.k_core >= 0, f"k_core must be >= 0, got {self.k_core}")
        _require(
            self.split in ("leave-one-out", "global-time"),
            f"split must be leave-one-out or global-time, got {self.split}",
        )
        _require(
            self.train_share > 0 and self.valid_share > 0 and self.train_share + self.valid_share < 1,
            "train_share and valid_share must be > 0 and sum to less than 1, "
            f"got {self.train_share} and {self.valid_share}",
        )
        _require(
            self.min_category_items is None or self.min_category_items >= 1,
            f"min_category_items must be >= 1, got {self.min_category_items}",
        )
        _require(self.ties in ("standard", "shuffled"), f"ties must be standard or shuffled, got {self.ties}")
        _require(self.seed >= 0, f"seed must be >= 0, got {self.seed}")

    @property
    def smallest_category(self) -> int:
        """Items a class must have; smaller ones are merged into their parent."""
        if self.min_category_items is not None:
            return self.min_category_items
        return 10 if self.category_level == "leaf" else 1


Quantizer = Literal["mpq", "residual"]
"""What makes the codes."""


@dataclass(frozen=True)
class TokenizerConfig(Settings):
    """MPQ (REG4Rec III-B, Eq. 1 to 4), or residual codes in its place."""

    quantizer: Quantizer = "mpq"
    """mpq: parallel experts (paper); residual: k-means of what is left over, decoded in that order (its "w/o MPQ")."""
    n_codebooks: int = 8
    """M: experts, each with a codebook of its own (paper: 8)."""
    codebook_size: int = 300
    """K: codes a codebook (paper: 300)."""
    text_width: int = 128
    """Principal components kept of the text embedding."""
    behaviour_width: int = 128
    """Singular vectors kept of the co-occurrence PPMI; 0 leaves behaviour out."""
    code_width: int = 32
    """Width of a codeword. M times this must not exceed the feature width, or orthogonality (Eq. 3) cannot be met."""
    orthogonality: float = 0.001
    """alpha of Eq. 4 (paper: 0.001)."""
    commitment: float = 0.25
    """Weight that keeps an expert's output near its codeword (the paper is silent; VQ-VAE's usual value)."""
    epochs: int = 200
    """Passes over the catalogue."""
    batch_size: int = 1024
    """Items a step."""
    learning_rate: float = 1e-3
    """AdamW step size."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        _require(
            self.quantizer in get_args(Quantizer),
            f"quantizer must be {' or '.join(get_args(Quantizer))}, got {self.quantizer}",
        )
        _require(self.n_codebooks >= 2, f"n_codebooks must be >= 2, got {self.n_codebooks}")
        _require(self.codebook_size >= 2, f"codebook_size must be >= 2, got {self.codebook_size}")
        _require(self.text_width >= 1, f"text_width must be >= 1, got {self.text_width}")
        _require(self.behaviour_width >= 0, f"behaviour_width must be >= 0, got {self.behaviour_width}")
        _require(self.epochs >= 1, f"epochs must be >= 1, got {self.epochs}")


@dataclass(frozen=True)
class ModelConfig(Settings):
    """Sizes of the encoder-decoder (REG4Rec V-A3: 1 + 2 layers, width 128, hidden 640)."""

    width: int = 128
    """D: width of every state (paper: 128)."""
    hidden: int = 640
    """Width inside a feed-forward block (paper: 640)."""
    encoder_layers: int = 1
    """Layers over the history (paper: 1)."""
    decoder_layers: int = 2
    """Layers over the reasoning steps (paper: 2)."""
    n_heads: int = 4
    """Attention heads (the paper is silent)."""
    filter_share: float = 0.5
    """Share of the frequency filter beside the encoder's attention (alpha of BSARec); 0: attention alone."""
    transition_weight: float = 0.6
    """Weight of counted transitions in item logits while pre-training, which then chooses the run's own; 0: none."""

    def __post_init__(self) -> None:
        _require(
            self.width % self.n_heads == 0, f"width must be a multiple of n_heads, got {self.width} and {self.n_heads}"
        )
        _require(self.encoder_layers >= 1, f"encoder_layers must be >= 1, got {self.encoder_layers}")
        _require(self.decoder_layers >= 1, f"decoder_layers must be >= 1, got {self.decoder_layers}")
        _require(0 <= self.filter_share <= 1, f"filter_share must lie in [0, 1], got {self.filter_share}")
        _require(
            math.isfinite(self.transition_weight) and self.transition_weight >= 0,
            f"transition_weight must be >= 0, got {self.transition_weight}",
        )


@dataclass(frozen=True)
class PretrainConfig(Settings):
    """Supervised pre-training (REG4Rec III-C, Eq. 6 and 7)."""

    epochs: int = 12
    """Passes over the training sequences at most."""
    encoder_share: float = 0.67
    """Share of the epochs that train the history encoder alone, before the decoder learns to revise what it says."""
    encoder_rate: float = 0.1
    """Step size of the encoder beside the decoder's in the later epochs, so that what it has learnt is kept."""
    minutes: float = math.inf
    """Stop after this much wall-clock time, validation included."""
    patience: int = 10
    """Stop after this many validations without a better NDCG@10."""
    batch_size: int = 128
    """Sequences a step."""
    learning_rate: float = 1e-3
    """AdamW step size after warm-up."""
    weight_decay: float = 0.05
    """AdamW weight decay on matrices."""
    warmup_steps: int = 200
    """Steps of linear warm-up, for the encoder alone and again when the decoder joins."""
    dropout: float = 0.5
    """Share of activations dropped in the encoder and on item vectors."""
    decoder_dropout: float = 0.2
    """Share of activations dropped in the decoder."""
    feature_scale: float = 0.05
    """Size of the item features that items' own vectors start from; 0: they start as noise."""
    token_weight: float = 1.0
    """Weight of the token loss (Eq. 6), heads of all unused codebooks."""
    category_weight: float = 1.0
    """lambda: weight of the category loss (Eq. 7; not given in the paper)."""
    item_weight: float = 1.0
    """Weight of the item losses: full softmax before any code, softmax over the items left after each code."""
    seed: int = 0
    """Everything random follows from it."""
    precision: Precision = "fp32"
    """What linear layers compute in; ladq measures how sensitive each is and chooses layer by layer (Sec. VI-A)."""
    precision_period: int = 500
    """ladq: steps from one plan to the next."""
    precision_budget: float = 0.5
    """ladq: predicted damage a plan may do, as a share of what bf16 in every layer would do; above 1 pays for fp8."""

    def __post_init__(self) -> None:
        require_precision(self.precision, self.precision_period, self.precision_budget)
        _require(self.epochs >= 1, f"epochs must be >= 1, got {self.epochs}")
        _require(self.minutes > 0, f"minutes must be > 0, got {self.minutes}")
        _require(0 <= self.encoder_rate <= 1, f"encoder_rate must lie in [0, 1], got {self.encoder_rate}")
        _require(0 <= self.encoder_share < 1, f"encoder_share must lie in [0, 1), got {self.encoder_share}")
        _require(0 <= self.dropout < 1, f"dropout must lie in [0, 1), got {self.dropout}")
        _require(
            math.isfinite(self.feature_scale) and self.feature_scale >= 0,
            f"feature_scale must be >= 0, got {self.feature_scale}",
        )
        _require(0 <= self.decoder_dropout < 1, f"decoder_dropout must lie in [0, 1), got {self.decoder_dropout}")
        _require(self.seed >= 0, f"seed must be >= 0, got {self.seed}")


@dataclass(frozen=True)
class SasrecConfig(Settings):
    """SASRec with a full softmax over the catalogue at every position: what a run has to beat."""

    width: int = 64
    """Width of every state."""
    hidden: int = 256
    """Width inside a feed-forward block."""
    layers: int = 2
    """Layers of causal self-attention."""
    n_heads: int = 2
    """Attention heads."""
    epochs: int = 60
    """Passes over the training sequences at most."""
    patience: int = 10
    """Stop after this many epochs without a better validation NDCG@10."""
    batch_size: int = 128
    """Sequences a step."""
    learning_rate: float = 1e-3
    """AdamW step size after warm-up."""
    weight_decay: float = 0.05
    """AdamW weight decay on matrices."""
    warmup_steps: int = 100
    """Steps of linear warm-up."""
    dropout: float = 0.5
    """Share of activations dropped."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        _require(
            self.n_heads >= 1 and self.width >= 1 and self.width % self.n_heads == 0,
            f"width must be a multiple of n_heads, got {self.width} and {self.n_heads}",
        )
        for name in ("hidden", "layers", "epochs", "patience", "batch_size"):
            _require(getattr(self, name) >= 1, f"{name} must be >= 1, got {getattr(self, name)}")
        for name in ("weight_decay", "warmup_steps", "seed"):
            _require(getattr(self, name) >= 0, f"{name} must be >= 0, got {getattr(self, name)}")
        _require(
            math.isfinite(self.learning_rate) and self.learning_rate > 0,
            f"learning_rate must be > 0, got {self.learning_rate}",
        )
        _require(0 <= self.dropout < 1, f"dropout must lie in [0, 1), got {self.dropout}")


@dataclass(frozen=True)
class PeerConfig(Settings):
    """A peer that the package cornac trains; everything else follows the recipe it ships."""

    epochs: int | None = None
    """Passes over the training sequences; left out, those of the recipe."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        _require(self.epochs is None or self.epochs >= 1, f"epochs must be >= 1, got {self.epochs}")
        _require(self.seed >= 0, f"seed must be >= 0, got {self.seed}")


@dataclass(frozen=True)
class RewardWeights(Settings):
    """How much each reward term counts in the total (PARS, Eq. 10 to 14; the paper adds all four unweighted)."""

    step: float = 1.0
    """Codes of the path that the target has, too (Eq. 10)."""
    category: float = 1.0
    """Steps whose most probable category is the target's (Eq. 11)."""
    consistency: float = 1.0
    """1 - mean Jensen-Shannon divergence of successive beliefs (Eq. 13)."""
    path: float = 1.0
    """Whether the target is among the items nearest to the path's summed codewords (Eq. 14)."""

    def __post_init__(self) -> None:
        values = self.to_dict()
        wrong = {name: value for name, value in values.items() if not (math.isfinite(value) and value >= 0)}
        _require(not wrong, f"reward weights must be finite and >= 0, got {wrong}")
        _require(sum(values.values()) > 0, f"at least one of the reward weights {', '.join(values)} must be above 0")

    @classmethod
    def parse(cls, text: str) -> "RewardWeights":
        """Read `step=1,path=0.5`; a term that is not named counts nothing."""
        terms = [field.name for field in fields(cls)]
        values = dict.fromkeys(terms, 0.0)
        named: set[str] = set()
        for part in text.split(","):
            name, _, number = (piece.strip() for piece in part.partition("="))
            _require(name in terms, f"there is no reward {name!r}; the rewards are {', '.join(terms)}")
            _require(name not in named, f"the reward {name} is named twice in {text!r}; name it once")
            named.add(name)
            try:
                values[name] = float(number)
            except ValueError:
                raise InputError(f"a reward weight reads NAME=NUMBER, got {part.strip()!r}") from None
        return cls(**values)

    def __str__(self) -> str:
        return ",".join(f"{name}={value:g}" for name, value in self.to_dict().items())


@dataclass(frozen=True)
class PostTrainConfig(Settings):
    """Post-training with GRPO (REG4Rec III-D, Eq. 8 to 16, Algorithm 2)."""

    steps: int = 100
    """Optimisation steps."""
    batch_size: int = 64
    """Histories a step, drawn anew from all training positions."""
    rollouts: int = 16
    """G: paths sampled for each history (the paper is silent)."""
    window: int = 3
    """h: future items that count as targets (paper: 3); validation and test items never do."""
    decay: float = 0.8
    """w: each further item of the window counts this much of the one before it (paper: 0.8)."""
    nearest: int = 1
    """N: the path reward asks whether a target is among this many items nearest to the path's summed codewords."""
    clip: float = 0.15
    """epsilon: how far the probability of a path may move before its gradient stops (paper: 0.15)."""
    kl_weight: float = 0.03
    """beta: weight of the divergence from the pre-trained policy (GRC, a sister paper: 0.03)."""
    policy_weight: float = 1.0
    """Weight of the clipped policy term of Eq. 9; 0 leaves the supervised losses alone, the control."""
    supervised_weight: float = 1.0
    """Weight of pre-training's item and token losses, which stay on, with its dropout (InstructGPT's PPO-ptx)."""
    category_weight: float = 1.0
    """Weight of the supervised category loss, which keeps the belief honest while rewards are paid for it."""
    std_floor: float = 0.05
    """Groups whose rewards differ less than this are not scaled up to unit variance."""
    inner_updates: int = 1
    """Optimisation steps on the same rollouts; with one the clip never acts."""
    learning_rate: float = 3e-5
    """AdamW step size after warm-up; it falls to 0 at the last step."""
    weight_decay: float = 0.05
    """AdamW weight decay on matrices."""
    warmup_steps: int = 10
    """Steps of linear warm-up."""
    validate_every: int = 25
    """Steps between two validations; the best one gives the weights."""
    seed: int = 0
    """Everything random follows from it."""
    precision: Precision = "fp32"
    """What linear layers compute in; ladq measures how sensitive each is and chooses layer by layer (Sec. VI-A)."""
    precision_period: int = 500
    """ladq: steps from one plan to the next."""
    precision_budget: float = 0.5
    """ladq: predicted damage a plan may do, as a share of what bf16 in every layer would do; above 1 pays for fp8."""

    def __post_init__(self) -> None:
        require_precision(self.precision, self.precision_period, self.precision_budget)
        for name in ("steps", "batch_size", "window", "nearest", "inner_updates", "validate_every"):
            _require(getattr(self, name) >= 1, f"{name} must be >= 1, got {getattr(self, name)}")
        _require(self.rollouts >= 2, f"rollouts must be >= 2 (a group is compared with itself), got {self.rollouts}")
        _require(0 < self.decay <= 1, f"decay must lie in (0, 1], got {self.decay}")
        _require(0 < self.clip < 1, f"clip must lie in (0, 1), got {self.clip}")
        _require(self.std_floor > 0, f"std_floor must be > 0, got {self.std_floor}")
        _require(
            math.isfinite(self.learning_rate) and self.learning_rate > 0,
            f"learning_rate must be > 0, got {self.learning_rate}",
        )
        weights = ("policy_weight", "supervised_weight", "kl_weight", "category_weight", "weight_decay")
        for name in (*weights, "warmup_steps", "seed"):
            _require(getattr(self, name) >= 0, f"{name} must be >= 0, got {getattr(self, name)}")


CodeProbabilities = Literal["heads", "item_marginal", "mixture"]
Selection = Literal["confidence", "fixed"]
"""How the codebook of the next step is chosen."""


@dataclass(frozen=True)
class DecodeConfig(Settings):
    """One search: CRSS (Eq. 5) picks codebooks, CORP (Sec. VI-B) prunes and regenerates."""

    beam_width: int = 20
    """W: paths kept a step."""
    theta: float = 0.06
    """CORP prunes a step whose belief moves by more than this Jensen-Shannon divergence (nats); inf turns it off."""
    check_from: int = 2
    """First step whose belief is compared with its parent's; the first code always moves the belief."""
    max_regenerations: int = 2
    """Rounds in which pruned places of a step are filled with the best untried candidates."""
    look_ahead: bool = True
    """Keep beams by their best completion instead of by the path alone."""
    top_k: int = 10
    """R: items recommended."""
    code_probabilities: CodeProbabilities = "item_marginal"
    """heads: the codebook heads (paper); item_marginal: mass of the items that carry the code; mixture: their mean."""
    exclude_history: bool = True
    """Leave items of the history out of the search (no target of the benchmark sets repeats one)."""
    selection: Selection = "confidence"
    """Which codebook is next: the most confident (CRSS, paper), or fixed: 0, 1, 2, ... (the paper's "w/o CRSS")."""
    thetas: tuple[float, ...] = ()
    """Thresholds of step 1, 2, ... in the place of theta, the last one for all later steps; empty: theta everywhere."""

    def __post_init__(self) -> None:
        _require(self.beam_width >= 1, f"beam_width must be >= 1, got {self.beam_width}")
        _require(self.theta >= 0, f"theta must be >= 0 (inf turns CORP off), got {self.theta}")
        wrong = [value for value in self.thetas if not value >= 0]
        _require(not wrong, f"thetas must be >= 0 (inf turns CORP off), got {wrong[:1]}")
        _require(self.check_from >= 1, f"check_from must be >= 1, got {self.check_from}")
        _require(self.max_regenerations >= 0, f"max_regenerations must be >= 0, got {self.max_regenerations}")
        _require(self.top_k >= 1, f"top_k must be >= 1, got {self.top_k}")
        _require(
            self.code_probabilities in ("heads", "item_marginal", "mixture"),
            f"code_probabilities must be heads, item_marginal or mixture, got {self.code_probabilities}",
        )
        _require(
            self.selection in get_args(Selection),
            f"selection must be {' or '.join(get_args(Selection))}, got {self.selection}",
        )

    def theta_at(self, step: int) -> float:
        """The threshold of a step, counted from 1."""
        return self.thetas[min(step, len(self.thetas)) - 1] if self.thetas else self.theta
