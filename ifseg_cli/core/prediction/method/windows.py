"""Large pictures, window by window: each of the size that the base was made for, the overlaps blended.

Windows begin on cells, so that each one's cells are cells of the whole picture's grid. What is blended is therefore a
value a cell, never one a pixel: M x h x w of the whole picture, a 256th of it at full size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

OVERLAP = 3  # windows lie at most two thirds of their side apart (mmsegmentation's 341 of 512)


def starts(cells: int, window: int) -> list[int]:
    """Where windows of `window` cells begin on a side of `cells`: the first at 0, the last ends with the side, evenly
    between, neighbours sharing a third at least."""
    if cells <= window:
        return [0]
    stride = max(1, window - window // OVERLAP)
    count = -(-(cells - window) // stride) + 1
    return [round(index * (cells - window) / (count - 1)) for index in range(count)]


def weights(window: int) -> Tensor:
    """How much each cell of a window's side counts where windows overlap: 1 at its ends, rising to its middle."""
    position = torch.arange(window, dtype=torch.float32)
    return torch.minimum(position, window - 1 - position) + 1


def slide(images: Tensor, window: int, cell: int, values_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Values of every cell of large pictures.

    Args:
        images: (B, 3, H', W'), normalised.
        window: side of a window, pixels, a multiple of `cell`.
        cell: side of a cell, pixels.
        values_of: pictures (B, 3, H", W") -> probabilities (B, M, ceil(H" / cell), ceil(W" / cell)).

    Returns:
        (B, M, ceil(H' / cell), ceil(W' / cell)) probabilities.
    """
    rows, columns = (-(-side // cell) for side in images.shape[2:])
    side = max(1, window // cell)
    total, weight = None, torch.zeros(rows, columns, device=images.device)
    for top in starts(rows, side):
        for left in starts(columns, side):
            part = images[:, :, top * cell : (top + side) * cell, left * cell : (left + side) * cell]
            found = values_of(part)
            height, width = found.shape[2:]
            blend = (weights(height)[:, None] * weights(width)).to(found.device)
            if total is None:
                total = found.new_zeros(*found.shape[:2], rows, columns)
                weight = weight.to(found.device)
            total[:, :, top : top + height, left : left + width] += found * blend
            weight[top : top + height, left : left + width] += blend
    assert total is not None  # there is always a window
    return total / weight
