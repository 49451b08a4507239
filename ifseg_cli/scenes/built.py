"""What is built: walls with windows, doors and curtains, fences, houses.

A wall is a place for things, given in metres along and up, whether it is seen from the front or recedes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ifseg_cli.scenes.canvas import Canvas, Colour, Paint
from ifseg_cli.scenes.movers import paint_colour
from ifseg_cli.scenes.surfaces import Surfaces, banded, lit, plain
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import Point

MATERIALS = {
    "plaster": "wall",
    "brick": "brick wall",
    "stone wall": "stone wall",
    "tiles": "tile",
    "facade": "building",
}
PALES: tuple[Colour, ...] = ((235, 235, 228), (125, 92, 60), (70, 70, 75), (160, 130, 100), (50, 75, 55))


@dataclass(frozen=True)
class Wall:
    """A plane that stands on the ground."""

    length: float  # metres
    scale: float  # pixels a metre at its nearest
    place: Callable[[float, float], Point]  # metres along, metres up -> x, y
    paint: Callable[[str], Paint]  # by texture

    def quad(self, start: float, low: float, end: float, high: float) -> list[Point]:
        """A rectangle on the wall, metres along and up."""
        return [self.place(start, low), self.place(end, low), self.place(end, high), self.place(start, high)]


def front_wall(surfaces: Surfaces, scale: float, start: float, length: float, variant: int = 0) -> Wall:
    """Seen from the front; it begins `start` metres right of the centre."""
    view = surfaces.view
    return Wall(
        length,
        scale,
        lambda along, up: view.at(start + along, scale, up),
        lambda texture: surfaces.front(texture, scale, (1, 1, 1), variant),
    )


def side_wall(surfaces: Surfaces, offset: float, far: float, near: float, variant: int = 0) -> Wall:
    """Running ahead, `offset` metres right of the centre, from scale `far` (0 m along) to scale `near`."""
    view = surfaces.view
    start, end = view.focal / far, view.focal / near
    shadow = surfaces.rng.uniform(0.6, 1.1)
    return Wall(
        start - end,
        near,
        lambda along, up: view.at(offset, view.focal / max(start - along, 1e-3), up),
        lambda texture: lit(
            surfaces.side(texture, offset, (1, 1, 1), variant), lambda x, _: np.full_like(x, np.float32(shadow))
        ),
    )


def window(canvas: Canvas, surfaces: Surfaces, rng: Rng, wall: Wall, along: float, up: float, size: Point) -> None:
    """A frame, glass that shows sky, leaves or the dark, and bars."""
    wide, high = size
    frame = plain(((240, 240, 235), (95, 65, 45), (60, 60, 65), (200, 190, 170))[int(rng.integers(4))])
    border = rng.uniform(0.04, 0.1)
    canvas.fill("window", frame, wall.quad(along, up, along + wide, up + high))
    shown = rng.random()
    glass: Paint
    if shown < 0.35:
        glass = surfaces.sky()
    elif shown < 0.6:
        glass = surfaces.front("foliage", 30)
    else:
        dark = float(rng.uniform(25, 120))
        glass = banded(plain((dark, dark * 1.05, dark * 1.15)), 0.3, 230, 1.0)
    inner = wall.quad(along + border, up + border, along + wide - border, up + high - border)
    canvas.fill("window", glass, inner)
    bar = border * 0.35
    for share in np.linspace(0, 1, int(rng.integers(1, 4)) + 1)[1:-1]:
        at = along + wide * float(share)
        canvas.fill("window", frame, wall.quad(at - bar, up, at + bar, up + high))
    for share in np.linspace(0, 1, int(rng.integers(1, 4)) + 1)[1:-1]:
        at = up + high * float(share)
        canvas.fill("window", frame, wall.quad(along, at - bar, along + wide, at + bar))


def door(canvas: Canvas, rng: Rng, wall: Wall, along: float, size: Point) -> None:
    """A frame, a leaf of wood or paint with panels, and a knob."""
    wide, high = size
    frame = rng.uniform(0.05, 0.12)
    canvas.fill("door", plain(paint_colour(rng)), wall.quad(along - frame, 0, along + wide + frame, high + frame))
    leaf = wall.paint("wood") if rng.random() < 0.5 else plain(paint_colour(rng))
    canvas.fill("door", leaf, wall.quad(along, 0, along + wide, high))
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    inset = 0.12 * wide
    for row in range(rows):
        for column in range(columns):
            left = along + inset + column * (wide - inset) / columns
            low = inset + row * (high - inset) / rows
            right, top = left + (wide - inset) / columns - inset, low + (high - inset) / rows - inset
            canvas.shade(0.72, wall.quad(left, low, right, top))
            canvas.fill("door", leaf, wall.quad(left + 0.025, low + 0.02, right - 0.01, top - 0.035))
    knob = along + wide * (0.07 if rng.random() < 0.5 else 0.89)
    canvas.fill("door", plain((205, 180, 110)), wall.quad(knob, 0.98, knob + 0.05, 1.08))


def curtain(canvas: Canvas, wall: Wall, tint: Colour, along: float, low: float, size: Point) -> None:
    """Cloth that hangs in folds from a rail."""
    wide, high = size
    folds = banded(_dyed(wall.paint("fabric"), tint), 0.25, 0.15 * wall.scale)
    canvas.fill("curtain", folds, wall.quad(along, low, along + wide, low + high))
    canvas.fill(
        "curtain", plain((120, 100, 80)), wall.quad(along - 0.08, low + high, along + wide + 0.08, low + high + 0.05)
    )


def _dyed(paint: Paint, tint: Colour) -> Paint:
    dye = np.asarray(tint, np.float32)
    return lambda x, y: np.clip(paint(x, y) * dye, 0, 255).astype(np.uint8)


def fence(canvas: Canvas, rng: Rng, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Pales and rails between two places on the ground, each (metres right of the centre, scale); 0.8 to 1.9 m high.

    All of it is fence, the gaps included, as data sets of photographs have it.
    """
    view = canvas.view
    high = rng.uniform(0.8, 1.9)
    colour = plain(PALES[int(rng.integers(len(PALES)))])
    length = np.hypot(end[0] - start[0], view.focal / max(start[1], 1e-3) - view.focal / max(end[1], 1e-3))
    count = int(np.clip(length / rng.uniform(0.12, 0.35), 4, 160))
    share, pointed = rng.uniform(0.3, 0.97), rng.random() < 0.4
    steps = [_between(start, end, step / count) for step in range(count + 1)]
    hull = [view.at(x, s, 0) for x, s in (start, end)] + [view.at(x, s, high) for x, s in (end, start)]
    canvas.mark("fence", hull)
    for up in (0.2 * high, 0.78 * high):
        rail = [view.at(x, s, up) for x, s in (start, end)] + [view.at(x, s, up + 0.07) for x, s in (end, start)]
        canvas.fill("fence", colour, rail)
    pales: list[list[Point]] = []
    for (x, s), (next_x, next_s) in pairwise(steps):
        to_x, to_s = _between((x, s), (next_x, next_s), share)
        middle = ((x + to_x) / 2, (s + to_s) / 2)
        top = [view.at(to_x, to_s, high), view.at(*middle, high * (1.08 if pointed else 1)), view.at(x, s, high)]
        pales.append([view.at(x, s), view.at(to_x, to_s), *top])
    canvas.fill("fence", colour, *pales)
    if share > 0.85:
        canvas.shade(0.8, *(pale for pale in pales[::2]))


