"""MPQ: a mixture of experts that quantizes every item into several unordered semantic tokens (REG4Rec III-B)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class Quantization:
    """What the quantizer made of a batch of items."""

    expert_outputs: Float[Tensor, "B M d"]
    """e_i^r = E_r(v_i)."""
    codes: Int[Tensor, "B M"]
    codewords: Float[Tensor, "B M d"]
    """z^r of the chosen codes."""
    gate: Float[Tensor, "B M"]
    """h_r(v_i), sums to 1 over the experts."""
    reconstruction: Float[Tensor, "B F"]


class MixtureQuantizer(nn.Module):
    """M experts with a codebook each, a gate that mixes their codewords, and one decoder for the mixture.

    The paper leaves the experts' depth, the gate and the straight-through form open; here an expert is a linear
    projection W_r followed by a residual two-layer perceptron, the gate a dense softmax, and gradients pass the
    quantization straight through, before gating.
    """

    def __init__(self, n_features: int, *, n_codebooks: int, codebook_size: int, code_width: int) -> None:
        super().__init__()
        if n_codebooks * code_width > n_features:
            raise ValueError(
                f"n_codebooks x code_width must not exceed the {n_features} feature columns, or the experts cannot be "
                f"orthogonal (Eq. 3); got {n_codebooks} x {code_width}"
            )
        hidden = 2 * code_width
        self.projections = nn.Parameter(torch.empty(n_codebooks, n_features, code_width))
        self.expert_in = nn.Parameter(torch.empty(n_codebooks, code_width, hidden))
        self.expert_out = nn.Parameter(torch.zeros(n_codebooks, hidden, code_width))
        self.codebooks = nn.Parameter(torch.empty(n_codebooks, codebook_size, code_width))
        self.gate = nn.Linear(n_features, n_codebooks)
        self.decoder = nn.Sequential(
            nn.Linear(code_width, 2 * n_features), nn.GELU(), nn.Linear(2 * n_features, n_features)
        )
        square = torch.empty(n_features, n_codebooks * code_width)
        nn.init.orthogonal_(square)
        with torch.no_grad():
            self.projections.copy_(square.view(n_features, n_codebooks, code_width).transpose(0, 1))
        nn.init.kaiming_uniform_(self.expert_in, a=5**0.5)
        nn.init.normal_(self.codebooks, std=code_width**-0.5)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def experts(self, features: Float[Tensor, "B F"]) -> Float[Tensor, "B M d"]:
        """Every expert's view of the items, e_i^r = E_r(v_i)."""
        projected = torch.einsum("bf,mfd->bmd", features, self.projections)
        hidden = nn.functional.gelu(torch.einsum("bmd,mdh->bmh", projected, self.expert_in))
        return projected + torch.einsum("bmh,mhd->bmd", hidden, self.expert_out)

    def forward(self, features: Float[Tensor, "B F"]) -> Quantization:
        outputs = self.experts(features)
        codes = nearest_codes(outputs, self.codebooks)
        codewords = choose_codewords(self.codebooks, codes)
        gate = torch.softmax(self.gate(features), -1)
        straight_through = outputs + (codewords - outputs).detach()
        mixture = torch.einsum("bm,bmd->bd", gate, straight_through)  # q_i, (B, d)
        return Quantization(outputs, codes, codewords, gate, self.decoder(mixture))


def nearest_codes(outputs: Float[Tensor, "B M d"], codebooks: Float[Tensor, "M K d"]) -> Int[Tensor, "B M"]:
    """Index of the nearest codeword in every codebook, squared Euclidean distance (Eq. 1)."""
    products = torch.einsum("bmd,mkd->bmk", outputs, codebooks)
    return (codebooks.square().sum(-1) - 2 * products).argmin(-1)


def choose_codewords(codebooks: Float[Tensor, "M K d"], codes: Int[Tensor, "B M"]) -> Float[Tensor, "B M d"]:
    """The codeword vectors z^r that the codes name."""
    return codebooks[torch.arange(codebooks.shape[0], device=codes.device), codes]


def reconstruction_loss(features: Float[Tensor, "B F"], reconstruction: Float[Tensor, "B F"]) -> Float[Tensor, ""]:
    """Squared error ||v_i - dec(q_i)||^2, mean over items (Eq. 2)."""
    return (features - reconstruction).square().sum(-1).mean()


def orthogonality_loss(projections: Float[Tensor, "M F d"]) -> Float[Tensor, ""]:
    """||W'W - I||_F^2 of the column-normalised projections side by side: experts look at different things (Eq. 3)."""
    joined = projections.transpose(0, 1).flatten(1)  # (F, M d)
    unit = joined / joined.norm(dim=0, keepdim=True).clamp_min(1e-12)
    gram = unit.T @ unit
    return (gram - torch.eye(gram.shape[0], device=gram.device, dtype=gram.dtype)).square().sum()


def codebook_loss(
    outputs: Float[Tensor, "B M d"], codewords: Float[Tensor, "B M d"], *, commitment: float
) -> Float[Tensor, ""]:
    """||sg[e] - z||^2 + commitment ||e - sg[z]||^2, mean over items (VQ-VAE; Eq. 4 alone leaves codewords behind)."""
    pull_codewords = (outputs.detach() - codewords).square().sum((-1, -2)).mean()
    pull_experts = (outputs - codewords.detach()).square().sum((-1, -2)).mean()
    return pull_codewords + commitment * pull_experts


def kmeans(
    points: Float[Tensor, "n d"], *, n_clusters: int, iterations: int, generator: torch.Generator
) -> Float[Tensor, "n_clusters d"]:
    """Lloyd's algorithm from a k-means++ start; an empty cluster moves to a random point.

    With fewer points than clusters the surplus centres are jittered copies.
    """
    if len(points) < n_clusters:
        centres = points[torch.arange(n_clusters) % len(points)]
        jitter = points.std().nan_to_num().clamp_min(1e-3) * 0.01
        return centres + jitter * torch.randn(centres.shape, generator=generator)
    centres = points[torch.randint(len(points), (1,), generator=generator)]
    distance = torch.full((len(points),), torch.inf)
    while len(centres) < n_clusters:  # the next centre is drawn in proportion to its squared distance from the others
        distance = torch.minimum(distance, (points - centres[-1]).square().sum(1))
        spread = distance if distance.sum() > 0 else torch.ones_like(distance)
        centres = torch.cat([centres, points[torch.multinomial(spread, 1, generator=generator)]])
    for _ in range(iterations):
        nearest = nearest_codes(points[:, None], centres[None])[:, 0]
        counts = torch.bincount(nearest, minlength=n_clusters)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        centres = torch.where(counts[:, None] > 0, sums / counts.clamp_min(1)[:, None], centres)
        empty = torch.nonzero(counts == 0)[:, 0]
        centres[empty] = points[torch.randint(len(points), (len(empty),), generator=generator)]
    return centres
