"""Looks side by side as a picture: what was drawn, and how it was read after more and more steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ifseg_cli.core.adaptation.looking import Look
from ifseg_cli.core.images import lettering
from ifseg_cli.core.synthesis.nearest import IntMap
from ifseg_cli.core.synthesis.sheet import GAP, INK, LINE, MARGIN, PAPER, RGB, Legend

SIDE = 128  # pixels of a tile
ROWS = 3  # images
COLUMNS = 6  # looks: the first, and the latest


def film(drawn: Sequence[IntMap], looks: Sequence[Look], names: Sequence[str], colours: Sequence[RGB]) -> Image.Image:
    """Draw a row an image, a column a look, over a legend of the categories that are to be seen.

    Args:
        drawn: (h, w) category of each cell, an image each.
        looks: at least one.
        names: of the M categories.
        colours: RGB, one a category.
    """
    shown = [*looks[:1], *looks[1:][-(COLUMNS - 1) :]]
    columns = [("drawn", drawn), *((f"step {look.step}: {look.accuracy:.1%}", look.read) for look in shown)]
    images = min(ROWS, len(drawn))
    width = 2 * MARGIN + (1 + COLUMNS) * (SIDE + GAP) - GAP
    seen = np.unique(np.concatenate([np.asarray(maps[row]).ravel() for _, maps in columns for row in range(images)]))
    legend = Legend(names, width - 2 * MARGIN, seen.tolist())
    bottom = MARGIN + LINE + images * (SIDE + GAP)
    page = Image.new("RGB", (width, bottom + legend.rows * LINE + MARGIN), PAPER)
    palette = np.array(colours, dtype=np.uint8)
    for place, (caption, maps) in enumerate(columns):
        x = MARGIN + place * (SIDE + GAP)
        lettering.write(page, (x, MARGIN + LINE // 2 - 4), caption, 13, INK)
        for row in range(images):
            tile = Image.fromarray(palette[np.asarray(maps[row])]).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            page.paste(tile, (x, MARGIN + LINE + row * (SIDE + GAP)))
    legend.draw(page, bottom, colours)
    return page
