"""Label maps as they lie on disk: numbers, never colours.

- A palette picture is read as its indices; converting it to RGB or grey would lose the ids.
- Grey PNGs of 2 and 4 bits are spread over 0..255 by Pillow; that is taken back.
- Pictures whose pixels are colours, and JPEGs (which change ids), are refused.
- The EXIF orientation is obeyed, as everywhere in this program.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.images.opening import open_picture, orientation

RawIds = NDArray[np.integer[Any]]  # (H, W) uint8 or uint16

_INDEX_MODES = ("P", "L", "1", "I", "I;16", "I;16B", "I;16L")
_SPREAD = {2: 85, 4: 17}  # factor by which Pillow spreads grey values of so many bits


def read_label_map(path: Path) -> RawIds:
    """The raw ids of a label or mask file.

    Returns:
        (H, W) uint8, or uint16 for files of 16 bits.

    Raises:
        ImageError: missing, unreadable, colours instead of ids, JPEG, or values outside 0..65535.
    """
    with open_picture(path, str(path)) as image:
        if image.format == "JPEG":
            raise ImageError(f"{path} is a JPEG, which changes ids", "PNG", "export the labels as PNG again")
        if image.mode not in _INDEX_MODES:
            raise ImageError(
                f"{path} holds colours ({image.mode})", "one id per pixel (palette or grey PNG)", _colour_remedy(image)
            )
        spread = _SPREAD.get(_grey_bits(path), 1) if image.mode == "L" and image.format == "PNG" else 1
        values = np.asarray(ImageOps.exif_transpose(image))
    if values.dtype == np.bool_:
        return values.astype(np.uint8)
    if values.dtype == np.uint8:
        return values // np.uint8(spread)
    if values.size and (values.min() < 0 or values.max() > 0xFFFF):
        raise ImageError(f"{path} holds values from {values.min()} to {values.max()}", "ids from 0 to 65535")
    return values.astype(np.uint16)


def upright_size(path: Path) -> tuple[int, int]:
    """(height, width) of a picture as it is seen, EXIF orientation obeyed; reads the header only.

    Raises:
        ImageError: missing or unreadable.
    """
    with open_picture(path, str(path)) as image:
        turned = orientation(image) in (5, 6, 7, 8)
        return (image.width, image.height) if turned else (image.height, image.width)


def _grey_bits(path: Path) -> int:
    """Bits per pixel that a PNG's header names (byte 24), 0 if it is no plain grey."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[24] if len(header) == 26 and header[25] == 0 else 0


def _colour_remedy(image: Image.Image) -> str:
    """What the colours look like: a grey picture in colour clothes, or a colour-coded label."""
    if image.mode in ("RGB", "RGBA"):
        red, green, blue = (np.asarray(channel) for channel in image.split()[:3])
        if np.array_equal(red, green) and np.array_equal(green, blue):
            return "its three channels are equal: save one of them as a grey PNG"
    return "convert the colours to class ids first"
