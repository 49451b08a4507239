"""A contact sheet: artificial images as coloured tiles, captioned, over a legend of numbered names.

A tile shows the target. Where a region has room for it the category's number stands in it, so that the sheet can be
read without telling colours apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ifseg_cli.core.images import lettering
from ifseg_cli.core.images.components import components
from ifseg_cli.core.synthesis.draws import ArtificialImage
from ifseg_cli.core.synthesis.nearest import IntMap

RGB = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

TILE, GAP, MARGIN, LINE = 192, 12, 20, 20  # pixels: a tile's side, between tiles, around the page, a line of text
MAX_TILES, MAX_COLUMNS = 64, 8
DIGIT_HEIGHT, DIGIT_WIDTH = 11, 7  # pixels, of the number in a region
LETTERS = 13  # pixels, in the legend
MAX_NAME = 28  # characters of a name in the legend
PAPER, INK, FAINT = (255, 255, 255), (20, 20, 20), (110, 110, 110)


def contact_sheet(
    images: Sequence[ArtificialImage], names: Sequence[str], colours: Sequence[RGB], grid: int, title: str
) -> Image.Image:
    """Draw images and legend on one page.

    Args:
        images: at least one; the first 64 are drawn.
        names: of the M categories.
        colours: RGB, 0..255, one a category.
        grid: cells a side of the model's grid.
        title: one line for the top.

    Returns:
        An RGB picture.
    """
    shown = images[:MAX_TILES]
    columns = min(MAX_COLUMNS, max(4, math.ceil(math.sqrt(len(shown)))))
    rows = math.ceil(len(shown) / columns)
    width = 2 * MARGIN + columns * (TILE + GAP) - GAP
    top = MARGIN + 2 * LINE
    legend = Legend(names, width - 2 * MARGIN)
    bottom = top + rows * (TILE + LINE + GAP)
    page = Image.new("RGB", (width, bottom + LINE + legend.rows * LINE + MARGIN), PAPER)
    draw = ImageDraw.Draw(page)
    lettering.write(page, (MARGIN, MARGIN + LINE // 2), title, 16, INK)
    palette = np.array(colours, dtype=np.uint8)
    for index, image in enumerate(shown):
        x = MARGIN + index % columns * (TILE + GAP)
        y = top + index // columns * (TILE + LINE + GAP)
        page.paste(tile(image, palette, grid), (x, y))
        draw.text((x, y + TILE + 3), f"{index}: {image.sides[0]} x {image.sides[1]}", FAINT, _font(12))
    legend.draw(page, bottom + LINE, colours)
    return page


def tile(image: ArtificialImage, palette: NDArray[np.uint8], grid: int) -> Image.Image:
    """One image in colours (M, 3), TILE x TILE pixels, large regions numbered."""
    made = Image.fromarray(palette[image.target(TILE)])
    draw = ImageDraw.Draw(made)
    cells = image.cells(grid)
    for row, column in _label_places(cells):
        category = int(cells[row, column])
        red, green, blue = (int(value) for value in palette[category])
        ink = (0, 0, 0) if 299 * red + 587 * green + 114 * blue > 140_000 else (255, 255, 255)
        at = ((column + 0.5) * TILE / grid, (row + 0.5) * TILE / grid)
        draw.text(at, str(category), ink, _font(12), anchor="mm")
    return made


def _label_places(cells: IntMap) -> list[tuple[int, int]]:
    """For each region that can hold its number, the cell for it nearest to its centre of mass: (row, column)."""
    regions = components(cells)
    grid = len(cells)
    places: list[tuple[int, int]] = []
    for region in range(int(regions.max()) + 1):
        inside = np.argwhere(regions == region)
        digits = len(str(cells[tuple(inside[0])]))
        tall, wide = (_half(pixels, grid) for pixels in (DIGIT_HEIGHT, DIGIT_WIDTH * digits + 2))
        if len(inside) < (2 * tall + 1) * (2 * wide + 1):
            continue
        away = ((inside - inside.mean(axis=0)) ** 2).sum(axis=1)
        for row, column in inside[away.argsort(kind="stable")].tolist():
            top, left = row - tall, column - wide
            box = regions[max(0, top) : row + tall + 1, max(0, left) : column + wide + 1]
            if top >= 0 and left >= 0 and box.shape == (2 * tall + 1, 2 * wide + 1) and (box == region).all():
                places.append((row, column))
                break
    return places


def _half(pixels: int, grid: int) -> int:
    """Cells on either side of the middle one that a text of so many pixels touches."""
    return math.ceil((pixels * grid / TILE - 1) / 2)


class Legend:
    """Numbered names with their colours, in as many columns as fit.

    Args:
        names: of all categories.
        width: pixels that there are.
        shown: numbers of the categories that are listed; None: all.
    """

    def __init__(self, names: Sequence[str], width: int, shown: Sequence[int] | None = None) -> None:
        written = lettering.drawable(names, range(len(names)))
        self.shown = range(len(names)) if shown is None else shown
        self.entries = [f"{index}  {_short(written[index])}" for index in self.shown]
        widest = max(lettering.width(entry, LETTERS) for entry in self.entries)
        self.column = math.ceil(widest) + LINE + 2 * GAP
        self.rows = math.ceil(len(self.shown) / max(1, width // self.column))

    def draw(self, page: Image.Image, top: int, colours: Sequence[RGB]) -> None:
        """Column by column from `top` down."""
        draw = ImageDraw.Draw(page)
        for place, (index, entry) in enumerate(zip(self.shown, self.entries, strict=True)):
            x, y = MARGIN + place // self.rows * self.column, top + place % self.rows * LINE
            draw.rectangle((x, y + 2, x + 14, y + 16), fill=colours[index], outline=FAINT)
            lettering.write(page, (x + LINE + 2, y + LINE // 2), entry, LETTERS, INK)


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"


@lru_cache
def _font(size: int) -> Font:
    """Pillow's own font: the same page on every machine."""
    return ImageFont.load_default(size)
