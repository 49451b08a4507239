"""The one function that opens pictures, photographs and label maps alike: any file -> an open picture, or one line.

- Only regular files are opened: a FIFO or a device would never end.
- Formats whose reader starts another program (EPS, WMF), and stubs without a reader, are refused.
- Too many pixels are refused before they are decoded.
- Whatever Pillow raises on damaged files, while opening or while the caller reads, becomes an `ImageError`.
"""

from __future__ import annotations

import io
import stat
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO

from PIL import Image, ImageFile, UnidentifiedImageError

from ifseg_cli.core.errors import ImageError

MAX_PIXELS = 179_000_000  # Pillow's own limit against decompression bombs, rounded
ORIENTATION = 0x0112  # EXIF
_REFUSED = {"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"}  # run programs, or are stubs without a reader


HEIF_SUFFIXES = (".heic", ".heif", ".hif")
HEIF_PLUGIN = "pillow-heif"  # reads them where it is installed


@cache
def _readers() -> None:
    """Load Pillow's readers, and the plugin for HEIC where it is installed."""
    Image.init()
    with suppress(ImportError):
        import pillow_heif  # pyright: ignore[reportMissingImports]

        pillow_heif.register_heif_opener()


def readable_formats() -> tuple[str, ...]:
    """Names (Pillow's) of the formats that are read."""
    _readers()
    return tuple(name for name in Image.OPEN if name not in _REFUSED)


@cache
def picture_suffixes() -> frozenset[str]:
    """Lower-case suffixes, with dot, of the formats that are read."""
    formats = set(readable_formats())
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in formats)


@contextmanager
def open_picture(source: Path | bytes, name: str, max_pixels: int = MAX_PIXELS) -> Generator[Image.Image]:
    """Open a picture; its header has been read, its pixels not yet.

    Args:
        source: a path, or the file's bytes.
        name: what errors call it.
        max_pixels: pictures with more are refused.

    Raises:
        ImageError: not there, empty, no picture, damaged (also when the caller finds out), or too large.
    """
    with _quiet_pillow():
        try:
            with _opened(source, name) as file, Image.open(file, formats=readable_formats()) as image:
                _require_size(image, name, max_pixels)
                yield image
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            raise ImageError(f"{name} is no picture that can be read", "JPEG, PNG, WebP, TIFF, BMP or GIF") from error
        except Exception as error:  # damaged files make readers raise almost anything (struct, zlib, IndexError)
            raise ImageError(f"{name} is damaged or cut off: {error}") from error


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return 1


def _opened(source: Path | bytes, name: str) -> IO[bytes]:
    try:
        if isinstance(source, Path) and not stat.S_ISREG(source.stat().st_mode):
            raise ImageError(f"{name} is no regular file", "a picture")
        file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise ImageError(f"cannot read {name}: {error.strerror or error}") from error
    if not file.read(1):
        file.close()
        raise ImageError(f"{name} is empty (0 bytes)", "a picture")
    file.seek(0)
    return file


def _require_size(image: Image.Image, name: str, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(f"{name} has {width} x {height} = {width * height:,} pixels", f"at most {max_pixels:,}")


_truncated_lock = threading.Lock()


@contextmanager
def truncated_pictures() -> Generator[None]:
    """Inside, a picture that is cut off is read as far as it goes. (Pillow's switch is global: one at a time.)"""
    with _truncated_lock:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False


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
