"""Which device to work on, and why."""

from __future__ import annotations

import sys
import time

import torch

from ifseg_cli.core.errors import DeviceError

NAMES = ("auto", "cpu", "cuda", "mps")


def pick_device(name: str) -> tuple[torch.device, str]:
    """Choose a device.

    Args:
        name: one of `NAMES`; `auto` takes a GPU where there is one.

    Returns:
        The device and the reason for it, as one clause.

    Raises:
        DeviceError: the name is unknown, or that device is not here.
    """
    if name not in NAMES:
        raise DeviceError(f"device {name!r}", f"one of {', '.join(NAMES)}")
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        chosen = next(kind for kind, there in here.items() if there)
        reason = "the fastest device here" if chosen != "cpu" else "no GPU that torch can use was found"
    else:
        chosen, reason = name, "as asked"
    if not here[chosen]:
        raise DeviceError(
            f"--device {chosen}, but torch {torch.__version__} finds none", remedy="use --device auto or cpu"
        )
    return torch.device(chosen), f"{_describe(chosen)}: {reason}"


def matmul_rate(device: torch.device, dtype: torch.dtype = torch.float32) -> float:
    """Multiply-adds, counted as two, a second: the best of some products of large matrices."""
    size = 2048 if device.type == "cpu" else 8192
    one, other = (torch.rand(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        (one @ other)[0, 0].item()  # waits for a GPU to end
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best


def peak_memory(device: torch.device) -> int:
    """Bytes that this process has held at most: of a CUDA GPU its own, else resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _describe(kind: str) -> str:
    if kind == "cuda":
        return f"cuda ({torch.cuda.get_device_name()})"
    if kind == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return kind
