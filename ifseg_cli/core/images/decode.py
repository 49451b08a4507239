"""Photographs: any picture -> upright 8-bit RGB.

Choices:
- The orientation written by cameras (EXIF, all eight) is applied, so masks lie on what people see.
- What is transparent is laid on white. Of an animation, the first frame counts.
- Deeper grey is scaled by the range of its type, never clipped: 16 bits by 1/257. Modes without a range of their own
  (32-bit integers, floats) are taken as 0..1, 0..255 or 0..65535, whichever holds all values, and stretched otherwise.
- Colour profiles are not applied (neither did the published program).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.images.opening import MAX_PIXELS, open_picture, orientation

Pixels = NDArray[np.uint8]

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(source: Path | str | bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Read a picture.

    Args:
        source: a path, or the file's bytes.
        max_pixels: pictures with more are refused before they are decoded.

    Returns:
        (H, W, 3) uint8 RGB, upright.

    Raises:
        ImageError: not there, empty, no picture, cut off, or too large.
    """
    is_data = isinstance(source, bytes)
    with open_picture(
        source if is_data else Path(source), "the picture" if is_data else str(source), max_pixels
    ) as image:
        return upright_rgb(image)


def upright_rgb(image: Image.Image) -> Pixels:
    """An open picture of any mode as (H, W, 3) uint8 RGB, upright.

    Raises:
        ImageError: its mode has no way to RGB.
    """
    image.load()  # before the orientation is asked for: some readers apply it by themselves, some find it at the end
    turn = _UPRIGHT.get(orientation(image))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = Image.fromarray(_to_8_bits(image))
    elif image.has_transparency_data:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured)
    elif image.mode == "LAB":
        image = _lab_to_rgb(image)
    image = image.convert("RGB")
    return np.array(image if turn is None else image.transpose(turn))


def _to_8_bits(image: Image.Image) -> Pixels:
    """Grey of 16 or 32 bits to 8, by the range that holds all values."""
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16") or image.format == "PNG":  # older Pillow gives 16-bit PNG as "I"
        low, high = 0.0, 65535.0
    elif low >= 0 and high <= 65535:
        ranges = (255.0, 65535.0) if image.mode == "I" else (1.0, 255.0, 65535.0)
        low, high = 0.0, next(each for each in ranges if high <= each)
    span = high - low or 1.0
    return np.rint((values - low) * (255.0 / span)).astype(np.uint8)


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ImageError("a picture in LAB colours cannot be converted", "RGB or grey")
    return converted
