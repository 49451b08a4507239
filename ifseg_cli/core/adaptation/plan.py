"""The plan of an update: how many samples go through at once, and what of them is made twice rather than kept.

The gradients of a batch are those of its parts added up, so a batch of sixteen can go through one by one; with dropout
off the result is the same to rounding, whatever the plan. What does not fit even so is told before the first step.

    memory = weights + gradients and both moments of what is trained + what an update shares + samples x a sample's

The last two say the network (`Network.training_bytes`): an estimate, meant to be a little too high.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from ifseg_cli.core.adaptation.processes import ALONE, Processes
from ifseg_cli.core.bases.base import Grid, Network, Recompute
from ifseg_cli.core.errors import DeviceError, RecipeError
from ifseg_cli.core.recipe import Recipe

LEVELS: tuple[Recompute, ...] = ("none", "attention", "layers")  # slower and slower, smaller and smaller
BESIDES = 400 << 20  # bytes of torch itself, and of what is between uses
MARGIN = 1.1  # what the C library keeps between uses
QUICK = 32 << 20  # bytes: larger tensors the C library hands out anew each time, page by page, which costs a third
SHARE = 0.8  # of a machine's memory that `auto` takes
AUTO = "auto"
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Plan:
    """How an update is made.

    Args:
        micro_batch: samples that go through at once.
        recompute: what is made again in the backward pass.
        memory: bytes that it is expected to take at its peak.
    """

    micro_batch: int
    recompute: Recompute
    memory: int


def choose_plan(network: Network, recipe: Recipe, grid: Grid, memory: str = AUTO, processes: Processes = ALONE) -> Plan:
    """The quickest plan that fits; what the recipe says is kept to.

    Nothing is made twice if it need not be. Parts are as large as fits, but on a processor not larger than is quick.

    Args:
        network: with its vocabulary set.
        recipe: its batch, what it trains, and what of the plan it settles.
        grid: of the artificial images.
        memory: `8GB` and the like, of each process; or `auto`: four fifths of what the device has.
        processes: each takes its share of the batch; on a processor they share its memory.

    Raises:
        RecipeError: `memory` is no size.
        DeviceError: not even the smallest plan fits.
    """
    room = memory_of(memory, network.rows.device) / MARGIN
    if memory == AUTO and network.rows.device.type == "cpu":
        room /= processes.local_count
    batch, wanted = recipe.optimiser.batch_size // processes.count, recipe.plan
    fixed = _fixed(network, recipe)
    smallest = None
    for level in LEVELS if wanted.recompute is None else (wanted.recompute,):
        cost = network.training_bytes(grid, level)
        fits = min(batch, int((room - fixed - cost.shared) // cost.a_sample))
        if network.rows.device.type == "cpu":
            fits = min(fits, max(1, QUICK // cost.widest))
        if wanted.micro_batch is not None:
            given = min(batch, wanted.micro_batch)
            fits = given if fixed + cost.shared + given * cost.a_sample <= room else 0
        if fits >= 1:
            parts = -(-batch // fits)
            each = -(-batch // parts)  # even parts
            return Plan(each, level, int(MARGIN * (fixed + cost.shared + each * cost.a_sample)))
        smallest = int(MARGIN * (fixed + cost.shared + min(batch, wanted.micro_batch or 1) * cost.a_sample))
    told = "this machine has" if memory == AUTO else f"--memory {memory} is"
    raise DeviceError(
        f"adapting needs {_gigabytes(smallest or 0)}, and {told} {_gigabytes(int(MARGIN * room))} to spare",
        remedy="choose a smaller base or grid, fewer categories, or train: decoder",
    )


def memory_of(text: str, device: torch.device) -> int:
    """Bytes that `8GB`, `600M` or `auto` stand for.

    Raises:
        RecipeError: it stands for none.
    """
    if text == AUTO:
        return int(SHARE * _all_of(device))
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if found is None or float(found[1]) == 0:
        raise RecipeError(f"--memory {text}", "a size like 8GB, or auto")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def _all_of(device: torch.device) -> int:
    """A device's memory, bytes; of a container what it may use."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8 * 10**9
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(pages, int(text)) if text.isdigit() else pages


def _fixed(network: Network, recipe: Recipe) -> int:
    """Weights, and a gradient and two moments for what is trained."""
    trained = network.parts()[recipe.train]
    sizes = {name: each.numel() * each.element_size() for name, each in network.named_parameters()}
    return BESIDES + sum(sizes.values()) + 3 * sum(size for name, size in sizes.items() if name in trained)


def _gigabytes(size: int) -> str:
    return f"{max(0, size) / 1e9:.1f} GB"
