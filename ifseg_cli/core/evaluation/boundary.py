"""Which pixels lie near a border: what Boundary IoU is counted on (Cheng et al., CVPR 2021).

A pixel is near a border if within `reach` of it, rows and columns alike, there is a pixel of another class or the end
of the picture: exactly what is left when each class is eroded `reach` times by a 3 x 3 square, as the published
evaluator does, but for all classes at once.
"""

from __future__ import annotations

from math import hypot

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.images.labels import RawIds

REACH = 0.02  # of the picture's diagonal, as published


def reach_of(height: int, width: int) -> int:
    """How far from a border a pixel is near it, in pixels: 2 % of the diagonal, at least 1."""
    return max(1, round(REACH * hypot(height, width)))


def near_border(classes: RawIds, reach: int) -> NDArray[np.bool_]:
    """(H, W) bool: whether another class, or the end of the picture, is within `reach` pixels (chessboard distance).

    Args:
        classes: (H, W) integers.
        reach: at least 1.
    """
    height, width = classes.shape
    # A 2 x 2 block that is not of one class, or hangs over the end of the picture, is a border. A pixel is near one if
    # the square around it holds such a block: `2 reach` blocks a side.
    margin, blocks = reach - 1, 2 * reach
    spread = np.zeros((height + 2 + 2 * margin, width + 1 + 2 * margin), dtype=np.bool_)  # a row more, to run over into
    borders = spread[margin : margin + height + 1, margin : margin + width + 1]
    borders[0] = borders[-1] = True
    borders[:, 0] = borders[:, -1] = True
    inner = borders[1:-1, 1:-1]
    np.not_equal(classes[1:, 1:], classes[:-1, :-1], out=inner)
    inner |= classes[1:, :-1] != classes[:-1, 1:]
    inner |= classes[1:, 1:] != classes[1:, :-1]
    down = _or_over(spread, blocks)
    across = _or_over(down.reshape(-1), blocks)  # rows end in the margin, so what runs over is cut off below
    return across[: height * spread.shape[1]].reshape(height, -1)[:, :width]


def _or_over(values: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Whether any of `length` values from each place on is True, along the first axis; shorter by `length` - 1."""
    done, spare, other = (
        1,
        np.empty_like(values),
        np.empty_like(values),
    )  # two buffers: new ones cost more than the work
    while done < length:
        step = min(done, length - done)
        values = np.logical_or(values[step:], values[:-step], out=spare[: len(values) - step])
        spare, other = other, spare
        done += step
    return values
