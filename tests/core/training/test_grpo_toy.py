"""GRPO on a catalogue of six items, so small that every path's reward and the best policy are known by enumeration."""

import pytest
import torch

from reg4rec_core.config import RewardWeights
from reg4rec_core.rewards import group_advantages, nearest_items, reward_terms, total_reward
from reg4rec_core.training.grpo_loss import grpo_loss

CODES = torch.tensor([[0, 0], [0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [2, 2]])  # M = 2, K = 3; row 0 is padding
CATEGORIES = torch.tensor([0, 0, 1, 1, 0, 1, 0])
LEADS_TO_ITEM = torch.zeros(3, 3, dtype=torch.bool).index_put((CODES[1:, 0], CODES[1:, 1]), torch.tensor(True))
G = 16
CLIP = 0.15


class World:
    """One history: the items that follow it, what is believed along every path, and so every item's reward."""

    def __init__(self, seed):
        generator = torch.Generator().manual_seed(seed)
        codewords = torch.randn(2, 3, 4, generator=generator)
        vectors = codewords[0, CODES[:, 0]] + codewords[1, CODES[:, 1]]
        window = 1 + torch.randperm(6, generator=generator)[:3]
        beliefs = torch.randn(4, 2, generator=generator).softmax(-1)  # after each first code; the last: before any
        paths = CODES[1:]
        self.item_terms = reward_terms(
            paths[None],
            torch.stack([beliefs[3].expand(6, -1), beliefs[paths[:, 0]]], 1)[None],
            nearest_items(vectors[1:], vectors, 2)[None],
            window[None],
            item_codes=CODES,
            item_categories=CATEGORIES,
            decay=0.8,
        )[0]  # (6, Q)
        self.item_rewards = total_reward(self.item_terms[None], RewardWeights())[0]

    def terms(self, codes):
        """Of sampled paths (B, G, M), each of which is an item's."""
        is_item = (codes[:, :, None] == CODES[1:]).all(-1)  # (B, G, 6)
        return self.item_terms[is_item.long().argmax(-1)]


class TablePolicy(torch.nn.Module):
    """A free logit for every prefix and code, masked to codes that lead to an item."""

    def __init__(self, seed):
        super().__init__()
        generator = torch.Generator().manual_seed(1000 + seed)
        self.first = torch.nn.Parameter(torch.randn(3, generator=generator) / 2)
        self.second = torch.nn.Parameter(torch.randn(3, 3, generator=generator) / 2)

    def tables(self):
        first = self.first.masked_fill(~LEADS_TO_ITEM.any(1), -torch.inf).log_softmax(0)
        return first, self.second.masked_fill(~LEADS_TO_ITEM, -torch.inf).log_softmax(1)

    def forward(self, codes):
        first, second = self.tables()
        return torch.stack([first[codes[..., 0]], second[codes[..., 0], codes[..., 1]]], -1)  # (B, G, T)

    @torch.no_grad()
    def sample(self, rows, generator):
        first, second = self.tables()
        chosen = torch.multinomial(first.exp(), rows * G, replacement=True, generator=generator)
        then = torch.multinomial(second[chosen].exp(), 1, generator=generator)[:, 0]
        return torch.stack([chosen, then], -1).view(rows, G, 2)

    @torch.no_grad()
    def item_probabilities(self):
        return self(CODES[1:]).sum(-1).exp()


def train(world, policy, *, steps, groups, kl_weight, std_floor, learning_rate, seed, updates=1):
    """Shares of clipped rollouts and the mean ratio of every update, in order."""
    generator = torch.Generator().manual_seed(seed)
    reference = TablePolicy(0)
    reference.load_state_dict(policy.state_dict())
    optimizer = torch.optim.Adam(policy.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=steps)
    moved = []
    for _ in range(steps):
        codes = policy.sample(groups, generator)
        advantages = group_advantages(world.terms(codes), RewardWeights(), std_floor=std_floor)
        old, anchor = policy(codes).detach(), reference(codes).detach()
        for _ in range(updates):
            loss = grpo_loss(policy(codes), old, anchor, advantages, clip=CLIP)
            optimizer.zero_grad()
            ((loss.policy + kl_weight * loss.kl) / groups).backward()
            optimizer.step()
            if loss.signal_groups > 0:
                clipped = (loss.clip_low + loss.clip_high) / loss.signal_groups
                moved.append((clipped.item(), (loss.ratio / loss.signal_groups).item()))
        schedule.step()
    return moved


def test_a_sampled_path_always_ends_at_an_item():
    codes = TablePolicy(0).sample(50, torch.Generator().manual_seed(0))
    assert LEADS_TO_ITEM[codes[..., 0], codes[..., 1]].all()
    assert TablePolicy(0).item_probabilities().sum().item() == pytest.approx(1)


@pytest.mark.parametrize(("seed", "updates"), [(0, 1), (1, 1), (2, 1), (4, 1), (5, 1), (1, 4), (2, 4)])
def test_the_policy_ends_at_the_item_with_the_largest_reward(seed, updates):
    world, policy = World(seed), TablePolicy(seed)
    best = world.item_rewards.argmax()
    first, second = world.item_rewards.topk(2).values
    assert first - second > 0.05, "a smaller lead than the floor of the deviation is noise by design"
    assert policy.item_probabilities()[best] < 0.5
    train(
        world,
        policy,
        steps=120,
        groups=4,
        kl_weight=0.0,
        std_floor=0.05,
        learning_rate=0.1,
        seed=seed,
        updates=updates,
    )
    assert policy.item_probabilities()[best] > 0.95


def balance(reference, gain, kl_weight):
    """The distribution p that makes sum(gain p) - kl_weight KL(reference || p) largest: reference / (level - gain)."""
    low, high = gain.max(), gain.max() + 10 * kl_weight + 10
    for _ in range(100):
        level = (low + high) / 2
        low, high = (level, high) if (kl_weight * reference / (level - gain)).sum() > 1 else (low, level)
    return kl_weight * reference / (high - gain)


def best_under_kl(world, reference, kl_weight, scale):
    """Item probabilities where policy gradient and KL gradient balance, prefix by prefix from the last code back."""
    first, second = (table.double().exp() for table in reference.tables())
    rewards = torch.zeros(3, 3, dtype=torch.float64)
    rewards[CODES[1:, 0], CODES[1:, 1]] = world.item_rewards.double()
    kept = torch.zeros(3, 3, dtype=torch.float64)
    for code in range(3):
        allowed = LEADS_TO_ITEM[code]
        kept[code, allowed] = balance(second[code, allowed], scale * rewards[code, allowed], kl_weight)
    start = balance(first, scale * (kept * rewards).sum(1), kl_weight)
    return (start[:, None] * kept)[CODES[1:, 0], CODES[1:, 1]]


@pytest.mark.parametrize("kl_weight", [0.1, 0.5, 5.0])
@pytest.mark.parametrize("seed", range(2))
def test_under_a_kl_weight_the_policy_ends_where_the_closed_form_says(seed, kl_weight):
    # A floor above every group's deviation makes the advantage linear in the reward: its mean gradient is then
    # (G - 1) / G / floor times that of the mean reward.
    floor = 2.0
    world, policy = World(seed), TablePolicy(seed)
    expected = best_under_kl(world, policy, kl_weight, (G - 1) / G / floor).detach()
    train(world, policy, steps=200, groups=64, kl_weight=kl_weight, std_floor=floor, learning_rate=0.05, seed=seed)
    torch.testing.assert_close(policy.item_probabilities().double(), expected, atol=0.01, rtol=0)


def test_the_larger_the_kl_weight_the_nearer_the_policy_stays_to_the_reference():
    distances = []
    for kl_weight in (0.0, 0.1, 0.5, 5.0):
        world, policy = World(0), TablePolicy(0)
        before = policy.item_probabilities()
        train(world, policy, steps=60, groups=16, kl_weight=kl_weight, std_floor=0.05, learning_rate=0.1, seed=0)
        distances.append((policy.item_probabilities() - before).abs().sum().item())
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.2 < 1 < distances[0]


def test_the_first_update_of_a_batch_is_never_clipped_and_later_ones_are():
    world, policy = World(0), TablePolicy(0)
    moved = train(world, policy, steps=5, groups=4, kl_weight=0.0, std_floor=0.05, learning_rate=0.1, seed=0, updates=4)
    assert len(moved) == 20
    assert all(step == (0.0, 1.0) for step in moved[::4])
    assert all(ratio != 1 for _, ratio in moved[3::4])
    assert max(clipped for clipped, _ in moved[3::4]) > 0.1
