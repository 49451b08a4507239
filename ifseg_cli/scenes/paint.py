"""What the texture renderers paint with: coloured noise, blends, strokes, courses of bricks. numpy and Pillow only."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array: TypeAlias = NDArray[np.float64]
Colour: TypeAlias = Array | tuple[float, float, float] | list[float]


def noise(rng: np.random.Generator, side: int, slope: float = 1.0, stretch: tuple[float, float] = (1, 1)) -> Array:
    """Noise with spectrum frequency^-slope, mean 0, deviation 1: 0 white, 1 clouds, 2 smooth. (side, side)

    Args:
        stretch: factors on vertical and horizontal frequency; (5, 1) gives horizontal streaks.
    """
    vertical = np.fft.fftfreq(side)[:, None] * stretch[0]
    horizontal = np.fft.rfftfreq(side)[None] * stretch[1]
    frequency = np.hypot(vertical, horizontal)
    frequency[0, 0] = 1 / side
    spectrum = (rng.normal(size=frequency.shape) + 1j * rng.normal(size=frequency.shape)) / frequency**slope
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(side, side))
    return (field - field.mean()) / (field.std() + 1e-9)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def blend(first: Colour, second: Colour, share: Array) -> Array:
    """From `first` (share 0) to `second` (share 1). share (H, W) -> (H, W, 3)."""
    return np.asarray(first) * (1 - share[..., None]) + np.asarray(second) * share[..., None]


def shade(colour: Colour | Array, factor: Array) -> Array:
    """A colour, or a picture (H, W, 3), times a factor a pixel (H, W)."""
    return np.asarray(colour) * factor[..., None]


def grey(rng: np.random.Generator, low: float, high: float, tint: tuple[float, float, float] = (1, 1, 1)) -> Array:
    """A random grey times a tint. (3,)"""
    return rng.uniform(low, high) * np.asarray(tint)


def tinted(rng: np.random.Generator, low: float, high: float, spread: tuple[float, float]) -> Array:
    """A random grey, each channel times its own factor from `spread`. (3,)"""
    return rng.uniform(low, high) * rng.uniform(*spread, size=3)


def uniform(rng: np.random.Generator, *ranges: tuple[float, float]) -> Array:
    """One number from each range."""
    return np.array([rng.uniform(*one) for one in ranges])


def develop(picture: Array, rng: np.random.Generator, grain: float = 3) -> NDArray[np.uint8]:
    """Exposure and grain, as a camera adds them; bytes 0..255."""
    grained = picture * rng.uniform(0.8, 1.15) + rng.normal(size=picture.shape) * rng.uniform(0, grain)
    return np.clip(grained, 0, 255).astype(np.uint8)


def strokes(
    rng: np.random.Generator, side: int, colours: list[Array], count: int, length: float, width: float
) -> Array:
    """Blades: bent lines, roughly upright, over a ground of the first colour. (side, side, 3)"""
    canvas = Image.new("RGB", (side, side), _ink(colours[0]))
    pen = ImageDraw.Draw(canvas)
    for _ in range(count):
        x, y = rng.uniform(-10, side + 10, 2)
        angle = -np.pi / 2 + rng.normal() * 0.5
        reach = length * rng.uniform(0.5, 1.5)
        dx, dy = np.cos(angle) * reach, np.sin(angle) * reach
        bend = (x + dx * 0.6 + rng.normal() * reach * 0.05, y + dy * 0.6)
        ink = _ink(colours[rng.integers(len(colours))] * rng.uniform(0.6, 1.35))
        pen.line([(x, y), bend, (x + dx, y + dy)], fill=ink, width=int(max(1, width * rng.uniform(0.5, 1.5))))
    return np.asarray(canvas).astype(float)


def leaves(rng: np.random.Generator, side: int, base: Array, size: float) -> Array:
    """Ellipses over each other on a dark ground. (side, side, 3)"""
    canvas = Image.new("RGB", (side, side), _ink(base * 0.35))
    pen = ImageDraw.Draw(canvas)
    for _ in range(int(side * side / size**2 * 1.2)):
        x, y = rng.uniform(0, side, 2)
        a, b = size * rng.uniform(0.5, 1.6, 2)
        pen.ellipse([x - a, y - b, x + a, y + b], fill=_ink(base * rng.uniform(0.5, 1.7)))
    return np.asarray(canvas).astype(float)


def courses(
    rng: np.random.Generator, side: int, height: int, width: int, colour: Colour, mortar: Colour, joint: int
) -> Array:
    """Courses of bricks, every second one shifted by half a brick, each brick of its own brightness. (side, side, 3)"""
    y, x = np.mgrid[:side, :side]
    row = y // height
    along = x + row % 2 * (width // 2)
    brick = row * 1000 + along // width
    brightness = rng.uniform(0.75, 1.2, size=brick.max() + 1)[brick]
    picture = shade(colour, brightness)
    picture[(y % height < joint) | (along % width < joint)] = mortar
    return picture


def _ink(colour: Array) -> tuple[int, int, int]:
    red, green, blue = (int(min(255, max(0, value))) for value in colour)
    return red, green, blue
