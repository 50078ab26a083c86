"""Training with more than one process: who a worker is, and the few things workers tell each other."""

import contextlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float, Num
from torch import Tensor, nn

from reg4rec_core.types import InputError, WorkerLost

PATIENCE = timedelta(hours=12)
"""How long workers wait for each other: the first may choose theta meanwhile. A dead worker is noticed at once."""
BARE_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Workers:
    """The processes that train one network, seen from one of them; alone, every exchange costs nothing.

    All workers must make the same calls in the same order. Progress, logs and files are the first worker's.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = BARE_CPU

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def shard(self, n: int) -> slice:
        """This worker's rows of a global batch of n: every count-th, so that rows sorted by length are shared fairly.

        A batch smaller than the number of workers leaves some without rows; see `no_loss`.
        """
        return slice(self.rank, n, self.count)

    def parallel(self, step: nn.Module) -> nn.Module:
        """The module whose forward is a loss, with gradients averaged over the workers in every backward pass.

        A loss that is this worker's part of a sum is therefore multiplied by `count` before the backward pass.
        """
        if self.count == 1:
            return step
        with warnings.catch_warnings():
            # Newer versions of PyTorch rename broadcast_buffers; the oldest that we support knows only this name.
            warnings.simplefilter("ignore", FutureWarning)
            # Buffers are codes, the same everywhere and never trained: sent at the start, not before every step.
            return nn.parallel.DistributedDataParallel(step, broadcast_buffers=False, gradient_as_bucket_view=True)

    def sum(self, values: Num[Tensor, "*shape"]) -> Num[Tensor, "*shape"]:
        """Element by element over all workers."""
        total = values.detach().clone()
        if self.count > 1:
            dist.all_reduce(total)
        return total

    def barrier(self) -> None:
        """Wait until every worker is here."""
        self.sum(torch.zeros(1))

    def of_first(self, value: float) -> float:
        """The first worker's value: what depends on a clock must be the same everywhere."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(shared, 0)
        return shared.item()

    def from_first(self, make: Callable[[], Any]) -> Any:
        """What `make` returns on the first worker (plain JSON values), everywhere; the others wait for it.

        An InputError of the first is raised everywhere, so that all stop alike.
        """
        if self.count == 1:
            return make()
        answer: dict[str, Any] = {}
        failure = None
        if self.is_first:
            try:
                answer = {"value": make()}
            except InputError as error:
                failure, answer = error, {"error": str(error)}
        answer = self._broadcast(answer, source=0)
        if failure is not None:
            raise failure
        if "error" in answer:
            raise InputError(answer["error"])
        return answer["value"]

    def tensors_from_first(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """The first worker's named tensors, everywhere, on the CPU; what the others pass is not looked at."""
        if self.count == 1:
            return tensors
        kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        outline = {
            name: [list(tensor.shape), str(tensor.dtype).removeprefix("torch.")] for name, tensor in kept.items()
        }
        shared = {}
        for name, (shape, dtype) in self._broadcast(outline, source=0).items():
            shared[name] = kept[name] if self.is_first else torch.empty(shape, dtype=getattr(torch, dtype))
            dist.broadcast(shared[name], 0)
        return shared

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """A block that all workers pass or none: where one fails, all raise, and nobody waits for it for ever.

        The block itself may not exchange anything.
        """
        if self.count == 1:
            yield
            return
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        own = {"error": str(failure), "is_input": isinstance(failure, InputError)} if failure else {}
        outcomes = [self._broadcast(own, source=rank) for rank in range(self.count)]
        if failure is not None:
            raise failure
        for rank, outcome in enumerate(outcomes):
            if outcome:
                kind = InputError if outcome["is_input"] else RuntimeError
                raise kind(f"worker {rank}: {outcome['error']}")

    def agree(self, value: str, *, on: str) -> None:
        """InputError when the workers' values differ: machines that read different copies must not train together."""
        first = self.from_first(lambda: value)
        with self.together():
            if value != first:
                raise InputError(
                    f"all workers must have the same {on}, this one differs from the first; "
                    "give every machine the same package, run directory and command"
                )

    def _broadcast(self, document: dict[str, Any], *, source: int) -> dict[str, Any]:
        """The JSON document of worker `source`."""
        text = torch.frombuffer(bytearray(json.dumps(document).encode()), dtype=torch.uint8)
        length = torch.tensor([len(text)])
        dist.broadcast(length, source)
        if self.rank != source:
            text = torch.empty(int(length), dtype=torch.uint8)
        dist.broadcast(text, source)
        return json.loads(text.numpy().tobytes())


ALONE = Workers()
"""One process on the CPU."""


def no_loss(module: nn.Module) -> Float[Tensor, ""]:
    """A zero that depends on every parameter: the loss of a worker without examples, which the others wait for."""
    return torch.stack([parameter.sum() for parameter in module.parameters()]).sum() * 0.0


def step_generator(seed: int, step: int) -> torch.Generator:
    """Random numbers of one optimisation step, the same on every worker and after a resume.

    Draw for the whole global batch, then take the own rows: nothing drawn depends on the number of workers.
    """
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def seed_dropout(seed: int, workers: Workers) -> None:
    """Seed PyTorch's global generator, which draws dropout: each worker drops something else, the first as alone."""
    torch.manual_seed(seed + 1_000_000_007 * workers.rank)


@contextlib.contextmanager
def workers() -> Iterator[Workers]:
    """This process among those that torchrun started, or alone; the group ends with the block.

    A GPU is used where there is one (hide it with CUDA_VISIBLE_DEVICES=). When another worker is lost, one of those
    left raises WorkerLost and the others leave in silence.
    """
    if not dist.is_torchelastic_launched():
        yield Workers(device=torch.device("cuda") if torch.cuda.is_available() else BARE_CPU)
        return
    device, backend = worker_device(), "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"
    store, rank, count = next(dist.rendezvous("env://", timeout=PATIENCE))
    previous = signal.signal(signal.SIGTERM, _stop)
    try:
        dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=PATIENCE)
        yield Workers(rank, count, device)
    except (RuntimeError, _Stopped) as error:
        if not means_lost_worker(error):
            raise
        if not speaks_first(store):
            raise SystemExit(1) from None
        raise WorkerLost(
            "training stopped because another worker was lost or the job was ended; "
            "the same command, with any number of processes, goes on after the last saved state"
        ) from error
    finally:
        is_failing = sys.exc_info()[0] is not None
        # torchrun ends the slower ones of workers that fail together; each shall leave with its own exit code.
        signal.signal(signal.SIGTERM, signal.SIG_IGN if is_failing else previous)
        leave_group(device, is_failing=is_failing)


