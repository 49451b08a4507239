"""Small regions that smoothing should leave alone. (Beyond the paper.)

Smoothing takes the mean over look-alikes wherever they lie, round after round, and a bird of three cells ends as the
sky around it. A region of two cells, up to a hundredth of the grid, that is one category before smoothing, with a mean
probability of a half at least, is held: it stays as it is, and what looks like it hears it in every round.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ifseg_cli.core.images.components import components

SMALLEST = 2  # cells: a single one is more often noise
LARGEST = 0.01  # of the grid, and at least SMALLEST
SURE = 0.5  # mean probability


def held_cells(probabilities: Tensor, grid: tuple[int, int]) -> Tensor:
    """Which cells belong to a small region that is sure of itself: (B, N) bool.

    Args:
        probabilities: (B, N, M), before smoothing.
        grid: (h, w), N = h * w.
    """
    sure, labels = (each.cpu().numpy() for each in probabilities.float().max(-1))
    held = [_held(components(label.reshape(grid)).ravel(), each) for label, each in zip(labels, sure, strict=True)]
    return torch.from_numpy(np.stack(held)).to(probabilities.device)


def _held(regions: NDArray[np.intp], sure: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Of one picture: (N,) regions and probabilities -> (N,)."""
    size, total = np.bincount(regions), np.bincount(regions, weights=sure)
    largest = max(SMALLEST, LARGEST * regions.size)
    return ((size >= SMALLEST) & (size <= largest) & (total >= SURE * size))[regions]
