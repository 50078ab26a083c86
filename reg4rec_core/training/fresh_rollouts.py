"""Rollouts of one history, sampled now and judged as post-training judges its own."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from reg4rec_core.checkpoint import Run
from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig, PostTrainConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.decoding.block import exclude
from reg4rec_core.model import Reasoner
from reg4rec_core.rewards import nearest_items, reward_terms
from reg4rec_core.training.policy import encode_histories, path_log_probs
from reg4rec_core.training.rollouts import SampledPaths, sample_paths
from reg4rec_core.types import Catalog, InputError, Interactions, Rollouts


@runtime_checkable
class Policy(Protocol):
    """What samples: a run in memory; a `Recommender` has it."""

    run: Run
    catalog: Catalog
    interactions: Interactions
    decode: DecodeConfig
    index: ItemIndex
    model: Reasoner


def sample_rollouts_at(
    policy: Policy, reference: Policy, user: int, position: int, config: PostTrainConfig, *, seed: int = 0
) -> Rollouts:
    """G paths for what a user had bought before `position`, rewarded by what the user bought from there on.

    Unlike training this may look at purchases that are held out. `reference` is the same run with its pre-trained
    weights. InputError where nothing was bought before or from there on.
    """
    draws = torch.rand(
        1, config.rollouts, policy.index.n_codebooks, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return judge_history(policy, reference, user, position, draws.numpy(), config)


def judge_history(
    policy: Policy,
    reference: Policy,
    user: int,
    position: int,
    draws: Float[np.ndarray, "1 G T"],
    config: PostTrainConfig,
) -> Rollouts:
    """The rollouts that `draws` (1 x G x T, uniform in [0, 1)) give."""
    sequence = policy.interactions.sequence(user)
    if not 0 < position < len(sequence):
        raise InputError(
            f"a rollout needs purchases before it and after it, position {position} of {len(sequence)} has not; "
            "choose another moment or another user"
        )
    seen, future = sequence[:position], np.zeros((1, config.window), np.int64)
    following = sequence[position : position + config.window]
    future[0, : len(following)] = following
    # counted transitions know the training part alone: only what lies in it would give itself away
    learnt = max(int(policy.interactions.train_lengths[user]) - position, 0)
    hidden = torch.from_numpy(np.where(np.arange(config.window) < learnt, future, 0))
    history = torch.from_numpy(pad_histories([seen], HISTORY_LENGTH))
    excluded = exclude(history, (seen,), policy.decode, policy.index.n_items)
    kind, selection = policy.decode.code_probabilities, policy.decode.selection
    root = policy.model.encode_before(history, hidden)
    paths = sample_paths(
        policy.model, policy.index, root, excluded, torch.from_numpy(draws), kind=kind, selection=selection
    )
    with torch.no_grad():
        network = reference.model.network
        encoded = encode_histories(network, history, excluded, hidden)
        reference_log_probs = path_log_probs(network, policy.index, encoded, paths, kind=kind)
    terms = terms_of(policy, paths, torch.from_numpy(future), config)
    return Rollouts(
        np.array([user]),
        np.array([position]),
        future,
        *(x.numpy(force=True) for x in (paths.codebooks, paths.codes, paths.items, paths.log_probs)),
        reference_log_probs.numpy(force=True),
        terms.numpy(force=True),
    )


def terms_of(
    policy: Policy, paths: SampledPaths, future: Int[Tensor, "B S"], config: PostTrainConfig
) -> Float[Tensor, "B G Q"]:
    """The reward terms of sampled paths, with the nearest items looked up for these paths alone."""
    index, codewords = policy.index, torch.as_tensor(policy.run.codewords())
    vectors = codewords[torch.arange(index.n_codebooks), index.codes].sum(1)
    nearest = nearest_items(vectors[paths.items.flatten()], vectors, min(config.nearest, index.n_items - 1))
    return reward_terms(
        paths.codes_by_codebook,
        paths.beliefs,
        nearest.unflatten(0, paths.items.shape),
        future,
        item_codes=index.codes,
        item_categories=torch.as_tensor(policy.catalog.categories),
        decay=config.decay,
    )
