"""Low-rank updates (LoRA, Hu et al. 2021): a matrix stays, and the product of two thin ones is learnt beside it.

    W x  becomes  W x + U D x,    D: (rank, in), U: (out, rank), U = 0 at the start

No gradient and no moments of Adam are then held for W, nor is the product that gives its gradient reckoned.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

# What is updated so, in every layer. `fc2` is not: it goes through a product of its own (`attention.narrowed`).
NAMES = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1")


class LowRank(nn.Module):
    """A linear layer with an update beside it."""

    def __init__(self, full: nn.Linear, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.full = full
        down = torch.randn(rank, full.in_features, generator=generator) * full.in_features**-0.5
        self.down = nn.Parameter(down.to(full.weight))
        self.up = nn.Parameter(full.weight.new_zeros(full.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return self.full(x) + (x @ self.down.T) @ self.up.T

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The layer with the update in its weight."""
        self.full.weight += self.up @ self.down
        return self.full


def add_updates(stack: nn.Module, rank: int, generator: torch.Generator) -> None:
    """Give every layer's linear layers an update; those that have one keep it.

    Args:
        stack: encoder or decoder.
        rank: columns of `U`.
        generator: draws `D`, on the CPU.
    """
    for parent, name, child in _named(stack, nn.Linear):
        if name in NAMES:
            setattr(parent, name, LowRank(cast(nn.Linear, child), rank, generator))


def merge_updates(stack: nn.Module) -> None:
    """Add every update to its matrix: an ordinary network again, which gives the same to rounding."""
    for parent, name, child in _named(stack, LowRank):
        setattr(parent, name, cast(LowRank, child).merged())


def _named(stack: nn.Module, kind: type[nn.Module]) -> list[tuple[nn.Module, str, nn.Module]]:
    """Parents, names and children of a kind; what lies inside an update is left out."""
    parents = [each for each in stack.modules() if not isinstance(each, LowRank)]
    children = [(parent, *each) for parent in parents for each in parent.named_children()]
    return [each for each in children if type(each[2]) is kind]
