"""Which artificial images a seed gives, for any number of processes.

Image k depends on (seed, k) alone: its generator is seeded by both, no state is carried. So one process or four, a run
that never stopped or one that resumed, `ifseg synth` and `ifseg adapt` all see the same images; and drawing ahead in a
thread changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.synthesis.draws import ArtificialImage, Heights, Layout, compact_dtype, draw_grid, draw_regions

if TYPE_CHECKING:
    from ifseg_cli.core.bases.base import PictureFacts
    from ifseg_cli.core.recipe import Recipe


@dataclass(frozen=True, eq=False)
class DrawnBatch:
    """Artificial images as the model and the loss take them, on the CPU."""

    ids: Tensor  # (B, G, G) int64, category of each cell
    target: Tensor  # (B, T, T) uint8 up to 256 categories, int16 above: an eighth of int64, cast by the loss
    images: tuple[ArtificialImage, ...]  # the B small maps both were resized from


@dataclass(frozen=True)
class ArtificialImages:
    """The endless, indexable sequence of artificial images of a seed."""

    num_categories: int  # M, at least 1
    layout: Layout  # `grid` is the method's, `regions` the built-in base's
    max_side: int  # S: sides are drawn from 1..S; `regions` reads at most 8
    grid: int  # G, cells a side
    target_size: int  # T, pixels a side of the target
    seed: int = 0
    max_categories: int | None = None  # categories in one image, at most; None (the method): no limit
    heights: Heights | None = None  # where categories are usually seen; None (the method): anywhere

    def __post_init__(self) -> None:
        if self.layout not in ("grid", "regions"):
            raise RecipeError(f"synthesis.layout is {self.layout!r}", "grid or regions")
        bounds = {"categories": self.num_categories, "synthesis.max_side": self.max_side, "grid": self.grid}
        bounds |= {"target_size": self.target_size, "synthesis.max_categories": self.max_categories or 1}
        for name, value in bounds.items():
            if value < 1:
                raise RecipeError(f"{name} is {value}", "at least 1")
        if self.seed < 0:
            raise RecipeError(f"seed is {self.seed}", "0 or more")

    def sample(self, index: int) -> ArtificialImage:
        """Image number `index`, counted from 0."""
        seeds = np.random.SeedSequence(entropy=self.seed, spawn_key=(index,))
        rng = np.random.Generator(np.random.Philox(seeds))
        if self.layout == "regions":
            return draw_regions(rng, self.num_categories, self.max_side, self.grid, self.max_categories, self.heights)
        return draw_grid(rng, self.num_categories, self.max_side, self.max_categories)

    def batch(self, step: int, batch_size: int) -> DrawnBatch:
        """The images of step n = 0, 1, ...: number n * batch_size and on."""
        first = step * batch_size
        return self.collate([self.sample(index) for index in range(first, first + batch_size)])

    def collate(self, images: Sequence[ArtificialImage]) -> DrawnBatch:
        """Cells and targets of given images as one batch."""
        count, dtype = len(images), compact_dtype(self.num_categories)
        ids = np.empty((count, self.grid, self.grid), dtype=np.int64)
        target = np.empty((count, self.target_size, self.target_size), dtype=dtype)
        for place, image in enumerate(images):
            ids[place] = image.cells(self.grid)
            target[place] = image.target(self.target_size)
        return DrawnBatch(torch.from_numpy(ids), torch.from_numpy(target), tuple(images))


def sampler_for(
    recipe: Recipe,
    pictures: PictureFacts,
    num_categories: int,
    seed: int | None = None,
    usual_heights: Sequence[float] | None = None,
) -> ArtificialImages:
    """The artificial images that a recipe draws for a model; `adapt` trains on them, `synth` shows them.

    What the recipe leaves open is the base's own: its grid, S = the grid's side, targets as large as its pictures.

    Args:
        recipe: read here: `synthesis`, `grid`, `target_size`, `seed`.
        pictures: what the base reads; here: `grid`, `short_side`.
        num_categories: M.
        seed: instead of the recipe's, for images that are not trained on.
        usual_heights: M numbers in -1..1, where the base knows them (`KnownWords.heights`).

    Raises:
        RecipeError: a value is out of range.
    """
    grid = recipe.grid or pictures.grid
    if not recipe.synthesis.heights:
        usual_heights = None
    return ArtificialImages(
        num_categories=num_categories,
        layout=recipe.synthesis.layout,
        max_side=recipe.synthesis.max_side or grid,
        grid=grid,
        target_size=recipe.target_size or pictures.short_side,
        seed=recipe.seed if seed is None else seed,
        max_categories=recipe.synthesis.max_categories,
        heights=Heights(tuple(usual_heights), recipe.synthesis.heights) if usual_heights else None,
    )
