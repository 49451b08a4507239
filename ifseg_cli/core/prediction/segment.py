"""One picture, from pixels to a label map: section 6 of the method, line by line."""

from __future__ import annotations

import torch
from torch import Tensor

from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.prediction.decode import Pixels
from ifseg_cli.core.prediction.resize import normalise, resize, target_size
from ifseg_cli.core.prediction.settings import PredictionSettings
from ifseg_cli.core.prediction.smoothing import nearest_cells, smooth
from ifseg_cli.core.prediction.upsample import LabelMap, label_map


@torch.inference_mode()
def segment(segmenter: Segmenter, pixels: Pixels, settings: PredictionSettings) -> LabelMap:
    """Segment a picture.

    Args:
        segmenter: in eval mode, with its vocabulary set.
        pixels: (H, W, 3) uint8 RGB.
        settings: smoothing, threshold, size.

    Returns:
        Labels and confidence at the picture's own size.
    """
    images = network_input(segmenter, pixels, settings.short_side)
    seen = segmenter.see(images)
    scores = segmenter.scores(seen.cells, seen.grid).float()  # (1, N, M)
    smoothed = settings.smoothing_iterations > 0
    if smoothed:
        neighbours = nearest_cells(seen.similarity, settings.neighbours)
        scores = smooth(scores.softmax(-1), neighbours, settings.smoothing_iterations)  # probabilities from here on
    on_grid = scores[0].T.reshape(-1, *seen.grid)  # (M, h, w)
    height, width = pixels.shape[:2]
    return label_map(on_grid, (height, width), are_scores=not smoothed, threshold=settings.threshold)


def network_input(segmenter: Segmenter, pixels: Pixels, short_side: int | None = None) -> Tensor:
    """Resize and normalise a picture as the model wants it: (1, 3, H', W') on the model's device.

    `short_side` replaces the model's own; the limit of the long side grows and shrinks with it.
    """
    config = segmenter.config
    short = short_side or config.short_side
    height, width = pixels.shape[:2]
    size = target_size(height, width, short, round(config.long_side * short / config.short_side))
    images = normalise(resize(pixels, size), config.image_mean, config.image_std)
    return images.to(segmenter.rows.device)
