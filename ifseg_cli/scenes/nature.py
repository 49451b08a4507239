"""What grows and what lies about: trees, bushes, boulders, mountains."""

from __future__ import annotations

import numpy as np

from ifseg_cli.scenes.canvas import Canvas, Colour
from ifseg_cli.scenes.shapes import Points, below, box, cluster, ellipse, lump, ridge
from ifseg_cli.scenes.surfaces import Surfaces, hazy, plain, rounded
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import Point

AUTUMN: tuple[Colour, ...] = ((2.2, 1.0, 0.6), (2.0, 1.5, 0.6), (1.8, 0.7, 0.6), (1.3, 0.9, 0.8))
BARK: tuple[Colour, ...] = ((95, 75, 55), (70, 55, 45), (130, 120, 110), (205, 200, 190), (60, 60, 55))


def heaven(canvas: Canvas, surfaces: Surfaces) -> None:
    """The sky, down to the horizon."""
    view = canvas.view
    canvas.fill("sky", surfaces.sky(), box(2 * view.left, -2 * view.bottom, 2 * view.right, view.horizon + 2))


def leaf_tint(rng: Rng) -> Colour:
    """The colour of leaves beside that of their texture: mostly summer."""
    if rng.random() < 0.2:
        return AUTUMN[int(rng.integers(len(AUTUMN)))]
    red, green, blue = rng.uniform(0.85, 1.15, 3)
    return float(red), float(green), float(blue)


def foot_shadow(canvas: Canvas, foot: Point, across: float) -> None:
    """The dark place where a thing stands."""
    canvas.shade(0.6, ellipse(foot[0] + 0.15 * across, foot[1], across, 0.16 * across))


def tree(canvas: Canvas, surfaces: Surfaces, rng: Rng, foot: Point, scale: float) -> None:
    """A trunk and a crown, round or of a conifer, 3 to 14 m high."""
    x, y = foot
    high = rng.uniform(3, 14) * scale
    thick = high * rng.uniform(0.02, 0.05)
    bare = high * rng.uniform(0.12, 0.45)
    across = high * rng.uniform(0.18, 0.4)
    foot_shadow(canvas, foot, across)
    bark = plain(BARK[int(rng.integers(len(BARK)))])
    lean = rng.normal() * 0.04 * high
    trunk = [
        (x - thick, y),
        (x + thick, y),
        (x + lean + thick * 0.6, y - bare * 1.6),
        (x + lean - thick * 0.6, y - bare * 1.6),
    ]
    canvas.fill("tree", rounded(bark, x, y - bare, thick * 2, bare * 2, 0.3), trunk)
    middle, up = y - (high + bare) / 2, (high - bare) / 2
    crown: list[list[Point]]
    crown = (
        _tiers(rng, x + lean, y - bare * 0.7, across * 0.8, high - bare * 0.7)
        if rng.random() < 0.3
        else cluster(rng, x + lean, middle, across, up, 8)
    )
    leaves = surfaces.front("foliage", scale, leaf_tint(rng))
    canvas.fill("tree", rounded(leaves, x, middle, across, up), *crown)


def _tiers(rng: Rng, x: float, y: float, across: float, high: float) -> list[list[Point]]:
    """The tiers of a conifer, from the ground up."""
    tiers = int(rng.integers(3, 7))
    outlines: list[list[Point]] = []
    for tier in range(tiers):
        low, wide = y - high * tier / tiers * 0.85, across * (1 - tier / tiers) * rng.uniform(0.85, 1.1)
        outlines.append([(x - wide, low), (x + wide, low), (x, low - high * 2 / tiers)])
    return outlines


def bush(canvas: Canvas, surfaces: Surfaces, rng: Rng, foot: Point, scale: float) -> None:
    """Leaves down to the ground, 0.5 to 2.2 m high."""
    x, y = foot
    up = rng.uniform(0.5, 2.2) * scale / 2
    across = up * rng.uniform(1.0, 2.6)
    foot_shadow(canvas, foot, across)
    leaves = surfaces.front("foliage", scale * 1.2, leaf_tint(rng))
    base = [
        (x - across * 0.7, y - up * 0.8),
        (x + across * 0.7, y - up * 0.8),
        (x + across * 0.6, y),
        (x - across * 0.6, y),
    ]
    canvas.fill("bush", rounded(leaves, x, y - up, across, up), base, *cluster(rng, x, y - up, across, up, 9))


