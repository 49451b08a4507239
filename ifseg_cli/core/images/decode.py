"""Photographs: any picture -> upright 8-bit RGB.

Choices:
- The orientation written by cameras (EXIF, all eight) is applied, so masks lie on what people see.
- What is wholly transparent is no part of the picture: it is laid on white, and `hidden` says where. What is partly
  transparent is laid on white. Of an animation or a document of several pages, the first one counts.
- Deeper grey is scaled by the range of its type, never clipped: 16 bits by 1/257. Modes without a range of their own
  (32-bit integers, floats) are taken as 0..1, 0..255 or 0..65535, whichever holds all values, and stretched otherwise.
  Where the values use less than an eighth of that range (thermal cameras, 12 bits in 16) they are stretched between
  their 0.5th and 99.5th percentile: as they are they would be one flat grey.
- Colour profiles are not applied (neither did the published program).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.images.opening import MAX_PIXELS, open_picture, orientation, truncated_pictures

Pixels = NDArray[np.uint8]
NARROW = 8  # values that use less than this part of their range are stretched
PERCENTILES = (0.5, 99.5)
STRETCHED, CUT_OFF = "stretched", "cut off"  # notes

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture as it was read.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright.
        hidden: (H, W) booleans, True where the picture is wholly transparent; None where nothing is.
        frames: frames or pages in the file; the first is what `pixels` holds.
        notes: what was done to it that a user should know: `STRETCHED`, `CUT_OFF`.
    """

    pixels: Pixels
    hidden: NDArray[np.bool_] | None = None
    frames: int = 1
    notes: tuple[str, ...] = ()


def read_photograph(
    source: Path | str | bytes, max_pixels: int = MAX_PIXELS, accept_truncated: bool = False
) -> Photograph:
    """Read a picture.

    Args:
        source: a path, or the file's bytes.
        max_pixels: pictures with more are refused before they are decoded.
        accept_truncated: use a picture that is cut off as far as it goes.

    Raises:
        ImageError: not there, empty, no picture, cut off, or too large.
    """
    is_data = isinstance(source, bytes)
    place, name = (source, "the picture") if is_data else (Path(source), str(source))
    try:
        with open_picture(place, name, max_pixels) as image:
            return photograph(image)
    except ImageError:
        if not accept_truncated:
            raise
    with truncated_pictures(), open_picture(place, name, max_pixels) as image:
        found = photograph(image)
        return Photograph(found.pixels, found.hidden, found.frames, (*found.notes, CUT_OFF))


def decode(source: Path | str | bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """The pixels of `read_photograph` alone: (H, W, 3) uint8 RGB, upright."""
    return read_photograph(source, max_pixels).pixels


def photograph(image: Image.Image) -> Photograph:
    """An open picture of any mode, upright.

    Raises:
        ImageError: its mode has no way to RGB.
    """
    image.load()  # before the orientation is asked for: some readers apply it by themselves, some find it at the end
    turn, frames = _UPRIGHT.get(orientation(image)), int(getattr(image, "n_frames", 1))
    hidden: Image.Image | None = None
    notes: tuple[str, ...] = ()
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey, stretched = _to_8_bits(image)
        image, notes = Image.fromarray(grey), (STRETCHED,) if stretched else ()
    elif image.has_transparency_data:
        coloured = image.convert("RGBA")
        hidden = coloured.getchannel("A").point([255] + [0] * 255)
        image = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured)
    elif image.mode == "LAB":
        image = _lab_to_rgb(image)
    pixels = np.array(_turned(image.convert("RGB"), turn))
    seen_through = None if hidden is None else np.array(_turned(hidden, turn)) > 0
    return Photograph(pixels, seen_through if seen_through is not None and seen_through.any() else None, frames, notes)


def _turned(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return image if turn is None else image.transpose(turn)


def _to_8_bits(image: Image.Image) -> tuple[Pixels, bool]:
    """Grey of 16 or 32 bits to 8, by the range that holds all values; and whether a narrow part of it was stretched."""
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16") or image.format == "PNG":  # older Pillow gives 16-bit PNG as "I"
        low, high = 0.0, 65535.0
    elif low >= 0 and high <= 65535:
        ranges = (255.0, 65535.0) if image.mode == "I" else (1.0, 255.0, 65535.0)
        low, high = 0.0, next(each for each in ranges if high <= each)
    least, most = (float(each) for each in np.percentile(values, PERCENTILES))
    stretched = 0 < most - least < (high - low) / NARROW
    if stretched:
        low, high = least, most
    span = high - low or 1.0
    return np.rint((values - low).clip(0, span) * (255.0 / span)).astype(np.uint8), stretched


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ImageError("a picture in LAB colours cannot be converted", "RGB or grey")
    return converted
