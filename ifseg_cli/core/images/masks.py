"""Masks as they are written: what stands in the PNG, and how much of each category there is.

Mode P with the categories' colours as palette where all values fit a byte (ignore is 255), 16-bit grey otherwise
(ignore is 65535). The values are the user's raw ids where the category file gives them, else 0, 1, 2, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.images.colour import RGB
from ifseg_cli.core.images.decode import Pixels

IGNORED = -1  # label of a pixel that no category has
T = TypeVar("T", np.uint8, np.uint16)
IGNORED_COLOUR: RGB = (0, 0, 0)
_STRIP_PIXELS = 1 << 22  # numpy widens what it counts and looks up to 64 bits: done in strips of rows


def count_labels(labels: NDArray[np.int16], categories: int) -> tuple[tuple[int, ...], int]:
    """Pixels of each category, and pixels ignored, of an (H, W) label map."""
    counts = np.zeros(categories + 1, dtype=np.int64)
    for rows in _strips(labels):
        counts += np.bincount(labels[rows].ravel() - IGNORED, minlength=categories + 1)
    return tuple(counts[1:].tolist()), int(counts[0])


def mask_image(
    labels: NDArray[np.int16], mask_values: Sequence[int], colours: Sequence[RGB], ignore_value: int
) -> Image.Image:
    """The mask of an (H, W) label map: mode P, or I;16 where `ignore_value` needs it."""
    values = [ignore_value, *mask_values]
    if ignore_value > 255:
        return Image.fromarray(look_up(labels, np.array(values, dtype=np.uint16)))
    image = Image.fromarray(look_up(labels, np.array(values, dtype=np.uint8)))
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[list(mask_values)] = colours
    palette[ignore_value] = IGNORED_COLOUR
    image.putpalette(palette.tobytes())
    return image


def colour_labels(labels: NDArray[np.int16], colours: Sequence[RGB]) -> Pixels:
    """(H, W) labels as (H, W, 3) colours; ignored pixels are black."""
    return look_up(labels, np.array([IGNORED_COLOUR, *colours], dtype=np.uint8))


def look_up(labels: NDArray[np.int16], table: NDArray[T]) -> NDArray[T]:
    """`table[labels + 1]`: entry 0 is for ignored pixels. (H, W) labels give (H, W, ...)."""
    values = np.empty((*labels.shape, *table.shape[1:]), dtype=table.dtype)
    for rows in _strips(labels):
        values[rows] = table[labels[rows] - IGNORED]
    return values


def _strips(labels: NDArray[np.int16]) -> Iterator[slice]:
    height, width = labels.shape
    step = max(1, _STRIP_PIXELS // width)
    return (slice(top, top + step) for top in range(0, height, step))
