"""Grids of categories in the terminal: half blocks where there is colour, letters where there is none.

A half block is two cells, one above the other, so a grid looks as wide as high. In a pipe or under NO_COLOR each
category has a letter (two from 63 categories on), and the legend says which.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.text import Text

RGB = tuple[int, int, int]
Cells = NDArray[np.integer[Any]]

GAP = 2  # spaces between grids
MAX_LEGEND = 60  # entries
_ONE = string.ascii_uppercase + string.ascii_lowercase + string.digits
_SECOND = string.ascii_lowercase + string.digits + "!$%&*+-/=?"


def in_colour(console: Console) -> bool:
    """Whether colours reach the reader."""
    return console.is_terminal and not console.no_color and console.color_system is not None


def symbols(num_categories: int) -> list[str]:
    """One letter or digit a category, two (`Aa`, `Ab`, ...) where there are more than 62; all different to 1,196."""
    if num_categories <= len(_ONE):
        return list(_ONE[:num_categories])
    return [
        string.ascii_uppercase[at // len(_SECOND) % 26] + _SECOND[at % len(_SECOND)] for at in range(num_categories)
    ]


def grids(
    maps: Sequence[Cells],
    captions: Sequence[str],
    names: Sequence[str],
    colours: Sequence[RGB],
    console: Console,
    legend: bool = True,
) -> RenderableType:
    """Some maps side by side, as many of them as fit in the console (one at least), captions above, legend below.

    Args:
        maps: (h, w) category ids each, all of one size. One that is too wide is thinned out, and its caption says so.
        captions: a few words each.
        names: of the M categories.
        colours: RGB, one a category.
        console: where they will be printed.
        legend: signs and names below them.
    """
    colour = in_colour(console)
    marks = symbols(len(names))
    wide = 1 if colour else len(marks[0])
    every = -(-maps[0].shape[1] * wide // console.width)
    thinned = [cells[::every, ::every] for cells in maps]
    column = thinned[0].shape[1] * wide
    shown = thinned[: max(1, (console.width + GAP) // (column + GAP))]
    note = f" (every {every}. cell)" if every > 1 else ""
    blocks = [_half_blocks(cells, colours) if colour else _letters(cells, marks) for cells in shown]
    head = Text((" " * GAP).join(f"{caption}{note}"[:column].ljust(column) for caption in captions[: len(shown)]))
    lines = [Text(" " * GAP).join(parts) for parts in zip(*blocks, strict=True)]
    if not legend:
        return Group(head, *lines)
    present = np.unique(np.concatenate([cells.ravel() for cells in shown]))
    signs = [_swatch(rgb) for rgb in colours] if colour else [Text(mark) for mark in marks]
    return Group(head, *lines, "", _legend([int(category) for category in present], names, signs))


def _half_blocks(cells: Cells, colours: Sequence[RGB]) -> list[Text]:
    lines: list[Text] = []
    for upper in range(0, len(cells), 2):
        line = Text()
        for column in range(cells.shape[1]):
            style = _rgb(colours[int(cells[upper, column])])
            if upper + 1 < len(cells):
                style += f" on {_rgb(colours[int(cells[upper + 1, column])])}"
            line.append("▀", style)
        lines.append(line)
    return lines


def _letters(cells: Cells, marks: Sequence[str]) -> list[Text]:
    return [Text("".join(marks[int(category)] for category in row)) for row in cells]


def _legend(present: Sequence[int], names: Sequence[str], signs: Sequence[Text]) -> RenderableType:
    """Sign and name of the categories that are to be seen, in columns."""
    entries = [Text.assemble(signs[at], " ", names[at]) for at in present[:MAX_LEGEND]]
    left_out = len(present) - len(entries)
    more = [Text(f"... and {left_out} more")] if left_out else []
    return Group(Columns(entries, padding=(0, 2), column_first=True), *more)


def _swatch(colour: RGB) -> Text:
    return Text("██", _rgb(colour))


def _rgb(colour: RGB) -> str:
    return "rgb({},{},{})".format(*colour)
