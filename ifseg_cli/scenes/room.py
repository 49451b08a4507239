"""Indoors: a back wall, walls that run towards us, a floor, and what stands on it and hangs on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ifseg_cli.scenes import furniture, movers
from ifseg_cli.scenes.built import MATERIALS, Wall, curtain, door, front_wall, side_wall, window
from ifseg_cli.scenes.canvas import Canvas, Colour
from ifseg_cli.scenes.shapes import box
from ifseg_cli.scenes.surfaces import Surfaces
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import View, draw_view

FLOORS = (("wooden floor", "wood"), ("tile", "tiles"), ("carpet", "carpet"))
WALLS = ("plaster", "plaster", "plaster", "brick", "stone wall", "tiles")
HIGH = 40.0  # metres: no ceiling is in view


def room_view(rng: Rng, height: int, width: int) -> View:
    """From a seat to the top of a ladder."""
    return draw_view(rng, height, width, (-0.25, 0.5), (1.0, 2.3))


def draw_room(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """Floor, walls, what hangs there, furniture from the back to the front."""
    view = canvas.view
    scale = max(view.scale_at(view.height * rng.uniform(0.25, 0.9)), view.height / rng.uniform(2.2, 5.0))
    kind, texture = FLOORS[int(rng.integers(len(FLOORS)))]
    top = view.at(0, scale)[1] - 2
    canvas.fill(kind, surfaces.ground(texture), box(2 * view.left, top, 2 * view.right, 2 * view.bottom))
    if kind != "carpet" and rng.random() < 0.6:
        _rug(canvas, surfaces, rng)
    left, right = -rng.uniform(0.8, 6), rng.uniform(0.8, 6)
    back = front_wall(surfaces, scale, left, right - left)
    sides = [side_wall(surfaces, float(x), scale, 14 * scale, 1) for x in (left, right)]
    material = WALLS[int(rng.integers(len(WALLS)))]
    for wall in (*sides, back):
        if rng.random() < 0.3:
            material = WALLS[int(rng.integers(len(WALLS)))]
        _clad(canvas, rng, wall, material)
        _hang(canvas, surfaces, rng, wall, seen=_seen(view, wall))
    _furnish(canvas, surfaces, rng, scale, (left, right))


def _clad(canvas: Canvas, rng: Rng, wall: Wall, material: str) -> None:
    """A wall's surface, at times another one below, and a skirting of the wall's own."""
    canvas.fill(MATERIALS[material], wall.paint(material), wall.quad(0, 0, wall.length, HIGH))
    if rng.random() < 0.2:
        lower = ("tiles", "brick", "plaster")[int(rng.integers(3))]
        canvas.fill(MATERIALS[lower], wall.paint(lower), wall.quad(0, 0, wall.length, rng.uniform(0.6, 1.6)))


def _seen(view: View, wall: Wall) -> tuple[float, float]:
    """The stretch of a wall, in metres along, that is in the picture."""
    along = np.linspace(0, wall.length, 60)
    inside = [float(a) for a in along if -0.05 * view.width < wall.place(float(a), 1)[0] < 1.05 * view.width]
    return (inside[0], inside[-1]) if inside else (0.0, 0.0)


def _hang(canvas: Canvas, surfaces: Surfaces, rng: Rng, wall: Wall, seen: tuple[float, float]) -> None:
    """Windows, some with curtains, and doors, side by side as they fit."""
    at = seen[0] + rng.uniform(0, 1.5)
    tint: Colour = (float(rng.uniform(0.6, 1.5)), float(rng.uniform(0.6, 1.5)), float(rng.uniform(0.6, 1.5)))
    rich = rng.uniform(0.2, 1)
    while at < seen[1] - 0.5:
        kind = rng.random() / rich
        wide = min(float(rng.uniform(0.8, 2.4)), seen[1] - at)
        if kind < 0.4:
            up, high = float(rng.uniform(0.3, 1.1)), float(rng.uniform(0.9, 1.7))
            window(canvas, surfaces, rng, wall, at, up, (wide, high))
            if rng.random() < 0.6:
                low = float(rng.uniform(0.0, up))
                for start in (at - 0.25, at + wide - 0.3 * wide):
                    curtain(canvas, wall, tint, start, low, (0.25 + 0.3 * wide, up + high + 0.15 - low))
        elif kind < 0.62:
            door(canvas, rng, wall, at + 0.1, (float(rng.uniform(0.75, 1.05)), float(rng.uniform(1.9, 2.2))))
            wide = 1.2
        elif kind < 0.75:
            curtain(canvas, wall, tint, at, float(rng.uniform(0, 0.3)), (wide, float(rng.uniform(2, 2.8))))
        at += wide + rng.uniform(0.3, 1.8)


def _rug(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """A carpet on another floor."""
    view = canvas.view
    near = view.nearest * rng.uniform(0.7, 1.2)
    place = furniture.stand(
        view, view.across(rng.uniform(0.1, 0.9) * view.width, near), near, rng.uniform(1, 3), rng.uniform(0.8, 3)
    )
    canvas.fill("carpet", surfaces.ground("carpet", (1, 1, 1), 1), place.top(0, place.left, place.right))


def _furnish(canvas: Canvas, surfaces: Surfaces, rng: Rng, back: float, walls: tuple[float, float]) -> None:
    """Tables, sofas and people between the walls; cut by the picture's edge as it comes."""
    view = canvas.view
    things: list[tuple[float, Callable[[], None]]] = []
    nearest = max(1.4 * view.closest, 1.3 * back)
    for kind, chance in (("table", 0.65), ("sofa", 0.65), ("person", 0.35), ("table", 0.4)):
        if rng.random() > chance:
            continue
        scale = float(np.exp(rng.uniform(np.log(back * 1.08), np.log(nearest))))
        reach = (max(walls[0] + 0.5, view.across(0, scale)), min(walls[1] - 0.5, view.across(view.width, scale)))
        x = float(rng.uniform(min(reach), max(reach)))
        things.append((scale, lambda kind=kind, x=x, scale=scale: _draw(canvas, surfaces, rng, kind, x, scale)))
    for _, draw in sorted(things, key=lambda thing: thing[0]):
        draw()


def _draw(canvas: Canvas, surfaces: Surfaces, rng: Rng, kind: str, x: float, scale: float) -> None:
    if kind == "table":
        furniture.table(canvas, surfaces, rng, x, scale)
    elif kind == "sofa":
        furniture.sofa(canvas, surfaces, rng, x, scale)
    else:
        movers.person(canvas, rng, canvas.view.at(x, scale), scale)
