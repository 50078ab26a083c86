"""Residual codes: each codebook quantizes what the ones before it left over."""

import numpy as np
import torch

from reg4rec_core.tokenizer.rq import fit_residual_codebooks, residual_codes


def fitted(seed=0, n_codebooks=4, codebook_size=6):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(90, 5, generator=torch.Generator().manual_seed(9))
    left = []
    codebooks = fit_residual_codebooks(
        points,
        n_codebooks=n_codebooks,
        codebook_size=codebook_size,
        generator=generator,
        log=lambda index, error: left.append(error),
    )
    return points, codebooks, left


def test_codes_are_those_of_a_point_by_point_search():
    points, codebooks, _ = fitted()
    codes = residual_codes(points, codebooks)
    for point, row in zip(points.numpy().astype(np.float64), codes.tolist(), strict=True):
        rest = point
        for centres, code in zip(codebooks.numpy().astype(np.float64), row, strict=True):
            assert code == np.square(rest - centres).sum(1).argmin()
            rest = rest - centres[code]


def test_every_codebook_takes_something_of_what_is_left():
    points, codebooks, left = fitted()
    assert codebooks.shape == (4, 6, 5)
    assert all(after < before for before, after in zip([points.square().sum(1).mean(), *left], left, strict=False))
    codes = residual_codes(points, codebooks)
    summed = codebooks[torch.arange(4), codes].sum(1)
    assert torch.allclose((points - summed).square().sum(1).mean(), torch.tensor(left[-1]), rtol=1e-4)
    assert left[-1] < 0.3 * points.square().sum(1).mean()


def test_the_seed_decides_the_codebooks():
    assert torch.equal(fitted(1)[1], fitted(1)[1])
    assert not torch.equal(fitted(1)[1], fitted(2)[1])
