"""A town: a street that runs ahead between houses and walls, or house fronts seen from across it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from ifseg_cli.scenes import movers, nature
from ifseg_cli.scenes.built import MATERIALS, Wall, door, fence, front_wall, side_wall, window
from ifseg_cli.scenes.canvas import Canvas
from ifseg_cli.scenes.shapes import box
from ifseg_cli.scenes.surfaces import Surfaces
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import View, draw_view

PAVEMENTS = (
    ("tile", "tiles"),
    ("tile", "tiles"),
    ("grass", "grass"),
    ("gravel", "gravel"),
    ("grass", "grass"),
    ("dirt", "dirt"),
    ("sand", "sand"),
    ("snow", "snow"),
    ("wooden floor", "wood"),
    ("road", "road"),
)
FRONTS = ("facade", "facade", "brick", "stone wall", "plaster")
LOW = ("brick", "stone wall", "plaster")


def street_view(rng: Rng, height: int, width: int) -> View:
    """From a walker's eyes to a first floor's."""
    return draw_view(rng, height, width, (0.05, 0.75), (1.3, 4.5))


def draw_street(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """One of the two kinds, then what moves and grows there."""
    nature.heaven(canvas, surfaces)
    if rng.random() < 0.5:
        _ahead(canvas, surfaces, rng)
    else:
        _across(canvas, surfaces, rng)


def _ahead(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    view = canvas.view
    if rng.random() < 0.25:
        nature.mountains(canvas, surfaces, rng)
    if rng.random() < 0.5:
        nature.wood_edge(canvas, surfaces, rng)
    roadway, texture = _kind(rng, 0.75)
    left, right = -rng.uniform(1.5, 7), rng.uniform(1.5, 7)
    walks = rng.uniform(0.8, 6, 2)
    canvas.fill(roadway, surfaces.ground(texture), box(view.left * 2, view.horizon, view.right * 2, view.bottom * 2))
    for edge, outer in ((left, -400.0), (right, 400.0)):
        kind, of = _kind(rng, 0.05)
        _strip(canvas, surfaces, kind, of, edge, outer)
    for offset in (left - walks[0], right + walks[1]):
        if rng.random() < 0.85:
            _row(canvas, surfaces, rng, float(offset))
    _people_and_things(canvas, surfaces, rng, (left, right), (left - walks[0], right + walks[1]), 0.06 * view.closest)


def _kind(rng: Rng, road: float) -> tuple[str, str]:
    if rng.random() < road:
        return "road", "road"
    return PAVEMENTS[int(rng.integers(len(PAVEMENTS)))]


def _strip(canvas: Canvas, surfaces: Surfaces, kind: str, texture: str, start: float, end: float) -> None:
    """Ground from `start` to `end` metres right of the centre, as far as one sees."""
    view = canvas.view
    near, far = 2.5 * view.nearest, 0.05
    outline = [view.at(start, near), view.at(start, far), view.at(end, far), view.at(end, near)]
    canvas.fill(kind, surfaces.ground(texture, (1, 1, 1), 1), outline)


def _row(canvas: Canvas, surfaces: Surfaces, rng: Rng, offset: float) -> None:
    """Houses, walls, fences and hedges along one side, from the far end to behind us."""
    view = canvas.view
    edges = [view.focal / (3 * view.nearest)]
    while edges[-1] < 130:
        edges.append(edges[-1] + rng.uniform(5, 22))
    outwards = 12.0 if offset > 0 else -12.0
    for near, far in reversed(list(pairwise(edges))):
        scale, farther = view.focal / near, view.focal / far
        kind = rng.random()
        wall = side_wall(surfaces, offset, farther, scale, int(rng.integers(2)))
        if kind < 0.6:
            high = rng.uniform(3.5, 18)
            texture = FRONTS[int(rng.integers(len(FRONTS)))]
            end = front_wall(surfaces, scale, min(offset, offset + outwards), 12.0)
            canvas.fill("building", end.paint("plaster"), end.quad(0, 0, 12.0, high))
            _house_front(canvas, surfaces, rng, wall, texture, high)
        elif kind < 0.72:
            texture = LOW[int(rng.integers(len(LOW)))]
            canvas.fill(MATERIALS[texture], wall.paint(texture), wall.quad(0, 0, wall.length, rng.uniform(1.2, 3.5)))
        elif kind < 0.82:
            fence(canvas, rng, (offset, farther), (offset, scale))
        elif kind < 0.9:
            high = rng.uniform(0.8, 2.4)
            start, end_ = view.at(offset, farther), view.at(offset, scale)
            nature.hedge(canvas, surfaces, rng, start, end_, (high * farther, high * scale))


def _house_front(canvas: Canvas, surfaces: Surfaces, rng: Rng, wall: Wall, texture: str, high: float) -> None:
    """A wall; the drawn facade has its windows, others get theirs, named as such."""
    canvas.fill(MATERIALS[texture], wall.paint(texture), wall.quad(0, 0, wall.length, high))
    if texture == "facade" or wall.length * wall.scale < 40:
        return
    size = rng.uniform(0.8, 1.8), rng.uniform(1.0, 1.9)
    step = size[0] + rng.uniform(0.5, 2.5)
    sill, storey = rng.uniform(0.7, 1.3), rng.uniform(2.7, 3.5)
    entrance = rng.integers(0, max(1, int(wall.length / step))) if rng.random() < 0.85 else -1
    skipped = rng.random() * 0.3
    for column in range(min(12, int(wall.length / step))):
        along = 0.4 + column * step
        for floor in range(min(4, max(1, int(high / storey)))):
            if floor == 0 and column == entrance:
                door(canvas, rng, wall, along, (float(rng.uniform(0.85, 1.3)), float(rng.uniform(2.0, 2.5))))
            elif rng.random() > skipped and sill + floor * storey + size[1] < high - 0.2:
                window(canvas, surfaces, rng, wall, along, sill + floor * storey, size)


def _across(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """House fronts behind stripes of ground."""
    view = canvas.view
    foot = view.height * rng.uniform(0.4, 1.02)
    scale = view.scale_at(max(foot, view.horizon + 0.08 * view.height))
    if rng.random() < 0.3:
        nature.wood_edge(canvas, surfaces, rng)
    kind, texture = _kind(rng, 0.4)
    canvas.fill(kind, surfaces.ground(texture), box(view.left * 2, view.horizon, view.right * 2, view.bottom * 2))
    x, end = view.across(view.left, scale) - rng.uniform(0, 6), view.across(view.right, scale)
    while x < end:
        wide = rng.uniform(4, 16)
        wall = front_wall(surfaces, scale, x, wide, int(rng.integers(2)))
        if rng.random() < 0.9:
            front = FRONTS[int(rng.integers(1, len(FRONTS)))]
            _house_front(
                canvas, surfaces, rng, wall, front, rng.uniform(2.6, 5) if rng.random() < 0.4 else rng.uniform(5, 30)
            )
        x += wide
    nearer = scale
    for variant in range(int(rng.integers(0, 3))):
        nearer *= rng.uniform(1.1, 1.9)
        kind, texture = _kind(rng, 0.4)
        y = view.at(0, nearer)[1]
        canvas.fill(
            kind, surfaces.ground(texture, (1, 1, 1), variant), box(view.left * 2, y, view.right * 2, view.bottom * 2)
        )
    if rng.random() < 0.35:
        at = scale * rng.uniform(1.02, 1.6)
        start = rng.uniform(view.left, view.width * 0.6)
        fence(canvas, rng, (view.across(start, at), at), (view.across(view.right, at), at))
    side = view.across(view.left, scale), view.across(view.right, scale)
    _people_and_things(canvas, surfaces, rng, side, side, 1.02 * scale)


def _people_and_things(
    canvas: Canvas,
    surfaces: Surfaces,
    rng: Rng,
    roadway: tuple[float, float],
    walks: tuple[float, float],
    farthest: float,
) -> None:
    """Cars on the roadway, people and plants beside it, the farthest first."""
    view = canvas.view
    things: list[tuple[float, Callable[[], None]]] = []
    for kind, most in (("car", 4), ("person", 4), ("tree", 3), ("bush", 3)):
        for _ in range(int(rng.integers(0, most + 1)) if rng.random() < 0.6 else 0):
            scale = float(np.exp(rng.uniform(np.log(farthest), np.log(max(view.closest, 1.2 * farthest)))))
            x = float(rng.uniform(*roadway)) if kind == "car" else _beside(rng, roadway, walks)
            foot = view.at(x, scale)
            if abs(foot[0] - view.width / 2) > view.width:
                foot = (float(rng.uniform(0, view.width)), foot[1])
            things.append(
                (scale, lambda kind=kind, foot=foot, scale=scale: _draw(canvas, surfaces, rng, kind, foot, scale))
            )
    for _, draw in sorted(things, key=lambda thing: thing[0]):
        draw()


def _beside(rng: Rng, roadway: tuple[float, float], walks: tuple[float, float]) -> float:
    side = int(rng.integers(2))
    return float(rng.uniform(min(roadway[side], walks[side]), max(roadway[side], walks[side]) + 1e-6))


def _draw(canvas: Canvas, surfaces: Surfaces, rng: Rng, kind: str, foot: tuple[float, float], scale: float) -> None:
    if kind == "car":
        movers.car(canvas, rng, foot, scale)
    elif kind == "person":
        movers.person(canvas, rng, foot, scale)
    elif kind == "tree":
        nature.tree(canvas, surfaces, rng, foot, scale)
    else:
        nature.bush(canvas, surfaces, rng, foot, scale)
