"""Twenty drawn textures: what sky, grass, brick ... look like close up, from knowledge alone.

Each renderer takes a random generator and a side in pixels and gives a picture (side, side, 3) of bytes. Colours, scale
and detail vary as widely as the stuff itself does. Nothing in what
they draw for a given generator may change: the built-in base is made from them (`scripts/make_builtin.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.scenes.paint import (
    Array,
    blend,
    courses,
    develop,
    grey,
    leaves,
    noise,
    shade,
    sigmoid,
    strokes,
    tinted,
    uniform,
)

Rng: TypeAlias = np.random.Generator
Picture: TypeAlias = NDArray[np.uint8]


def sky(rng: Rng, side: int) -> Picture:
    """A gradient, blue or overcast or of the evening, mostly with clouds."""
    height = np.linspace(0, 1, side)[:, None] * np.ones((1, side))
    top, bottom = uniform(rng, (40, 150), (110, 180), (190, 250)), uniform(rng, (150, 235), (190, 235), (215, 250))
    if rng.random() < 0.3:
        top = rng.uniform(150, 245) + np.array([0.0, 0.0, 5.0])
        bottom = top * rng.uniform(0.9, 1.1)
    if rng.random() < 0.1:
        bottom = np.array([240.0, 180.0, 120.0])
    picture = blend(top, bottom, height * rng.uniform(0.2, 1))
    if rng.random() < 0.6:
        field = noise(rng, side, rng.uniform(1.2, 1.9), (1.5, 0.7))
        cloud = sigmoid((field - rng.uniform(-0.5, 1.2)) * rng.uniform(1, 4))
        picture = shade(picture, 1 - cloud) + cloud[..., None] * rng.uniform(225, 255)
    return develop(picture, rng, 1.5)


def grass(rng: Rng, side: int) -> Picture:
    """Blades close by, or the blur of a lawn."""
    green = [uniform(rng, (50, 130), (100, 180), (20, 80)) * factor for factor in (0.6, 1, 1.2)]
    if rng.random() < 0.5:
        count = int(side * side / rng.uniform(15, 80))
        picture = strokes(rng, side, green, count, rng.uniform(5, 40), rng.uniform(1, 3))
    else:
        picture = blend(green[0], green[2], sigmoid(noise(rng, side, rng.uniform(0.2, 0.9))))
    return develop(shade(picture, 1 + 0.1 * noise(rng, side, 1.5)), rng, 8)


def foliage(rng: Rng, side: int) -> Picture:
    """Leaves in light and shadow, sometimes with sky between them and trunks before them."""
    picture = leaves(rng, side, uniform(rng, (20, 90), (50, 120), (10, 60)), rng.uniform(2, 9))
    picture = shade(picture, np.clip(1 + 0.45 * noise(rng, side, 1.3), 0.15, 1.8))
    if rng.random() < 0.3:
        picture[noise(rng, side, 1.0) > 1.2] = [210, 225, 240]
    if rng.random() < 0.4:
        for _ in range(rng.integers(1, 5)):
            left, width = int(rng.uniform(0, side)), int(rng.uniform(3, 22))
            bark = np.array([80, 65, 50]) * rng.uniform(0.5, 1.4) + 10 * noise(rng, side, 0.6, (0.2, 2))[..., None]
            picture[:, left : left + width] = bark[:, left : left + width]
    return develop(picture, rng, 6)


def water(rng: Rng, side: int) -> Picture:
    """Ripples: noise with horizontal streaks between two blues or greens."""
    dark = uniform(rng, (10, 110), (60, 140), (80, 180))
    ripple = noise(rng, side, rng.uniform(0.9, 1.5), (rng.uniform(2, 5), 0.8))
    return develop(blend(dark, dark + rng.uniform(30, 90), sigmoid(ripple * rng.uniform(0.6, 2))), rng)


def sand(rng: Rng, side: int) -> Picture:
    """Fine grain on soft dunes."""
    colour = uniform(rng, (150, 220), (130, 195), (90, 160))
    return develop(shade(colour, 1 + 0.06 * noise(rng, side, 0.2) + 0.06 * noise(rng, side, 1.5, (2, 1))), rng, 6)


def snow(rng: Rng, side: int) -> Picture:
    """Nearly white, slightly blue, hardly any grain."""
    bright = rng.uniform(200, 245)
    colour = [bright, bright, rng.uniform(215, 255)]
    return develop(shade(colour, 1 + 0.05 * noise(rng, side, 1.6) + 0.015 * noise(rng, side, 0.3)), rng, 2)


def road(rng: Rng, side: int) -> Picture:
    """Asphalt, sometimes with a painted line."""
    value = rng.uniform(70, 165)
    colour = [value, value, value * rng.uniform(0.95, 1.08)]
    picture = shade(colour, 1 + 0.07 * noise(rng, side, 0.15) + 0.07 * noise(rng, side, 1.5))
    if rng.random() < 0.4:
        left, width = int(rng.uniform(0, side)), int(rng.uniform(4, 20))
        picture[:, left : left + width] = rng.uniform(200, 240)
    return develop(picture, rng, 5)


def gravel(rng: Rng, side: int) -> Picture:
    """Hard-edged grains."""
    grains = np.tanh(noise(rng, side, rng.uniform(0.3, 0.8)) * 1.5)
    return develop(shade(grey(rng, 100, 170, (1.05, 1, 0.93)), 1 + 0.3 * grains), rng, 6)


def dirt(rng: Rng, side: int) -> Picture:
    """Brown earth."""
    colour = uniform(rng, (110, 170), (80, 130), (50, 95))
    return develop(shade(colour, 1 + 0.15 * noise(rng, side, 0.8) + 0.07 * noise(rng, side, 0.2)), rng, 6)


def rock(rng: Rng, side: int) -> Picture:
    """Grey faces with dark cracks."""
    cracks = np.abs(noise(rng, side, 1.2)) < 0.08
    faces = np.clip(0.55 + 0.5 * np.abs(noise(rng, side, 1.3)), 0, 1.6)
    return develop(shade(grey(rng, 90, 160, (1.08, 1, 0.9)), faces - 0.25 * cracks), rng, 6)


def brick(rng: Rng, side: int) -> Picture:
    """Red courses with light mortar."""
    height = int(rng.uniform(8, 24))
    colour = uniform(rng, (130, 190), (60, 110), (45, 80))
    width, joint = int(height * rng.uniform(2, 3.2)), max(1, height // 7)
    picture = courses(rng, side, height, width, colour, grey(rng, 140, 210), joint)
    return develop(shade(picture, 1 + 0.08 * noise(rng, side, 0.4)), rng, 5)


def stone_wall(rng: Rng, side: int) -> Picture:
    """Grey blocks with dark joints."""
    height = int(rng.uniform(16, 40))
    picture = courses(rng, side, height, int(height * rng.uniform(1, 2)), grey(rng, 110, 180), (60, 60, 60), 2)
    return develop(shade(picture, 1 + 0.15 * noise(rng, side, 0.8)), rng, 6)


def tiles(rng: Rng, side: int) -> Picture:
    """Light squares with thin joints."""
    size = int(rng.uniform(16, 60))
    colour = tinted(rng, 170, 245, (0.85, 1.05))
    picture = courses(rng, side, size, size, colour, grey(rng, 120, 200), max(1, size // 20))
    return develop(shade(picture, 1 + 0.02 * noise(rng, side, 1.5)), rng, 2)


def plaster(rng: Rng, side: int) -> Picture:
    """A painted wall: nearly flat, lit from a side."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    light = 1 + rng.normal() * 0.15 * x + rng.normal() * 0.15 * y
    return develop(shade(tinted(rng, 110, 245, (0.8, 1.05)), light + 0.015 * noise(rng, side, 1.5)), rng, 2)


