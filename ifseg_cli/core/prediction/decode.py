"""The one function that opens pictures, in the whole program: photographs come out as upright 8-bit RGB.

Choices:
- The orientation written by cameras (EXIF, all eight) is applied, so masks lie on what people see.
- What is transparent is laid on white. Of an animation, the first frame counts.
- Deeper grey is scaled by the range of its type, never clipped: 16 bits by 1/257. Modes without a range of their own
  (32-bit integers, floats) are taken as 0..1, 0..255 or 0..65535, whichever holds all values, and stretched otherwise.
- Colour profiles are not applied (neither did the published program).
- Formats whose reader starts another program (EPS, WMF) are refused; too many pixels are refused before decoding.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.prediction.settings import MAX_PIXELS

Pixels = NDArray[np.uint8]

_REFUSED = {"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"}  # run programs, or are stubs without a reader
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def readable_formats() -> tuple[str, ...]:
    """Names (Pillow's) of the formats that are read."""
    Image.init()
    return tuple(name for name in Image.OPEN if name not in _REFUSED)


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
    name = "the picture" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read(Path(source))
    if not data:
        raise ImageError(f"{name} is empty (0 bytes)", "a picture")
    with _quiet_pillow():
        return _decode(data, name, max_pixels)


def upright_rgb(image: Image.Image) -> Pixels:
    """An open picture of any mode as (H, W, 3) uint8 RGB, upright.

    Raises:
        ImageError: its mode has no way to RGB.
    """
    image.load()  # before the orientation is asked for: some readers apply it by themselves, some find it at the end
    turn = _UPRIGHT.get(_orientation(image))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = Image.fromarray(_to_8_bits(image))
    elif image.has_transparency_data:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured)
    elif image.mode == "LAB":
        image = _lab_to_rgb(image)
    image = image.convert("RGB")
    return np.array(image if turn is None else image.transpose(turn))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror or error}") from error


def _decode(data: bytes, name: str, max_pixels: int) -> Pixels:
    try:
        with Image.open(io.BytesIO(data), formats=readable_formats()) as image:
            _require_size(image, name, max_pixels)
            return upright_rgb(image)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is no picture that can be read", "JPEG, PNG, WebP, TIFF, BMP or GIF") from error
    except Exception as error:  # damaged files make Pillow's readers raise almost anything (struct, zlib, IndexError)
        raise ImageError(f"{name} is damaged or cut off: {error}") from error


def _require_size(image: Image.Image, name: str, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(f"{name} has {width} x {height} = {width * height:,} pixels", f"at most {max_pixels:,}")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return 1


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


_lock = threading.Lock()
_open_pictures = 0
_before: tuple[int | None, warnings.catch_warnings[None]] | None = None


@contextmanager
def _quiet_pillow() -> Generator[None]:
    """While a picture of ours is open: Pillow's own limit (a global that warns from half of ours on) is off, and what
    it warns of (odd metadata) goes unsaid. What it cannot read is an error in any case.

    Counted, so that threads may decode side by side; the caller's settings come back after the last.
    """
    global _open_pictures, _before
    with _lock:
        if _open_pictures == 0:
            filters = warnings.catch_warnings()
            filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _before, Image.MAX_IMAGE_PIXELS = (Image.MAX_IMAGE_PIXELS, filters), None
        _open_pictures += 1
    try:
        yield
    finally:
        with _lock:
            _open_pictures -= 1
            if _open_pictures == 0 and _before is not None:
                Image.MAX_IMAGE_PIXELS = _before[0]
                _before[1].__exit__(None, None, None)
                _before = None
