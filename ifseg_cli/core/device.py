"""Which device to work on, and why."""

from __future__ import annotations

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


def _describe(kind: str) -> str:
    if kind == "cuda":
        return f"cuda ({torch.cuda.get_device_name()})"
    if kind == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return kind
