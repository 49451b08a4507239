"""One run in several processes: `torchrun --nproc-per-node N -m ifseg_cli adapt ...`.

Every process draws the same batch and takes its share, and gradients are added up: the batch is the recipe's, whatever
the number of processes. They are added up after the backward passes rather than during them (as torch's own wrapper
does), so that a process which has to repeat a part for want of memory leaves nobody waiting in the middle of a sum.

A process alone is a `Processes` of one, in which nothing is sent. Only the first one speaks and writes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifseg_cli.core.errors import DeviceError, IfsegError, RecipeError

if TYPE_CHECKING:
    import torch  # heavy, and what is wrong with a command is told before it is needed
    from torch import nn

    from ifseg_cli.core.adaptation.samples import TrainingBatch


@dataclass(frozen=True)
class Processes:
    """This process among those that share a run."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0  # on this machine
    local_count: int = 1
    restarts: int = 0  # how often torchrun has started them anew

    @property
    def first(self) -> bool:
        """Whether this is the one that speaks and writes."""
        return self.rank == 0

    def share_of(self, batch: TrainingBatch) -> TrainingBatch:
        """The part of a batch that is this process's: consecutive samples, in the order of ranks."""
        return batch.share(self.rank, self.count)

    def add_up(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make every gradient the sum over all processes."""
        if self.count == 1:
            return
        from torch import distributed

        gradients = [each.grad for each in parameters if each.grad is not None]
        sent = [distributed.all_reduce(gradient, async_op=True) for gradient in gradients]
        for each in sent:
            each.wait()  # pyright: ignore[reportOptionalMemberAccess]

    def total(self, value: float, device: torch.device) -> float:
        """The sum of a number over all processes."""
        if self.count == 1:
            return value
        import torch
        from torch import distributed

        summed = torch.tensor(value, dtype=torch.float32, device=device)
        distributed.all_reduce(summed)
        return float(summed)


ALONE = Processes()


def processes_of(environment: Mapping[str, str]) -> Processes:
    """What torchrun's variables say; without them, a process alone.

    Raises:
        IfsegError: they are no numbers, or contradict each other.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    if not all(name in environment for name in names):
        return ALONE
    texts = [environment[name] for name in names] + [environment.get("TORCHELASTIC_RESTART_COUNT", "0")]
    if not all(text.isdecimal() for text in texts):
        told = ", ".join(f"{name}={text[:20]}" for name, text in zip(names, texts, strict=False))
        raise IfsegError(told, "the numbers that torchrun sets", "start it with torchrun, or unset them")
    rank, count, local_rank, local_count, restarts = map(int, texts)
    if rank >= count or local_rank >= local_count:
        found = f"process {rank} of {count}, {local_rank} of {local_count} here"
        raise IfsegError(found, "ranks from 0 on", "start it with torchrun, or unset RANK and WORLD_SIZE")
    return Processes(rank, count, local_rank, local_count, restarts)


@contextmanager
def together(processes: Processes, device: torch.device) -> Generator[None]:
    """The processes of a run know each other inside this block (nccl between GPUs, gloo between processors).

    Raises:
        DeviceError: another process ended in the middle.
    """
    if processes.count == 1:
        yield
        return
    from torch import distributed

    try:
        _meet(processes, "nccl" if device.type == "cuda" else "gloo")
        yield
    except RuntimeError as error:
        if not isinstance(error, distributed.DistError) and "gloo" not in str(error).lower():
            raise
        found = f"process {processes.rank} of {processes.count} lost the others"
        raise DeviceError(found, remedy="see what the first one to fail says; then say --resume") from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _meet(processes: Processes, backend: str) -> None:
    """Join the others, under a name of this start: torchrun keeps the addresses of those that it started before."""
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    store, rank, count = next(rendezvous("env://"))
    own = PrefixStore(f"start-{processes.restarts}", store)
    distributed.init_process_group(backend, store=own, rank=rank, world_size=count)


def own_device(device: torch.device, processes: Processes) -> torch.device:
    """The GPU of this process, by its local rank; any other device as it is.

    Raises:
        DeviceError: there are more processes than GPUs.
    """
    if device.type != "cuda" or processes.count == 1:
        return device
    import torch

    there = torch.cuda.device_count()
    if processes.local_count > there:
        found = f"{processes.local_count} processes on a machine of {there} GPUs"
        raise DeviceError(found, "one process a GPU", f"say torchrun --nproc-per-node {there}")
    own = torch.device("cuda", processes.local_rank)
    torch.cuda.set_device(own)
    return own


def require_even(batch_size: int, processes: Processes) -> None:
    """Refuse a batch that does not divide: then the last process would learn from fewer images.

    Raises:
        RecipeError: with both numbers.
    """
    if batch_size % processes.count:
        raise RecipeError(
            f"a batch of {batch_size} does not divide over {processes.count} processes",
            f"optimiser.batch_size a multiple of {processes.count}",
            "set it, or start another number of processes",
        )