def _between(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    """A place on the straight line between two; 1 / scale is what is linear there."""
    depth = (1 - share) / start[1] + share / end[1]
    return start[0] + share * (end[0] - start[0]), 1 / depth


def house(canvas: Canvas, surfaces: Surfaces, rng: Rng, foot: Point, scale: float) -> None:
    """A house in the open, 5 to 14 m wide, with a gable, a hipped roof or a flat one; all of it is building."""
    wide, high = rng.uniform(5, 14), rng.uniform(2.8, 8)
    x = canvas.view.across(foot[0], scale) - wide / 2
    wall = front_wall(surfaces, scale, x, wide, int(rng.integers(2)))
    canvas.shade(0.65, wall.quad(-0.3, -0.5, wide + 1.5, 0.1))
    canvas.fill("building", wall.paint("facade"), wall.quad(0, 0, wide, high))
    kind, rise = rng.random(), rng.uniform(1.2, 3.5)
    brown: Colour = ((150, 75, 55), (90, 85, 85), (110, 80, 60), (70, 80, 95))[int(rng.integers(4))]
    tint = (brown[0] / 128, brown[1] / 128, brown[2] / 128)
    roof = _dyed(surfaces.front("gravel", scale * 2), tint)
    if kind < 0.4:
        canvas.fill(
            "building", roof, [wall.place(-0.5, high), wall.place(wide / 2, high + rise), wall.place(wide + 0.5, high)]
        )
    elif kind < 0.8:
        edge = [
            wall.place(-0.5, high),
            wall.place(1.2, high + rise),
            wall.place(wide - 1.2, high + rise),
            wall.place(wide + 0.5, high),
        ]
        canvas.fill("building", roof, edge)
    if kind < 0.8 and rng.random() < 0.5:
        at = rng.uniform(0.3, 0.6) * wide
        canvas.fill("building", plain((130, 75, 60)), wall.quad(at, high + rise * 0.6, at + 0.7, high + rise + 0.5))
    at, tall = rng.uniform(0.1, 0.8) * wide, 2.1
    canvas.fill("building", plain(paint_colour(rng)), wall.quad(at, 0, at + 1.0, tall))
