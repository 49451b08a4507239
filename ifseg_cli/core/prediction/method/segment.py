"""From pixels to class values on the grid, and from there to a label map: section 6 of the method, line by line."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ifseg_cli.core.bases.base import Network, PictureFacts
from ifseg_cli.core.images.decode import Pixels
from ifseg_cli.core.images.resize import normalise, resize, target_size
from ifseg_cli.core.prediction.method.presence import with_presence
from ifseg_cli.core.prediction.method.smoothing import nearest_cells, smooth
from ifseg_cli.core.prediction.method.upsample import LabelMap, label_map
from ifseg_cli.core.recipe import PredictionSettings


@dataclass(frozen=True)
class GridValues:
    """What a batch of pictures of one size came to, on the grid."""

    values: Tensor  # (B, M, h, w)
    are_scores: bool  # scores before softmax (without smoothing), or probabilities (with it)


def network_input(pixels: Pixels, pictures: PictureFacts, settings: PredictionSettings) -> Tensor:
    """Resize and normalise a picture as a network wants it: (1, 3, H', W') float32 on the CPU.

    `settings.short_side` replaces the network's own; the limit of the long side grows and shrinks with it.
    """
    short = settings.short_side or pictures.short_side
    height, width = pixels.shape[:2]
    size = target_size(height, width, short, round(pictures.long_side * short / pictures.short_side))
    return normalise(resize(pixels, size), pictures.mean, pictures.std)


@torch.inference_mode()
def grid_values(network: Network, images: Tensor, settings: PredictionSettings) -> GridValues:
    """See a batch, score it, smooth it.

    Args:
        network: in eval mode, with its vocabulary set.
        images: (B, 3, H', W'), normalised.
        settings: presence and smoothing.
    """
    seen = network.see(images.to(network.rows.device))
    scores = with_presence(network.scores(seen.cells, seen.grid).float(), settings.presence)  # (B, N, M)
    smoothed = settings.smoothing_iterations > 0
    if smoothed:
        neighbours = nearest_cells(seen.similarity, settings.neighbours)
        scores = smooth(scores.softmax(-1), neighbours, settings.smoothing_iterations)  # probabilities from here on
    return GridValues(scores.transpose(1, 2).unflatten(2, seen.grid), are_scores=not smoothed)


@torch.inference_mode()
def full_size(found: GridValues, index: int, size: tuple[int, int], settings: PredictionSettings) -> LabelMap:
    """Labels and confidence of picture `index` of the batch at its own (height, width)."""
    return label_map(found.values[index], size, are_scores=found.are_scores, threshold=settings.threshold)


def segment(network: Network, pixels: Pixels, settings: PredictionSettings) -> LabelMap:
    """All of it for one picture (H, W, 3) uint8 RGB."""
    found = grid_values(network, network_input(pixels, network.pictures, settings), settings)
    return full_size(found, 0, (pixels.shape[0], pixels.shape[1]), settings)