def hedge(canvas: Canvas, surfaces: Surfaces, rng: Rng, start: Point, end: Point, high: tuple[float, float]) -> None:
    """A cut bush along a line; its heights at both ends are in pixels."""
    leaves = surfaces.front("foliage", max(high) / 1.4, leaf_tint(rng))
    top = [(start[0], start[1] - high[0]), (end[0], end[1] - high[1])]
    canvas.fill("bush", leaves, [start, top[0], top[1], end])


def boulder(canvas: Canvas, surfaces: Surfaces, rng: Rng, foot: Point, scale: float) -> None:
    """A rock of 0.4 to 3 m."""
    x, y = foot
    up = rng.uniform(0.4, 3) * scale / 2
    across = up * rng.uniform(0.9, 2.2)
    foot_shadow(canvas, foot, across * 1.1)
    outline = [(a, min(b, y)) for a, b in lump(rng, x, y - up * 0.8, across, up, 0.12)]
    stone = surfaces.front("rock", scale * 1.5, (1, 1, 1), int(rng.integers(2)))
    canvas.fill("rock", rounded(stone, x, y - up, across, up, 0.4), outline)


def rocks(canvas: Canvas, surfaces: Surfaces, rng: Rng, foot: Point, scale: float) -> None:
    """A few boulders together."""
    for _ in range(int(rng.integers(1, 4))):
        boulder(canvas, surfaces, rng, (foot[0] + float(rng.normal()) * scale * 1.5, foot[1]), scale)


def mountains(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """One to three ridges before the sky, the far ones in more haze."""
    view = canvas.view
    count = int(rng.integers(1, 4))
    air = np.array([150, 165, 190]) * rng.uniform(0.6, 1.25)
    colour = (float(air[0]), float(air[1]), float(air[2]))
    for nearness in range(count):
        rise = view.height * rng.uniform(0.05, 0.45) * (count - nearness) / count
        line = ridge(
            rng, view.left, view.right, view.horizon - rise, rise * rng.uniform(0.2, 0.55), rng.uniform(0.8, 1.6)
        )
        texture = ("rock", "foliage", "rock", "snow", "dirt")[int(rng.integers(5))]
        haze = rng.uniform(0.1, 0.7) * (count - nearness) / count
        slope = surfaces.front(texture, rng.uniform(10, 40), leaf_tint(rng) if texture == "foliage" else (1, 1, 1))
        canvas.fill("mountain", hazy(slope, haze, colour), below(line, max(view.horizon, line[0][1]) + 3))


def wood_edge(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """Trees far away, as a band along part of the horizon."""
    view = canvas.view
    high = view.unit * rng.uniform(0.03, 0.14)
    start, end = np.sort(rng.uniform(view.left, view.right, 2))
    leaves = surfaces.front("foliage", rng.uniform(12, 26), leaf_tint(rng))
    crowns: list[Points] = [box(float(start), view.horizon - 0.5 * high, float(end), view.horizon + 3)]
    for x in np.arange(start, end, 0.5 * high):
        up = high * rng.uniform(0.4, 0.75)
        crowns.append(ellipse(float(x), view.horizon - 0.4 * high, up, up))
    canvas.fill("tree", rounded(leaves, float(start), view.horizon - high / 2, 1e6, high, 0.2), *crowns)


def branch(canvas: Canvas, surfaces: Surfaces, rng: Rng) -> None:
    """Leaves of a tree close by, hanging into the picture from above or from a side."""
    view = canvas.view
    from_left = rng.random() < 0.5
    x, y = (0.0 if from_left else float(view.width)), view.height * rng.uniform(-0.05, 0.4)
    across, up = view.width * rng.uniform(0.12, 0.45), view.height * rng.uniform(0.1, 0.3)
    leaves = surfaces.front("foliage", rng.uniform(30, 80), leaf_tint(rng))
    canvas.fill("tree", rounded(leaves, x, y, across, up, 0.25), *cluster(rng, x, y, across, up, 14))
