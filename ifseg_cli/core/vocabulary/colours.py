"""Colours of categories: the user's and the shipped lists' own first, then what things usually look like (sky blue,
grass green: `usual_colours.json`), the rest from one endless palette.

The palette opens with six colours of Okabe and Ito that colour-blind people tell apart, and goes on with the R3
low-discrepancy sequence (Roberts, 2018) in hue, lightness and saturation, all of middling lightness, so that a patch
stands out from a dark ground and from a light one. Colour i is the same for any number of categories. A cell of a
grid over RGB is used once, its side shrinking as more colours are asked for: close colours come last.

Shipped palettes repeat colours (COCO-Stuff eight of them): as data they stay, but what is shown is distinct, or the
legend could not be read; the first category keeps the colour, the others get a new one.
"""

from __future__ import annotations

import colorsys
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from ifseg_cli.core.images.colour import RGB, parse_colour
from ifseg_cli.core.vocabulary.category import Category

OKABE_ITO: tuple[RGB, ...] = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (213, 94, 0),  # vermillion
    (0, 114, 178),  # blue
    (204, 121, 167),  # reddish purple
)
R3 = (0.8191725133961645, 0.6710436067037893, 0.5497004779019703)  # powers of 1 / 1.2207440846
TRIES = 64  # candidates looked at before the grid is made finer


def palette(count: int) -> tuple[RGB, ...]:
    """The first `count` colours, all different."""
    return resolve_colours([None] * count)


def shown_colours(categories: Sequence[Category]) -> tuple[RGB, ...]:
    """The colour each category is shown in, all different: its own, or its meaning's, or one of the palette."""
    own = {each.colour for each in categories}
    usual = (_usual().get(each.name.lower()) for each in categories)
    free = (None if colour in own else colour for colour in usual)
    return resolve_colours([each.colour or colour for each, colour in zip(categories, free, strict=True)])


@cache
def _usual() -> dict[str, RGB]:
    written = json.loads(Path(__file__).with_name("usual_colours.json").read_text(encoding="utf-8"))
    colours = {name: parse_colour(text) for name, text in written.items()}
    return {name: colour for name, colour in colours.items() if colour is not None}


def resolve_colours(wanted: Sequence[RGB | None]) -> tuple[RGB, ...]:
    """One colour a category, all different.

    Args:
        wanted: each category's own colour, None where it has none. Of equal ones the first is kept.
    """
    first = {colour: index for index, colour in reversed(list(enumerate(wanted))) if colour is not None}
    taken = _Taken(first)
    fresh = _candidates()
    chosen: list[RGB] = []
    for index, colour in enumerate(wanted):
        keep = colour is not None and first[colour] == index
        chosen.append(colour if keep and colour is not None else taken.choose(fresh))
    return tuple(chosen)


class _Taken:
    """The colours in use, exactly and by cells of a grid."""

    def __init__(self, colours: dict[RGB, int]) -> None:
        self.colours = set(colours)
        self.side = 48
        self.cells = {self._cell(colour) for colour in colours}

    def _cell(self, colour: RGB) -> RGB:
        red, green, blue = colour
        return red // self.side, green // self.side, blue // self.side

    def choose(self, candidates: Iterator[RGB]) -> RGB:
        """The next candidate in an empty cell, on a finer grid after every 64 in vain."""
        for at, colour in enumerate(candidates, start=1):
            if colour not in self.colours and self._cell(colour) not in self.cells:
                self.colours.add(colour)
                self.cells.add(self._cell(colour))
                return colour
            if at % TRIES == 0 and self.side > 1:
                self.side = max(1, self.side * 3 // 4)
                self.cells = {self._cell(used) for used in self.colours}
        raise AssertionError("the palette is endless")  # pragma: no cover


def _candidates() -> Iterator[RGB]:
    """Endless, deterministic, of middling lightness."""
    yield from OKABE_ITO
    hue = lightness = saturation = 0.5
    while True:
        hue, lightness, saturation = ((x + step) % 1 for x, step in zip((hue, lightness, saturation), R3, strict=True))
        red, green, blue = colorsys.hls_to_rgb(hue, 0.33 + 0.37 * lightness, 0.4 + 0.6 * saturation)
        yield round(red * 255), round(green * 255), round(blue * 255)
