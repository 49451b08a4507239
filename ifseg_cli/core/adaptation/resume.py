"""Checkpoints of a run: weights, both moments of Adam and the number of updates, in one file.

Everything else a run depends on (draws, dropout, learning rate) is a function of the seed and the update's number, so
a resumed run ends bit-identical to an unbroken one on the CPU.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ifseg_cli.core.adaptation.optimiser import PublishedAdamW
from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.files import readable_path, write_atomic

SINGULAR = {"categories": "list of categories"}
MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(
    path: Path, network: Network, optimiser: PublishedAdamW, updates: int, identity: Mapping[str, object]
) -> None:
    """Write the state after `updates` updates.

    Args:
        path: the file.
        identity: what the run is (recipe, vocabulary, base): a resumed run must be the same.
    """
    tensors: dict[str, Tensor] = {}
    for name, parameter in network.trained_parameters():
        tensors[f"weight.{name}"] = parameter.detach().cpu().contiguous()
        state = optimiser.adam.state.get(parameter, {})
        for moment in MOMENTS:
            if moment in state:
                tensors[f"{moment}.{name}"] = state[moment].cpu().contiguous()
    metadata = {"updates": str(updates), "identity": json.dumps(dict(identity), sort_keys=True)}
    write_atomic(path, lambda temporary: save_file(tensors, temporary, metadata=metadata))


def load_checkpoint(path: Path, network: Network, optimiser: PublishedAdamW, identity: Mapping[str, object]) -> int:
    """Put a saved state back.

    Returns:
        How many updates were done.

    Raises:
        CheckpointError: the file cannot be read, or is of another run; names what differs.
    """
    try:
        with readable_path(path) as readable, safe_open(readable, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", remedy="start again with --overwrite") from error
    _require_same_run(path, json.loads(metadata["identity"]), dict(identity))
    updates = int(metadata["updates"])
    with torch.no_grad():
        for name, parameter in network.trained_parameters():
            parameter.copy_(tensors[f"weight.{name}"])
            if f"exp_avg.{name}" not in tensors:
                continue  # never had a gradient
            moments = {moment: tensors[f"{moment}.{name}"].to(parameter.device) for moment in MOMENTS}
            step = torch.tensor(float(updates), device=parameter.device)  # where the fused rule wants it
            optimiser.adam.state[parameter] = {"step": step, **moments}
    network.forget_biases()
    return updates


def updates_done(path: Path) -> int:
    """How many updates a checkpoint holds; 0 if there is none.

    Raises:
        CheckpointError: the file cannot be read.
    """
    if not path.exists():
        return 0
    try:
        with readable_path(path) as readable, safe_open(readable, framework="pt") as file:
            return int(file.metadata()["updates"])
    except (SafetensorError, OSError, KeyError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", remedy="start again with --overwrite") from error


def _require_same_run(path: Path, saved: dict[str, object], wanted: dict[str, object]) -> None:
    wanted = json.loads(json.dumps(wanted))
    for key in sorted(saved.keys() | wanted.keys()):
        if saved.get(key) != wanted.get(key):
            raise CheckpointError(
                f"{path} is of another run: another {SINGULAR.get(key, key)}",
                "the same categories, base and recipe",
                "repeat the first command with --resume, or start again with --overwrite",
            )
