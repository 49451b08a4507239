"""Artificial images as training samples: what they look like to a network, and their targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ifseg_cli.core.adaptation.loss import IGNORE
from ifseg_cli.core.bases.base import Artificial, Grid, Network
from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.recipe import Recipe
from ifseg_cli.core.synthesis.sampler import ArtificialImages


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """What one update reads, on the model's device."""

    cells: Tensor  # (B, N, d), N = h * w, row by row
    grid: Grid  # (h, w)
    target: Tensor  # (B, T_h, T_w) int64, IGNORE where nothing is to be learnt

    def share(self, rank: int, count: int) -> TrainingBatch:
        """The `rank`-th of `count` equal shares; joined in order they are the batch."""
        cells, target = self.cells.chunk(count)[rank], self.target.chunk(count)[rank]
        return TrainingBatch(cells, self.grid, target)

    def parts(self, size: int) -> Iterator[TrainingBatch]:
        """The same samples, `size` at a time."""
        for cells, target in zip(self.cells.split(size), self.target.split(size), strict=True):
            yield TrainingBatch(cells, self.grid, target)


class ArtificialSamples:
    """Batches without end; batch number n is a function of the seed and n alone.

    Args:
        network: with its vocabulary set.
        images: what is drawn.
        batch_size: images a batch.
        noise: cells as they look to this base (`Network.artificial`); off, bare rows, as published (section 3.1).
    """

    def __init__(self, network: Network, images: ArtificialImages, batch_size: int, noise: bool = False) -> None:
        self.network, self.images, self.batch_size, self.noise = network, images, batch_size, noise

    @torch.no_grad()
    def batch(self, update: int) -> TrainingBatch:
        """The samples of update n = 0, 1, ..."""
        drawn = self.images.batch(update, self.batch_size)
        target = drawn.target.long()
        looks = self._look(drawn.ids, update)
        hidden = None
        if looks.unknown is not None:
            hidden = looks.unknown.gather(1, target.flatten(1)).view_as(target)
        target = self.network.first.cpu()[target]  # categories of one row are one to the loss
        if hidden is not None:
            target = target.masked_fill(hidden, IGNORE)
        grid = (self.images.grid, self.images.grid)
        return TrainingBatch(looks.cells, grid, target.to(looks.cells.device))

    def _look(self, ids: Tensor, update: int) -> Artificial:
        if not self.noise:
            return Artificial(self.network.bare(ids))
        return self.network.artificial(ids, torch.Generator().manual_seed((self.images.seed << 32) + update))


def make_samples(network: Network, images: ArtificialImages, recipe: Recipe) -> ArtificialSamples:
    """The training samples a recipe asks for.

    Raises:
        RecipeError: it asks for evidence, and the base has none of its own.
    """
    noise = recipe.synthesis.cells == "evidence"
    if noise and not network.has_noise:
        raise RecipeError("synthesis.cells is evidence", "rows for this base", "evidence is the built-in base's own")
    return ArtificialSamples(network, images, recipe.optimiser.batch_size, noise)