def leave_group(device: torch.device, *, is_failing: bool) -> None:
    """End the group before the process ends, whose threads would abort it while the others leave.

    Not with NCCL after a failure: ending a group in which somebody is missing may wait for ever.
    """
    if dist.is_initialized() and not (is_failing and device.type == "cuda"):
        dist.destroy_process_group()


def worker_device() -> torch.device:
    """The GPU with this worker's number on its machine, or the CPU where there are no GPUs."""
    if not torch.cuda.is_available():
        return BARE_CPU
    on_machine, gpus = int(os.environ["LOCAL_WORLD_SIZE"]), torch.cuda.device_count()
    if on_machine > gpus:
        raise InputError(
            f"a machine with {gpus} GPUs takes at most that many processes, got {on_machine}; "
            "lower --nproc-per-node or train on the CPU with CUDA_VISIBLE_DEVICES="
        )
    return torch.device("cuda", int(os.environ["LOCAL_RANK"]))


class _Stopped(BaseException):
    """SIGTERM: how torchrun ends the workers that are left when one has died."""


def _stop(signum: int, frame: object) -> None:
    raise _Stopped


def means_lost_worker(error: BaseException) -> bool:
    """Whether an exception says that another process has gone, and not that something is wrong here."""
    if isinstance(error, _Stopped | dist.DistError):
        return True
    text = str(error).lower()
    return any(sign in text for sign in ("gloo", "nccl", "connection closed by peer", "connection reset by peer"))


def speaks_first(store: dist.Store) -> bool:
    """Whether no other worker has reported the loss yet; yes when the store, too, is gone."""
    try:
        return store.add("reg4rec/loss_reported", 1) == 1
    except RuntimeError:
        return True
