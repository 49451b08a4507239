"""Small regions that smoothing should leave alone. (Beyond the paper.)

Smoothing takes the mean over look-alikes wherever they lie, round after round, and a bird of three cells ends as the
sky around it. A region of two cells, up to a hundredth of the grid, that is one category before smoothing, with a mean
probability of a half at least, is held: it stays as it is, and what looks like it hears it in every round.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

SMALLEST = 2  # cells: a single one is more often noise
LARGEST = 0.01  # of the grid, and at least SMALLEST
SURE = 0.5  # mean probability


def held_cells(probabilities: Tensor, grid: tuple[int, int]) -> Tensor:
    """Which cells belong to a small region that is sure of itself: (B, N) bool.

    Args:
        probabilities: (B, N, M), before smoothing.
        grid: (h, w), N = h * w.
    """
    sure, labels = probabilities.max(-1)
    regions = connected(labels.unflatten(1, grid)).flatten(1)
    zeros = torch.zeros(regions.shape, device=regions.device)
    size = zeros.scatter_add(1, regions, torch.ones_like(sure))
    mean = zeros.scatter_add(1, regions, sure.float()) / size.clamp(min=1)
    held = (size >= SMALLEST) & (size <= max(SMALLEST, LARGEST * regions.shape[1])) & (mean >= SURE)
    return held.gather(1, regions)


def connected(labels: Tensor) -> Tensor:
    """Regions of equal labels, joined over the four sides of a cell: (B, h, w) int64, the number of each region's first
    cell in reading order."""
    count, height, width = labels.shape
    number = torch.arange(height * width, device=labels.device).view(1, height, width).expand(count, -1, -1)
    number = number.clone()
    beyond = height * width
    padded = pad(labels, (1, 1, 1, 1), value=-1)
    sides = [(slice(0, -2), slice(1, -1)), (slice(2, None), slice(1, -1))]
    sides += [(slice(1, -1), slice(0, -2)), (slice(1, -1), slice(2, None))]
    same = [padded[:, rows, columns] == labels for rows, columns in sides]
    while True:
        around = pad(number, (1, 1, 1, 1), value=beyond)
        least = number
        for (rows, columns), alike in zip(sides, same, strict=True):
            least = torch.where(alike, torch.minimum(least, around[:, rows, columns]), least)
        least = least.flatten(1).gather(1, least.flatten(1)).view_as(least)  # jump: long regions join in few rounds
        if torch.equal(least, number):
            return number
        number = least
