"""Which parameters a run trains: a part that the base declares, by name."""

from __future__ import annotations

from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.recipe import Recipe


def choose_trained(network: Network, recipe: Recipe) -> None:
    """Train the part of a network that a recipe says, and freeze the rest. A second time it changes nothing.

    Raises:
        RecipeError: the base has no such part.
    """
    part = recipe.train
    if part == "low_rank":
        network.add_updates(recipe.rank, recipe.seed)
    parts = network.parts()
    if part not in parts:
        raise RecipeError(f"train is {part}", f"one of {', '.join(parts)} for this base")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in parts[part])
