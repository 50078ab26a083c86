import multiprocessing
import queue
import sys

import pytest
import torch
import torch.distributed as dist

from reg4rec_core.config import PretrainConfig
from reg4rec_core.model import EncoderDecoder
from reg4rec_core.training.objective import CatalogTensors, Prefixes, PretrainStep, draw_prefixes, share_of_batch
from reg4rec_core.training.parallel import ALONE, Workers, means_lost_worker, no_loss, seed_dropout, step_generator
from reg4rec_core.training.pretrain import train_step
from reg4rec_core.types import InputError

N, M, K, L, C = 12, 3, 4, 6, 3


def on_all_workers(count, work, folder):
    """What `work(workers)` returns or raises on each of `count` processes, by rank.

    Processes are forked: they need no second import of everything, and tests run on one thread.
    """
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    def run(rank):
        store = dist.FileStore(str(folder / "store"), count)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=count)
        try:
            answer = work(Workers(rank, count))
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        answers.put((rank, answer))
        dist.barrier()

    processes = [context.Process(target=run, args=(rank,), daemon=True) for rank in range(count)]
    for process in processes:
        process.start()
    try:
        by_rank = dict(answers.get(timeout=60) for _ in processes)
    except queue.Empty:
        pytest.fail("the workers wait for each other")
    finally:
        for process in processes:
            process.join(10)
            process.kill()
    return [by_rank[rank] for rank in range(count)]


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")


def test_shards_cover_every_row_once():
    for n, count in [(7, 3), (2, 3), (0, 2), (6, 1)]:
        rows = [row for rank in range(count) for row in range(n)[Workers(rank, count).shard(n)]]
        assert sorted(rows) == list(range(n))


def test_alone_nothing_is_exchanged():
    with ALONE.together():
        assert ALONE.from_first(lambda: 3) == 3
    assert ALONE.of_first(0.5) == 0.5
    assert ALONE.sum(torch.tensor([1.0, 2.0])).tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match="too small"), ALONE.together():
        raise InputError("too small")


@linux_only
def test_workers_sum_and_hear_what_the_first_says(tmp_path):
    def work(workers):
        total = workers.sum(torch.tensor([1.0, float(workers.rank)]))
        said = workers.from_first(lambda: {"theta": 0.5, "rank": workers.rank})
        tensors = {"a": torch.full((2, 2), 1.5 + workers.rank), "step": torch.tensor(7)} if workers.is_first else {}
        shared = workers.tensors_from_first(tensors)
        return total.tolist(), said, shared["a"].tolist(), int(shared["step"]), workers.of_first(float(workers.rank))

    expected = ([3.0, 3.0], {"theta": 0.5, "rank": 0}, [[1.5, 1.5]] * 2, 7, 0.0)
    assert on_all_workers(3, work, tmp_path) == [expected] * 3


@linux_only
def test_an_input_error_of_one_worker_stops_all(tmp_path):
    def work(workers):
        with workers.together():
            if workers.rank == 1:
                raise InputError("there is no run here")

    answers = on_all_workers(3, work, tmp_path)
    assert answers[1] == "InputError: there is no run here"
    assert answers[0] == answers[2] == "InputError: worker 1: there is no run here"


@linux_only
def test_an_input_error_of_what_only_the_first_does_is_raised_everywhere(tmp_path):
    def work(workers):
        def refuse():
            raise InputError("the run is finished")

        return workers.from_first(refuse)

    assert on_all_workers(2, work, tmp_path) == ["InputError: the run is finished"] * 2


@linux_only
def test_a_fault_of_one_worker_is_a_fault_of_all(tmp_path):
    def work(workers):
        with workers.together():
            return [1, 2][2 if workers.rank == 0 else 0]

    first, second = on_all_workers(2, work, tmp_path)
    assert first == "IndexError: list index out of range"
    assert second == "RuntimeError: worker 0: list index out of range"


@linux_only
def test_machines_with_different_data_do_not_train_together(tmp_path):
    def work(workers):
        workers.agree("same", on="settings")
        workers.agree(f"copy {workers.rank}", on="data")

    for answer in on_all_workers(2, work, tmp_path):
        assert answer.startswith("InputError")
        assert "must have the same data" in answer


def small_step(seed, *, spread=0.3):
    torch.manual_seed(seed)
    codes = torch.randint(K, (N, M))
    network = EncoderDecoder(
        codes, codebook_size=K, n_categories=C, history_length=L, width=8, hidden=8, encoder_layers=1,
        decoder_layers=1, n_heads=2,
    )  # fmt: skip
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    return PretrainStep(network, CatalogTensors(codes, torch.randint(C, (N,))))


