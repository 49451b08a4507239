"""The open country: sky, mountains, ground of one to three kinds, a way or a shore, and what stands there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ifseg_cli.scenes import movers, nature
from ifseg_cli.scenes.built import fence, front_wall, house
from ifseg_cli.scenes.canvas import Canvas, Colour
from ifseg_cli.scenes.categories import INDEX
from ifseg_cli.scenes.shapes import below, box, lump, ridge
from ifseg_cli.scenes.surfaces import Surfaces
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import Point, View, draw_view

GROUNDS = ("grass", "grass", "sand", "snow", "dirt", "gravel", "rock", "water", "water")
WAYS = (("road", "road"), ("dirt", "dirt"), ("gravel", "gravel"), ("water", "water"), ("sand", "sand"))
Standing = tuple[float, Callable[[], None]]  # scale, and how it is drawn


def landscape_view(rng: Rng, height: int, width: int) -> View:
    """The horizon anywhere, at times above the picture; from a child's height to a hill's."""
    return draw_view(rng, height, width, (-0.35, 0.0) if rng.random() < 0.2 else (0.08, 0.85), (1.2, 7.0))


def draw_landscape(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """Everything from far to near."""
    nature.heaven(canvas, surfaces)
    if rng.random() < 0.5:
        nature.mountains(canvas, surfaces, rng)
    base = GROUNDS[int(rng.integers(len(GROUNDS)))]
    view = canvas.view
    canvas.fill(
        base, surfaces.ground(base, _tint(rng, base)), box(view.left * 2, view.horizon, view.right * 2, view.bottom * 2)
    )
    if rng.random() < 0.4:
        nature.wood_edge(canvas, surfaces, rng)
    _more_ground(canvas, surfaces, rng, base)
    things = _things(canvas, surfaces, rng)
    for _, draw in sorted(things, key=lambda thing: thing[0]):
        draw()
    if rng.random() < 0.15:
        nature.branch(canvas, surfaces, rng)


def _tint(rng: Rng, ground: str) -> Colour:
    """Ground has its own hues: dry grass, red sand, brown water."""
    if ground == "grass" and rng.random() < 0.3:
        return (1.7, 1.2, 0.8) if rng.random() < 0.6 else (1.3, 1.0, 0.7)
    if ground == "snow":
        return (1, 1, 1)
    spread = 0.09 if ground in ("sand", "rock", "dirt") else 0.05
    red, green, blue = np.exp(rng.normal(size=3) * spread)
    return float(red), float(green), float(blue)


def _more_ground(canvas: Canvas, surfaces: Surfaces, rng: Rng, base: str) -> None:
    """A second kind of ground nearer by, patches of a third, or a way through it."""
    view = canvas.view
    depth = view.nearest * view.camera
    if rng.random() < 0.55:
        near = _other(rng, base)
        y = view.horizon + depth * rng.uniform(0.08, 0.8)
        line = ridge(rng, view.left, view.right, y, depth * rng.uniform(0.01, 0.12), rng.uniform(0.9, 2))
        tilt = rng.normal() * 0.12
        slanted = [(x, max(b + tilt * (x - view.width / 2), view.horizon + 2)) for x, b in line]
        canvas.fill(near, surfaces.ground(near, _tint(rng, near), 1), below(slanted, view.bottom * 2))
    for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.5 else 0):
        kind = _other(rng, base)
        scale = view.nearest * rng.uniform(0.1, 1)
        x, y = view.at(view.across(rng.uniform(0, view.width), scale), scale)
        across = rng.uniform(0.1, 0.45) * view.width
        up = min(across * rng.uniform(0.12, 0.4), (y - view.horizon) * 0.6)
        canvas.fill(kind, surfaces.ground(kind, _tint(rng, kind), 1), lump(rng, x, y, across, up, 0.08))
    if rng.random() < 0.4:
        _way(canvas, surfaces, rng, base)


def _way(canvas: Canvas, surfaces: Surfaces, rng: Rng, base: str) -> None:
    """A road, a path or a river that comes from afar, or a jetty over water; straight or bent."""
    view = canvas.view
    if base == "water":
        kind, texture = "wooden floor", "wood"
    else:
        kind, texture = WAYS[int(rng.integers(len(WAYS)))]
    half = rng.uniform(0.7, 3.5)
    far = view.nearest * rng.uniform(0.1, 0.5) if base == "water" else view.nearest * 0.01
    scales = np.geomspace(far, 2.5 * view.nearest, 24)
    start, bend = rng.normal() * 3, (rng.normal() * 0.12 if base != "water" else 0.0)
    middle = [start + bend * view.width * (float(1 / s) - 1 / view.nearest) * 8 for s in scales]
    left = [view.at(x - half, float(s)) for x, s in zip(middle, scales, strict=True)]
    right = [view.at(x + half, float(s)) for x, s in zip(middle, scales, strict=True)]
    canvas.fill(kind, surfaces.ground(texture, _tint(rng, kind), 2), [*left, *right[::-1]])


def _other(rng: Rng, base: str) -> str:
    rest = [kind for kind in GROUNDS if kind != base]
    return rest[int(rng.integers(len(rest)))]


def _things(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> list[Standing]:
    """Two or three kinds of things, scattered."""
    view = canvas.view
    kinds: dict[str, Callable[[Point, float], None]] = {
        "tree": lambda foot, s: nature.tree(canvas, surfaces, rng, foot, s),
        "bush": lambda foot, s: nature.bush(canvas, surfaces, rng, foot, s),
        "rock": lambda foot, s: nature.rocks(canvas, surfaces, rng, foot, s),
        "building": lambda foot, s: house(canvas, surfaces, rng, foot, s),
        "fence": lambda foot, s: _fence(canvas, rng, foot, s),
        "stone wall": lambda foot, s: _low_wall(canvas, surfaces, rng, foot, s),
        "person": lambda foot, s: movers.person(canvas, rng, foot, s),
        "car": lambda foot, s: movers.car(canvas, rng, foot, s),
        "boat": lambda foot, s: movers.boat(canvas, rng, foot, s),
    }
    weights = np.array([3, 2, 1.5, 1.2, 1.2, 1.0, 1.2, 0.8, 7.0 if INDEX["water"] in canvas.labels else 0])
    chosen = rng.choice(list(kinds), int(rng.integers(1, 5)), replace=False, p=weights / weights.sum())
    most = {"tree": 6, "bush": 5, "rock": 3, "person": 4, "boat": 3, "car": 2}
    things: list[Standing] = []
    for kind in chosen:
        for _ in range(int(rng.integers(1, most.get(str(kind), 1) + 1))):
            scale = float(view.closest * np.exp(rng.uniform(np.log(0.06), 0)))
            foot = view.at(view.across(rng.uniform(-0.05, 1.05) * view.width, scale), scale)
            if (canvas.at(foot) == "water") != (kind == "boat") and kind not in ("rock", "fence"):
                continue
            draw = kinds[str(kind)]
            things.append((scale, lambda draw=draw, foot=foot, scale=scale: draw(foot, scale)))
    return things


def _fence(canvas: Canvas, rng: Rng, foot: Point, scale: float) -> None:
    """Across the picture, near on one side and farther on the other."""
    view = canvas.view
    other = scale * float(np.exp(rng.normal() * 0.5))
    ends = [(view.across(view.left, scale), scale), (view.across(view.right, other), other)]
    if rng.random() < 0.4:
        ends[0] = (view.across(foot[0], scale), scale)
    fence(canvas, rng, ends[0], ends[1])


def _low_wall(canvas: Canvas, surfaces: Surfaces, rng: Rng, foot: Point, scale: float) -> None:
    """A wall of field stones or bricks across a part of the picture."""
    texture, category = ("stone wall", "stone wall") if rng.random() < 0.7 else ("brick", "brick wall")
    wide = rng.uniform(4, 30)
    wall = front_wall(surfaces, scale, canvas.view.across(foot[0], scale) - wide / 2, wide)
    canvas.shade(0.7, wall.quad(-0.2, -0.25, wide + 0.3, 0))
    canvas.fill(category, wall.paint(texture), wall.quad(0, 0, wide, rng.uniform(0.7, 2.2)))
