"""Outlines as lists of points: ellipses, lumps, ridges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import Point

Points: TypeAlias = Sequence[Point]
CORNERS = 24  # of an ellipse


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """An upright rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def ellipse(x: float, y: float, across: float, up: float) -> list[Point]:
    """An ellipse by its centre and half axes."""
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    return [(x + across * float(np.cos(t)), y + up * float(np.sin(t))) for t in turns]


def lump(rng: Rng, x: float, y: float, across: float, up: float, rough: float = 0.15) -> list[Point]:
    """An ellipse with a rough edge: a boulder, a pond."""
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    out = 1 + rough * rng.normal(size=CORNERS)
    return [(x + across * r * float(np.cos(t)), y + up * r * float(np.sin(t))) for t, r in zip(turns, out, strict=True)]


def cluster(rng: Rng, x: float, y: float, across: float, up: float, count: int) -> list[list[Point]]:
    """Ellipses that overlap inside a bigger one: a crown, a bush, a cloud."""
    parts = [lump(rng, x, y, across * 0.65, up * 0.65, 0.08)]
    for turn in rng.uniform(0, 2 * np.pi, count):
        a, b = rng.uniform(0.3, 0.55, 2)
        at = x + across * 0.6 * float(np.cos(turn)), y + up * 0.6 * float(np.sin(turn))
        parts.append(lump(rng, *at, across * a, up * b, 0.09))
    return parts


def ridge(rng: Rng, left: float, right: float, y: float, high: float, rough: float) -> list[Point]:
    """A line of hills from left to right: sines of falling height and random phase; `high` is its deviation."""
    x = np.linspace(left, right, 80)
    line = np.zeros_like(x)
    for octave in range(1, 7):
        line += rng.normal() * np.sin(2 * np.pi * (octave * (x - left) / (right - left) + rng.random())) / octave**rough
    line -= line.mean()
    line *= high / (float(line.std()) + 1e-6)
    return [(float(a), float(y - b)) for a, b in zip(x, line, strict=True)]


def below(line: Points, bottom: float) -> list[Point]:
    """All that lies under a line that runs from left to right."""
    return [*line, (line[-1][0], bottom), (line[0][0], bottom)]
