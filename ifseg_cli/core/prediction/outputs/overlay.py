"""Pictures to look at: the photograph under its categories' colours, names on the regions, a legend beside it.

An overlay is for eyes, so its size suits them: small photographs are enlarged, large ones reduced. Colour is never the
only sign: regions are outlined, large ones carry their name, and the legend gives names with shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ifseg_cli.core.images import lettering
from ifseg_cli.core.images.colour import RGB
from ifseg_cli.core.images.decode import Pixels
from ifseg_cli.core.images.masks import IGNORED, colour_labels, count_labels
from ifseg_cli.core.pages.environment import share_text

T = TypeVar("T", np.int16, np.float32)
_STRENGTH = 0.55  # of colour over photograph
_LONG_SIDE = (640, 1600)  # pixels an overlay's photograph is brought between
_TEXT, _LINE, _MARGIN = 16, 26, 16  # legend: height of letters, of a line, space around, pixels
_LONGEST_NAME = 32  # characters; longer ones are cut
_NAMED_FROM = 0.02  # regions of categories with at least this share carry the name
_INK, _FAINT, _PAPER, _WHITE = (28, 28, 30), (110, 110, 115), (250, 250, 248), (255, 255, 255)


def overlay_with_legend(
    pixels: Pixels, labels: NDArray[np.int16], names: Sequence[str], colours: Sequence[RGB]
) -> Image.Image:
    """The overlay as it is written beside a mask.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        labels: (H, W) int16 category indices, -1 where ignored.
        names: one a category.
        colours: one a category.

    Returns:
        An RGB picture; the legend stands at the right, or below a wide photograph, with only the categories present.
    """
    picture = blend(pixels, labels, colours, _LONG_SIDE)
    _write_names(picture, labels, names)
    return _put_together(picture, _draw_legend(_legend_entries(labels, names, colours), picture.size))


def blend(pixels: Pixels, labels: NDArray[np.int16], colours: Sequence[RGB], long_side: tuple[int, int]) -> Image.Image:
    """Photograph and colours mixed, regions outlined, the long side brought between two lengths in pixels."""
    size = display_size(labels.shape[1], labels.shape[0], long_side)
    photograph = np.asarray(shrink(pixels, size), dtype=np.float32)
    seen = nearest(labels, size)
    strength = np.where(seen == IGNORED, 0, _STRENGTH).astype(np.float32)[..., None]
    mixed = photograph * (1 - strength) + colour_labels(seen, colours) * strength
    mixed[_outlines(seen)] = 255
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def shrink(pixels: Pixels, size: tuple[int, int]) -> Image.Image:
    """(H, W, 3) pixels at another size (width, height), smoothly."""
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def display_size(width: int, height: int, long_side: tuple[int, int]) -> tuple[int, int]:
    """Width and height with the long side brought between two lengths in pixels, aspect kept."""
    longest = max(width, height)
    factor = min(max(longest, long_side[0]), long_side[1]) / longest
    return max(1, round(width * factor)), max(1, round(height * factor))


def nearest(labels: NDArray[T], size: tuple[int, int]) -> NDArray[T]:
    """Labels (or other values) at another size (width, height), each from the pixel under its centre."""
    rows = (np.arange(size[1]) + 0.5) * labels.shape[0] / size[1]
    columns = (np.arange(size[0]) + 0.5) * labels.shape[1] / size[0]
    return labels[rows.astype(np.int64)[:, None], columns.astype(np.int64)]


def _outlines(labels: NDArray[np.int16]) -> NDArray[np.bool_]:
    """True on the upper or left side of every border between regions."""
    edge = np.zeros(labels.shape, dtype=np.bool_)
    edge[:-1] |= labels[:-1] != labels[1:]
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return edge


def _legend_entries(
    labels: NDArray[np.int16], names: Sequence[str], colours: Sequence[RGB]
) -> list[tuple[str, str, RGB | None]]:
    """(name, share, colour) of what is present, largest first; `ignored` at the end without a colour."""
    counts, ignored = count_labels(labels, len(names))
    present = sorted((i for i, count in enumerate(counts) if count), key=lambda i: -counts[i])
    entries: list[tuple[str, str, RGB | None]] = [
        (_short(names[i]), share_text(counts[i] / labels.size), colours[i]) for i in present
    ]
    return entries + ([("ignored", share_text(ignored / labels.size), None)] if ignored else [])


def _draw_legend(entries: list[tuple[str, str, RGB | None]], picture: tuple[int, int]) -> Image.Image:
    """The legend in as many columns as the place beside (or below) the picture asks for."""
    width, height = picture
    name_width = int(max(lettering.width(name, _TEXT) for name, _, _ in entries)) + 1
    column = _LINE + name_width + 12 + int(lettering.width("100.0 %", _TEXT)) + 2 * _MARGIN
    if _is_wide(picture):
        columns = max(1, width // column)
    else:
        columns = ceil(len(entries) * _LINE / max(height - 2 * _MARGIN, 320))
    rows = ceil(len(entries) / columns)
    legend = Image.new("RGB", (column * min(columns, len(entries)), rows * _LINE + 2 * _MARGIN), _PAPER)
    draw = ImageDraw.Draw(legend)
    for i, (name, share, colour) in enumerate(entries):
        left, top = (i // rows) * column + _MARGIN, (i % rows) * _LINE + _MARGIN
        middle = top + _LINE // 2
        draw.rectangle((left, top + 5, left + 16, top + 21), fill=colour, outline=_FAINT)
        lettering.write(legend, (left + _LINE, middle), name, _TEXT, _INK)
        lettering.write(legend, (left + column - 2 * _MARGIN, middle), share, _TEXT, _FAINT, "rm")
    return legend


def _put_together(picture: Image.Image, legend: Image.Image) -> Image.Image:
    if _is_wide(picture.size):
        size = (max(picture.width, legend.width), picture.height + legend.height)
        corner = (0, picture.height)
    else:
        size = (picture.width + legend.width, max(picture.height, legend.height))
        corner = (picture.width, 0)
    canvas = Image.new("RGB", size, _PAPER)
    canvas.paste(picture, (0, 0))
    canvas.paste(legend, corner)
    return canvas


def _is_wide(size: tuple[int, int]) -> bool:
    return size[0] > 1.6 * size[1]


def _write_names(picture: Image.Image, labels: NDArray[np.int16], names: Sequence[str]) -> None:
    """Put the name of every large category on the innermost place of its largest region."""
    small = nearest(labels, display_size(labels.shape[1], labels.shape[0], (96, 96)))
    letters = max(14, min(picture.size) // 28)
    for i, count in enumerate(count_labels(small, len(names))[0]):
        if count < _NAMED_FROM * small.size:
            continue
        row, column = _innermost(small == i)
        x = (column + 0.5) * picture.width / small.shape[1]
        y = (row + 0.5) * picture.height / small.shape[0]
        half = lettering.width(_short(names[i]), letters) / 2 + 4
        x = min(max(x, half), max(half, picture.width - half))
        lettering.write(picture, (x, y), _short(names[i]), letters, _WHITE, "mm", (3, _INK))


def _innermost(region: NDArray[np.bool_]) -> tuple[int, int]:
    """The cell (row, column) of a region that survives erosion longest; the picture's border counts as outside."""
    while True:
        padded = np.pad(region, 1)
        eroded = region & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        if not eroded.any():
            left = np.argwhere(region)
            middle = left[np.argmin(((left - left.mean(axis=0)) ** 2).sum(axis=1))]
            return int(middle[0]), int(middle[1])
        region = eroded


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."