def wood(rng: Rng, side: int) -> Picture:
    """Grain along boards, lying or standing."""
    picture = shade(uniform(rng, (110, 200), (70, 140), (35, 95)), 1 + 0.14 * noise(rng, side, 1.0, (6, 0.5)))
    board = int(rng.uniform(14, 60))
    if rng.random() < 0.7:
        picture[np.arange(side) % board < 1] *= 0.55
    return develop(picture.transpose(1, 0, 2) if rng.random() < 0.5 else picture, rng)


def fabric(rng: Rng, side: int) -> Picture:
    """Soft folds."""
    x = np.mgrid[:side, :side][1]
    folds = np.sin((x + 20 * noise(rng, side, 1.8)) / rng.uniform(6, 30)) * rng.random()
    light = 1 + 0.22 * folds + 0.08 * noise(rng, side, 1.6) + 0.04 * noise(rng, side, 0.2)
    return develop(shade(rng.uniform(40, 230, 3), light), rng)


def carpet(rng: Rng, side: int) -> Picture:
    """Short pile with a regular pattern of a second colour."""
    y, x = np.mgrid[:side, :side]
    picture = shade(rng.uniform(50, 200, 3), 1 + 0.1 * noise(rng, side, 0.1))
    pattern = np.sin(x / rng.uniform(5, 20)) * np.sin(y / rng.uniform(5, 20)) > 0.3
    picture[pattern] = picture[pattern] * 0.5 + 0.5 * rng.uniform(40, 220, 3)
    return develop(picture, rng, 6)


