"""The published resize: aspect kept, OpenCV's bilinear on bytes, reproduced to the bit.

OpenCV interpolates bytes in fixed point: weights of 11 bits, the rows' sums cut by 4 and the products by 16 bits before
they are rounded. No antialiasing: far below half size (very large photographs) it skips pixels and can alias. It is
kept all the same, because the published numbers were made with it and every picture should be seen alike.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ifseg_cli.core.images.decode import Pixels

_ONE = 2048  # 1.0 in OpenCV's fixed point (11 bits)


def target_size(height: int, width: int, short_side: int, long_side: int) -> tuple[int, int]:
    """The size (height, width) a picture is brought to, at least 1 x 1.

    The largest of its aspect whose short side is at most `short_side` and long side at most `long_side`, all in pixels
    (mmcv's `rescale_size`).
    """
    factor = min(long_side / max(height, width), short_side / min(height, width))
    return max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5))


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """`cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR)` without OpenCV, equal to the bit.

    Args:
        pixels: (H, W, C) uint8.
        size: height and width wanted.

    Returns:
        (*size, C) uint8.
    """
    height, width = pixels.shape[:2]
    if size == (height, width):
        return pixels.copy()
    top, fraction_down = _positions(height, size[0])
    left, fraction_right = _positions(width, size[1])
    outside = (left < 0) | (left >= width - 1)  # columns outside lose their fraction; rows keep theirs
    fraction_right = np.where(outside, np.float32(0), fraction_right)
    left, right = np.clip(left, 0, width - 1), np.clip(left + 1, 0, width - 1)
    across = _weights(fraction_right)[:, :, None]  # (2, W', 1)
    down = _weights(fraction_down)[:, :, None, None]  # (2, H', 1, 1)

    def row_sums(rows: NDArray[np.int64]) -> NDArray[np.int32]:  # (H', W', C), 19 bits
        taken = pixels[np.clip(rows, 0, height - 1)]
        return taken[:, left] * across[0] + taken[:, right] * across[1]

    total = ((down[0] * (row_sums(top) >> 4)) >> 16) + ((down[1] * (row_sums(top + 1) >> 4)) >> 16)
    return ((total + 2) >> 2).astype(np.uint8)


def normalise(pixels: Pixels, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """(H, W, 3) uint8 to the model's input (1, 3, H, W) float32: `(pixels / 255 - mean) / std` per channel."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
    shape = (1, 3, 1, 1)
    return (images - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)


def _positions(length: int, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each of `wanted` half-pixel centres: the cell before it (-1 and up) and the fraction beyond, in float32."""
    scale = 1.0 / (wanted / length)  # as OpenCV computes it, in double
    position = ((np.arange(wanted) + 0.5) * scale - 0.5).astype(np.float32)
    before = np.floor(position)
    return before.astype(np.int64), position - before


def _weights(fraction: NDArray[np.float32]) -> NDArray[np.int32]:
    """(2, n): weights of the cell before and the cell after, of 11 bits, each rounded on its own."""
    return np.stack([np.rint((1 - fraction) * _ONE), np.rint(fraction * _ONE)]).astype(np.int32)