def small_batch(rows, seed):
    windows = torch.randint(1, N, (rows, L + 1), generator=torch.Generator().manual_seed(seed))
    for row in range(rows):
        windows[row, : row % L] = 0
    prefixes = draw_prefixes(
        windows[:, :-1] > 0, per_window=2, n_codebooks=M, generator=torch.Generator().manual_seed(seed)
    )
    return windows, prefixes


def gradients(step, shares):
    """Gradients and terms summed over the workers' shares, by plain addition."""
    step.zero_grad()
    terms = torch.zeros(5)
    for share in shares:
        losses = step(share)
        losses.total(PretrainConfig()).backward()
        terms += torch.stack(list(vars(losses).values())).detach()
    return [parameter.grad.clone() for parameter in step.parameters()], terms


@pytest.mark.parametrize(("rows", "count"), [(9, 1), (9, 2), (9, 4), (2, 4)])
def test_the_workers_terms_and_gradients_add_up_to_those_of_the_whole_batch(rows, count):
    step = small_step(rows)
    windows, prefixes = small_batch(rows, seed=count)
    whole, terms = gradients(step, [share_of_batch(windows, prefixes, slice(0, rows, 1))])
    shares = [share_of_batch(windows, prefixes, Workers(rank, count).shard(rows)) for rank in range(count)]
    parts, part_terms = gradients(step, shares)
    torch.testing.assert_close(part_terms, terms)
    for part, expected in zip(parts, whole, strict=True):
        torch.testing.assert_close(part, expected, rtol=1e-4, atol=1e-5)  # sums in another order, float32


def test_a_share_holds_the_prefixes_of_its_own_windows():
    windows = torch.tensor([[0, 1, 2], [3, 4, 5], [0, 6, 7]])
    prefixes = Prefixes(torch.tensor([2, 0, 1]), torch.tensor([1, 1, 0]), torch.tensor([[0, 1], [1, 0], [0, 1]]))
    share = share_of_batch(windows, prefixes, slice(0, 3, 2))
    assert share.windows.tolist() == [[0, 1, 2], [0, 6, 7]]
    assert share.prefixes.rows.tolist() == [1, 0]
    assert share.prefixes.last.tolist() == [1, 1]
    assert share.prefixes.orders.tolist() == [[0, 1], [1, 0]]
    assert (share.of_positions, share.of_prefixes) == (2 / 4, 2 / 3)


@linux_only
@pytest.mark.parametrize(
    ("rows", "spread", "learning_from"), [(7, 0.1, {0, 1, 2}), (7, 1.0, {0, 2}), (2, 1.0, {1}), (1, 0.1, {0})]
)
def test_workers_take_the_optimisation_step_of_one_process(tmp_path, rows, spread, learning_from):
    """Some workers have no rows, some rows but no prefixes; with the larger spread gradients are clipped."""
    windows, prefixes = small_batch(rows, seed=0)
    chosen = torch.tensor([row % 3 in learning_from for row in prefixes.rows.tolist()])
    prefixes = Prefixes(prefixes.rows[chosen], prefixes.last[chosen], prefixes.orders[chosen])

    def moved(workers):
        step = small_step(0, spread=spread)
        optimizer = torch.optim.SGD(step.parameters(), lr=0.1)
        share = share_of_batch(windows, prefixes, workers.shard(rows))
        terms = train_step(workers.parallel(step), optimizer, share, PretrainConfig(), workers)
        return [parameter.tolist() for parameter in step.parameters()], workers.sum(terms).tolist()

    weights, terms = moved(ALONE)
    for answer in on_all_workers(3, moved, tmp_path):
        assert isinstance(answer, tuple), answer
        torch.testing.assert_close(torch.tensor(answer[1]), torch.tensor(terms))
        for part, expected in zip(answer[0], weights, strict=True):
            torch.testing.assert_close(torch.tensor(part), torch.tensor(expected), rtol=1e-4, atol=1e-5)


def test_no_loss_gives_every_parameter_a_gradient_of_zero():
    step = small_step(0)
    no_loss(step).backward()
    assert all(torch.equal(p.grad, torch.zeros_like(p)) for p in step.parameters())


def test_workers_drop_different_activations_and_the_first_those_of_a_single_process():
    drawn = []
    for workers in (ALONE, Workers(0, 2), Workers(1, 2)):
        seed_dropout(5, workers)
        drawn.append(torch.rand(4).tolist())
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_random_numbers_of_a_step_follow_from_seed_and_step():
    draws = {
        (seed, step): torch.rand(3, generator=step_generator(seed, step)).tolist() for seed in (0, 1) for step in (0, 1)
    }
    assert draws[0, 1] == torch.rand(3, generator=step_generator(0, 1)).tolist()
    assert len({tuple(draw) for draw in draws.values()}) == 4


def test_a_lost_connection_is_told_from_a_fault_of_ours():
    lost = RuntimeError("[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:31")
    assert means_lost_worker(lost)
    assert not means_lost_worker(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
