import pytest
import torch

from reg4rec_core.tokenizer.mpq import (
    MixtureQuantizer,
    choose_codewords,
    codebook_loss,
    kmeans,
    nearest_codes,
    orthogonality_loss,
    reconstruction_loss,
)


def make_quantizer(n_features=8, **sizes):
    torch.manual_seed(0)
    return MixtureQuantizer(n_features, **{"n_codebooks": 2, "codebook_size": 4, "code_width": 3, **sizes})


def test_the_nearest_codeword_is_chosen_in_every_codebook():
    codebooks = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[5.0, 5.0], [0.0, 2.0]]])
    outputs = torch.tensor([[[0.9, 0.2], [1.0, 1.0]], [[0.4, 0.0], [4.0, 4.0]]])
    assert nearest_codes(outputs, codebooks).tolist() == [[1, 1], [0, 0]]


def test_codewords_are_read_from_their_own_codebook():
    codebooks = torch.arange(12.0).view(2, 3, 2)
    assert choose_codewords(codebooks, torch.tensor([[2, 0]])).tolist() == [[[4.0, 5.0], [6.0, 7.0]]]


def test_reconstruction_loss_is_the_squared_distance_averaged_over_items():
    features = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    assert reconstruction_loss(features, torch.tensor([[0.0, 0.0], [3.0, 4.0]])).item() == pytest.approx((5 + 25) / 2)


def test_orthogonality_loss_is_zero_for_orthogonal_columns_and_counts_each_repeated_pair_twice():
    identity = torch.eye(4).view(4, 2, 2).transpose(0, 1)
    assert orthogonality_loss(3 * identity).item() == pytest.approx(0.0, abs=1e-6)
    twice = torch.stack([torch.eye(4)[:, :2], torch.eye(4)[:, :2]])
    assert orthogonality_loss(twice).item() == pytest.approx(
        4.0
    )  # two equal pairs, each off-diagonal entry 1, both sides


def test_codebook_loss_weighs_the_commitment_and_sends_each_gradient_one_way():
    outputs = torch.tensor([[[1.0, 1.0]]], requires_grad=True)
    codewords = torch.tensor([[[0.0, 1.0]]], requires_grad=True)
    loss = codebook_loss(outputs, codewords, commitment=0.25)
    loss.backward()
    assert loss.item() == pytest.approx(1.25)
    assert codewords.grad.tolist() == [[[-2.0, 0.0]]]
    assert outputs.grad.tolist() == [[[0.5, 0.0]]]


def test_the_mixture_is_the_gated_sum_of_the_codewords():
    quantizer = make_quantizer()
    quantizer.decoder = torch.nn.Identity()
    result = quantizer(torch.randn(5, 8))
    expected = (result.gate[..., None] * result.codewords).sum(1)
    torch.testing.assert_close(result.reconstruction, expected)
    torch.testing.assert_close(result.gate.sum(1), torch.ones(5))


def test_gradients_pass_the_quantization_straight_through_to_the_experts():
    quantizer = make_quantizer()
    features = torch.randn(6, 8)
    reconstruction_loss(features, quantizer(features).reconstruction).backward()
    assert quantizer.projections.grad.abs().sum() > 0
    assert quantizer.gate.weight.grad.abs().sum() > 0


def test_experts_start_orthogonal_to_each_other():
    assert orthogonality_loss(make_quantizer().projections).item() == pytest.approx(0.0, abs=1e-5)


def test_experts_that_cannot_be_orthogonal_are_refused():
    with pytest.raises(ValueError, match="must not exceed the 5 feature columns"):
        make_quantizer(n_features=5)


def test_kmeans_finds_well_separated_clusters():
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = centres.repeat_interleave(50, 0) + 0.1 * torch.randn(150, 2, generator=generator)
    found = kmeans(points, n_clusters=3, iterations=20, generator=torch.Generator().manual_seed(3))
    assert torch.cdist(centres, found).min(1).values.max() < 0.2


def test_kmeans_with_fewer_points_than_clusters_gives_distinct_centres():
    found = kmeans(torch.eye(3), n_clusters=5, iterations=3, generator=torch.Generator().manual_seed(0))
    assert len(found.unique(dim=0)) == 5