def facade(rng: Rng, side: int) -> Picture:
    """Rows of windows with light frames."""
    wall = tinted(rng, 110, 220, (0.8, 1.05))
    picture = shade(wall, 1 + 0.05 * noise(rng, side, 0.6))
    step_y, step_x = int(rng.uniform(36, 90)), int(rng.uniform(28, 80))
    high, wide = int(step_y * rng.uniform(0.4, 0.75)), int(step_x * rng.uniform(0.35, 0.75))
    glass = grey(rng, 30, 120, (0.9, 1, 1.1))
    for y in range(int(rng.uniform(2, 20)), side, step_y):
        for x in range(int(rng.uniform(2, 20)), side, step_x):
            picture[y - 2 : y + high + 2, x - 2 : x + wide + 2] = wall * 0.8 + 50
            picture[y : y + high, x : x + wide] = glass * rng.uniform(0.6, 1.5)
            picture[y : y + high, x + wide // 2 : x + wide // 2 + 1] = wall
    return develop(picture, rng, 4)


def fence(rng: Rng, side: int) -> Picture:
    """Pales and rails before grass, leaves or sky."""
    picture: Array = (grass, foliage, sky)[rng.integers(3)](rng, side).astype(float)
    step = int(rng.uniform(12, 40))
    width = max(2, int(step * rng.uniform(0.15, 0.7)))
    colour = np.array([(235, 235, 230), (120, 90, 60), (70, 70, 75)][rng.integers(3)])
    picture[:, np.arange(side) % step < width] = colour * rng.uniform(0.8, 1)
    for rail in rng.uniform(0, side, 3).astype(int):
        picture[rail : rail + width // 2 + 1] = colour * 0.85
    return develop(picture, rng, 4)


def mountain(rng: Rng, side: int) -> Picture:
    """A far ridge of rock or wood in haze under the sky."""
    picture = sky(rng, side).astype(float)
    ridge = (noise(rng, side, 1.6)[0] * 0.1 + 0.3) * side
    below = np.arange(side)[:, None] > ridge[None]
    ground = (rock if rng.random() < 0.5 else foliage)(rng, side)
    haze = rng.uniform(0.2, 0.7)
    picture[below] = (ground * (1 - haze) + np.array([130, 150, 180]) * haze)[below]
    return develop(picture, rng)


# The names by which `lexicon.yaml` knows them.
TEXTURES: dict[str, Callable[[Rng, int], Picture]] = {
    "sky": sky,
    "grass": grass,
    "foliage": foliage,
    "water": water,
    "sand": sand,
    "snow": snow,
    "road": road,
    "gravel": gravel,
    "dirt": dirt,
    "rock": rock,
    "brick": brick,
    "stone wall": stone_wall,
    "tiles": tiles,
    "plaster": plaster,
    "wood": wood,
    "fabric": fabric,
    "carpet": carpet,
    "facade": facade,
    "fence": fence,
    "mountain": mountain,
}
