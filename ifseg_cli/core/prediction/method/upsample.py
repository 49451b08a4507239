"""From the grid to every pixel: bilinear (half-pixel centres, edges held), the winner and its confidence.

The tensor M x H x W of all classes at full size never exists: a picture of 12,000 x 9,000 pixels and 150 classes would
need 65 GB. It is made strip by strip of rows, small enough for the cache; every pixel is computed from its four cells
alone, so the strips' height changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ifseg_cli.core.images.masks import IGNORED

Size = tuple[int, int]  # height, width
_STRIP = 1 << 22  # values of a strip (M x rows x W): 16 MiB of float32


@dataclass(frozen=True)
class LabelMap:
    """A picture's answer at full size.

    Args:
        labels: (H, W) int16, index of the category, or `IGNORED`.
        confidence: (H, W) float32, probability of the winner, 0..1.
    """

    labels: NDArray[np.int16]
    confidence: NDArray[np.float32]


def label_map(
    views: Sequence[Tensor], size: Size, *, are_scores: bool, threshold: float = 0.0, strip: int = _STRIP
) -> LabelMap:
    """Up-sample and decide.

    Args:
        views: (M, h, w) each: scores (without smoothing) or probabilities (with it), as the published program does.
            Several are averaged at full size; their grids may differ.
        size: height and width of the picture, pixels.
        are_scores: they are scores; the confidence is then the softmax over the up-sampled scores.
        threshold: pixels with a confidence below it get `IGNORED`.
        strip: values held at once, at least one row's.
    """
    numbers = torch.arange(len(views[0]), device=views[0].device)
    return decide(lambda rows: mean_rows(views, size, rows), numbers, size, are_scores, threshold, strip)


def decide(
    rows_of: Callable[[slice], Tensor],
    categories: Tensor,
    size: Size,
    are_scores: bool,
    threshold: float,
    strip: int = _STRIP,
) -> LabelMap:
    """The winner of every pixel, strip by strip.

    Args:
        rows_of: a slice of rows -> their values (M, rows, W).
        categories: (M,) int64, which categories they are.
        size: as above, like the rest.
    """
    height, width = size
    rows_at_once = max(1, strip // (len(categories) * width))
    labels = np.empty(size, dtype=np.int16)
    confidence = np.empty(size, dtype=np.float32)
    for top in range(0, height, rows_at_once):
        rows = slice(top, min(top + rows_at_once, height))
        values = rows_of(rows)
        best, winner = values.max(dim=0)
        sure = 1 / (values - best).exp_().sum(dim=0) if are_scores else best
        winner = categories[winner]
        if threshold > 0:
            winner = winner.masked_fill(sure < threshold, IGNORED)
        labels[rows] = winner.cpu().numpy()
        confidence[rows] = sure.cpu().numpy()
    return LabelMap(labels, confidence)


def mean_rows(views: Sequence[Tensor], size: Size, rows: slice) -> Tensor:
    """Rows of the mean of several grids at full size: (M, rows, W)."""
    values = upsample_rows(views[0], size, rows)
    for view in views[1:]:
        values += upsample_rows(view, size, rows)
    return values if len(views) == 1 else values / len(views)


def upsample_rows(grid_values: Tensor, size: Size, rows: slice) -> Tensor:
    """Rows `rows` of `interpolate(grid_values, size, mode="bilinear", align_corners=False)`: (M, rows, W)."""
    above, below, down = _positions(grid_values.shape[1], size[0], grid_values.device, rows)
    left, right, across = _positions(grid_values.shape[2], size[1], grid_values.device, slice(None))
    first = int(above[0])
    band = grid_values[:, first : int(below[-1]) + 1]  # the few grid rows this strip needs
    wide = torch.lerp(band[:, :, left], band[:, :, right], across)
    return torch.lerp(wide[:, above - first], wide[:, below - first], down[:, None])


def _positions(cells: int, pixels: int, device: torch.device, part: slice) -> tuple[Tensor, Tensor, Tensor]:
    """For the pixels of `part`: the cell before, the cell after, and the fraction between."""
    position = ((torch.arange(pixels, device=device)[part] + 0.5) * (cells / pixels) - 0.5).clamp(min=0)
    before = position.floor().long().clamp(max=cells - 1)
    return before, (before + 1).clamp(max=cells - 1), position - before
