"""A model as an update of its base: what training has changed, saved alone; a few megabytes a vocabulary.

    update.safetensors  the trained tensors (low-rank updates, or whichever part the recipe trained)
    config.json         "update": which base (its name, and the SHA-256 of its weights), and what was trained

A folder names no file outside it: a base other than the built-in one is named by whoever loads the update.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import save_file
from torch import Tensor

from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.bases.ofa.building import check_entries, checked, shapes_of
from ifseg_cli.core.errors import CheckpointError, shown
from ifseg_cli.core.files import write_atomic
from ifseg_cli.core.weights.files import UPDATE
from ifseg_cli.core.weights.reading import read_weights

MAX_RANK = 256  # as in a recipe
BUILTIN = "builtin"


@dataclass(frozen=True)
class UpdateOf:
    """What an update belongs to."""

    base: str  # as it was named, for people
    base_sha256: str  # of its weights
    train: str  # the part of the network that was trained
    rank: int  # of low-rank updates

    def to_json(self) -> dict[str, Any]:
        """As it stands in `config.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: object, path: Path) -> UpdateOf:
        """Read what stands in `config.json`.

        Raises:
            CheckpointError: it is not what `to_json` writes.
        """
        found = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
        kinds = {"base": str, "base_sha256": str, "train": str, "rank": int}
        if any(type(found.get(name)) is not kind for name, kind in kinds.items()) or not 1 <= found["rank"] <= MAX_RANK:
            told = f"{path / 'config.json'} does not say what it updates"
            raise CheckpointError(told, "update: base, base_sha256, train and rank", "copy the folder again")
        return cls(**{name: found[name] for name in kinds})


def save_update(path: Path, network: Network) -> None:
    """Write the trained tensors of a network as `path / update.safetensors`."""
    tensors = {name: each.detach().cpu().contiguous() for name, each in network.trained_parameters()}
    write_atomic(path / UPDATE, lambda temporary: save_file(tensors, temporary))


def put_update(network: Network, path: Path, told: UpdateOf) -> None:
    """Put a saved update into its base, which becomes the adapted model.

    Args:
        network: the base, as it was before training.
        path: the update's folder.
        told: from its `config.json`.

    Raises:
        CheckpointError: the file cannot be read, or is not of this base.
    """
    file = path / UPDATE
    if told.train == "low_rank":
        network.add_updates(told.rank, seed=0)  # what is drawn here is replaced below
    names = network.parts().get(told.train)
    if names is None:
        raise CheckpointError(f"{path / 'config.json'}: train is {shown(told.train, 40)}", "a part of its base")
    wanted: dict[str, Tensor] = {name: each for name, each in network.named_parameters() if name in names}
    found = read_weights(file)
    check_entries(shapes_of(wanted), shapes_of(found), str(file))
    with torch.no_grad():
        for name, parameter in wanted.items():
            parameter.copy_(checked(name, found[name], torch.float32, str(file)))
    network.merge_updates()
    network.forget_biases()


def base_of(told: UpdateOf, path: Path, named: str | None) -> str:
    """The base to load.

    Args:
        told: from the update's `config.json`.
        path: the update's folder.
        named: what the user says (`--base`).

    Raises:
        CheckpointError: the user must say it, and did not.
    """
    if named is None and told.base != BUILTIN:
        found = f"{path} is an update of the base {shown(told.base, 80)}"
        raise CheckpointError(found, "the base beside it", "say --base, its folder or name")
    return named or BUILTIN
