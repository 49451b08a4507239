"""From pixels to class values on the grid, and from there to a label map: section 6 of the method, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ifseg_cli.core.bases.base import Network, PictureFacts
from ifseg_cli.core.images.decode import Pixels
from ifseg_cli.core.images.resize import normalise, resize, target_size
from ifseg_cli.core.prediction.method.presence import with_presence
from ifseg_cli.core.prediction.method.refine import refined
from ifseg_cli.core.prediction.method.small import held_cells
from ifseg_cli.core.prediction.method.smoothing import nearest_cells, smooth
from ifseg_cli.core.prediction.method.upsample import LabelMap, decide, label_map, mean_rows
from ifseg_cli.core.prediction.method.windows import slide
from ifseg_cli.core.recipe import PredictionSettings

MOST_CELLS = 4096  # of a picture that is seen at once: attention holds a value for every pair


@dataclass(frozen=True)
class GridValues:
    """What a batch of pictures of one size came to, on the grid of each way it was looked at."""

    views: tuple[Tensor, ...]  # (B, M, h, w) each: one a scale, and one more in the mirror
    are_scores: bool  # scores before softmax (one view, whole, without smoothing), or probabilities


def network_inputs(pixels: Pixels, pictures: PictureFacts, settings: PredictionSettings) -> tuple[Tensor, ...]:
    """Resize and normalise a picture as a network wants it: (1, 3, H', W') float32 on the CPU, one a scale.

    `settings.short_side` replaces the network's own; the limit of the long side grows and shrinks with it. A picture
    that is seen at once is never of more than `MOST_CELLS` cells.
    """
    return tuple(
        normalise(resize(pixels, _size_seen(pixels, pictures, settings, scale)), pictures.mean, pictures.std)
        for scale in settings.scales
    )


def _size_seen(pixels: Pixels, pictures: PictureFacts, settings: PredictionSettings, scale: float) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    short = max(1, round((settings.short_side or pictures.short_side) * scale))
    size = target_size(height, width, short, round(pictures.long_side * short / pictures.short_side))
    cells = -(-size[0] // pictures.cell) * -(-size[1] // pictures.cell)
    if settings.mode == "slide" or cells <= MOST_CELLS:
        return size
    smaller = (MOST_CELLS / cells) ** 0.5
    whole_cells = [int(side * smaller) // pictures.cell * pictures.cell for side in size]
    return whole_cells[0] or size[0], whole_cells[1] or size[1]


@torch.inference_mode()
def grid_values(network: Network, inputs: Sequence[Tensor], settings: PredictionSettings) -> GridValues:
    """See a batch in every way that is asked for, score it, smooth it.

    Args:
        network: in eval mode, with its vocabulary set.
        inputs: (B, 3, H', W') normalised, one a scale, of the same pictures.
        settings: windows, mirror, presence and smoothing.
    """
    slides, pictures = settings.mode == "slide", network.pictures
    ways = len(inputs) * (2 if settings.flip else 1)
    as_scores = settings.smoothing_iterations == 0 and ways == 1 and not slides

    def values_of(images: Tensor) -> Tensor:
        return _values_seen_at_once(network, images, settings, as_scores)

    def values(images: Tensor) -> Tensor:
        return slide(images, pictures.short_side, pictures.cell, values_of) if slides else values_of(images)

    views = [values(images) for images in inputs]
    if settings.flip:
        views += [values(images.flip(3)).flip(3) for images in inputs]
    return GridValues(tuple(views), as_scores)


def _values_seen_at_once(network: Network, images: Tensor, settings: PredictionSettings, as_scores: bool) -> Tensor:
    """(B, 3, H', W') -> (B, M, h, w), section 6 of the method: scores, or probabilities smoothed over look-alikes."""
    seen = network.see(images.to(network.rows.device))
    values = with_presence(network.scores(seen.cells, seen.grid).float(), settings.presence)  # (B, N, M)
    if not as_scores:
        values = values.softmax(-1)
    if settings.smoothing_iterations:
        neighbours = nearest_cells(seen.similarity, settings.neighbours)
        held = held_cells(values, seen.grid) if settings.spare_small else None
        values = smooth(values, neighbours, settings.smoothing_iterations, held)
    return values.transpose(1, 2).unflatten(2, seen.grid)


@torch.inference_mode()
def full_size(found: GridValues, index: int, pixels: Pixels, settings: PredictionSettings) -> LabelMap:
    """Labels and confidence of picture `index` of the batch, (H, W, 3) uint8 RGB, at its own size."""
    views, size = [each[index] for each in found.views], (pixels.shape[0], pixels.shape[1])
    if settings.refine == "none":
        return label_map(views, size, are_scores=found.are_scores, threshold=settings.threshold)
    sharper = refined([each.softmax(0) for each in views] if found.are_scores else views, pixels, settings.refine)
    return decide(sharper.rows_of, sharper.categories, size, are_scores=False, threshold=settings.threshold)


@torch.inference_mode()
def cell_probabilities(found: GridValues, index: int) -> NDArray[np.float32]:
    """(M, h, w): every category's probability in every cell of picture `index`; of several views their mean."""
    views = [each[index] for each in found.views]
    finest = max(views, key=lambda each: each[0].numel())
    size = (finest.shape[1], finest.shape[2])
    mean = mean_rows(views, size, slice(0, size[0]))
    return (mean.softmax(0) if found.are_scores else mean).cpu().numpy()


def segment(network: Network, pixels: Pixels, settings: PredictionSettings) -> LabelMap:
    """All of it for one picture (H, W, 3) uint8 RGB."""
    found = grid_values(network, network_inputs(pixels, network.pictures, settings), settings)
    return full_size(found, 0, pixels, settings)
