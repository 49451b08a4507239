"""Pixel-adaptive refinement (PAMR: Araslanov and Roth, CVPR 2020, section 4.3).

    m_i <- sum_j a_ij m_j,    a_i = softmax_j( -mean_c |x_i - x_j| / (0.1 s_i) )

ten times, j over the eight neighbours at each of four distances, x the colours, s_i their standard deviation around i.
A pixel takes the mean of those neighbours that look like it, so what is said of a surface spreads up to its edges.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

CELL = 8  # pixels of a cell of the grid, in the small picture
ROUNDS = 10
DISTANCES = (1, 2, 4, 8)  # pixels; the authors', up to a cell (docs/log.md)
SHARPNESS = 0.1
_REACH = max(DISTANCES)
_STEPS = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def pamr(values: Tensor, picture: Tensor) -> Tensor:
    """Refine probabilities by a picture.

    Args:
        values: (M, H, W) probabilities; they need not sum to 1.
        picture: (3, H, W), of any scale: only differences against their own spread count.

    Returns:
        (M, H, W); every pixel's sum is a mean of the sums around it.
    """
    likeness = torch.softmax(-_distances(picture), dim=0)
    for _ in range(ROUNDS):
        values = sum_of_products(likeness, values)
    return values


def sum_of_products(likeness: Tensor, values: Tensor) -> Tensor:
    """(K, H, W) weights and (M, H, W) -> (M, H, W): the weighted mean over the K neighbours of every pixel."""
    total = torch.zeros_like(values)
    for weight, neighbour in zip(likeness, _neighbours(values), strict=True):
        total.addcmul_(neighbour, weight)
    return total


def _distances(picture: Tensor) -> Tensor:
    """(K, H, W): how far each neighbour's colour is from a pixel's, against the spread of colours around it."""
    first = [picture * len(DISTANCES), picture.square() * len(DISTANCES)]  # each distance counts the pixel itself
    total, squares = first
    for neighbour in _neighbours(picture):
        total += neighbour
        squares.addcmul_(neighbour, neighbour)
    number = 9 * len(DISTANCES)
    spread = ((squares - total.square() / number) / (number - 1)).clamp(min=0).sqrt()
    scale = 1 / (SHARPNESS * spread + 1e-8)
    return torch.stack([((each - picture).abs() * scale).mean(0) for each in _neighbours(picture)])


def _neighbours(values: Tensor) -> Iterator[Tensor]:
    """Views of (C, H, W) values, moved by each step; beyond the border stands what is at the border."""
    height, width = values.shape[1:]
    wide = pad(values[None], [_REACH] * 4, mode="replicate")[0]
    for distance in DISTANCES:
        for down, right in _STEPS:
            top, left = _REACH + down * distance, _REACH + right * distance
            yield wide[:, top : top + height, left : left + width]
