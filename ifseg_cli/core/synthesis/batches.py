"""Artificial images as training samples: their cells in the model's space, and their targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.model.evidence import EvidenceProjection
from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.recipe import Recipe
from ifseg_cli.core.synthesis.evidence import EvidenceNoise
from ifseg_cli.core.synthesis.sampler import ArtificialImages

IGNORE = -100  # pixels of an unknown word: the value that torch's cross-entropy leaves out


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """What one update reads, on the model's device."""

    cells: Tensor  # (B, N, d), N = h * w, row by row
    grid: tuple[int, int]  # (h, w)
    target: Tensor  # (B, T, T) int64, IGNORE where nothing is to be learnt


class RowSamples:
    """The published samples: each cell is the bare row of its category (section 3.1 of the paper)."""

    def __init__(self, segmenter: Segmenter, images: ArtificialImages, batch_size: int) -> None:
        self.segmenter, self.images, self.batch_size = segmenter, images, batch_size

    @torch.no_grad()
    def batch(self, update: int) -> TrainingBatch:
        """The samples of update n = 0, 1, ...; a function of the seed and n alone."""
        drawn = self.images.batch(update, self.batch_size)
        device = self.segmenter.rows.device
        cells = self.segmenter.artificial_cells(drawn.ids.to(device))
        return TrainingBatch(cells, (self.images.grid, self.images.grid), drawn.target.to(device).long())


class EvidenceSamples:
    """Samples of the built-in base: cells with its own noise, drawn on the CPU, the same on every device."""

    def __init__(
        self, segmenter: Segmenter, images: ArtificialImages, batch_size: int, noise: EvidenceNoise | None = None
    ) -> None:
        if not isinstance(segmenter.image_proj, EvidenceProjection):
            raise RecipeError(
                "synthesis.cells is evidence", "rows for this base", "evidence is the built-in base's own"
            )
        self.device = segmenter.rows.device
        projection = segmenter.image_proj.cpu()
        self.noise = noise or EvidenceNoise(projection)
        self.words = self.noise.words(segmenter.rows.cpu())
        segmenter.image_proj.to(self.device)
        self.images, self.batch_size = images, batch_size

    @torch.no_grad()
    def batch(self, update: int) -> TrainingBatch:
        """The samples of update n = 0, 1, ...; a function of the seed and n alone."""
        drawn = self.images.batch(update, self.batch_size)
        generator = torch.Generator().manual_seed((self.images.seed << 32) + update)
        cells, unknown = self.noise.draw(drawn.ids, self.words, generator)
        target = drawn.target.long()
        hidden = unknown.gather(1, target.flatten(1)).view_as(target)
        target = target.masked_fill(hidden, IGNORE)
        grid = (self.images.grid, self.images.grid)
        return TrainingBatch(cells.to(self.device), grid, target.to(self.device))


def make_samples(segmenter: Segmenter, images: ArtificialImages, recipe: Recipe) -> RowSamples | EvidenceSamples:
    """The training samples a recipe asks for.

    Raises:
        RecipeError: it asks for evidence, and the base is not the built-in one.
    """
    kind = EvidenceSamples if recipe.synthesis.cells == "evidence" else RowSamples
    return kind(segmenter, images, recipe.optimiser.batch_size)
