"""Which parameters a run trains: a part that the base declares, by name."""

from __future__ import annotations

from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.errors import RecipeError


def choose_trained(network: Network, part: str) -> None:
    """Train one part of a network and freeze the rest.

    Raises:
        RecipeError: the base has no such part.
    """
    parts = network.parts()
    if part not in parts:
        raise RecipeError(f"train is {part}", f"one of {', '.join(parts)} for this base")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in parts[part])
