"""What a surface looks like where it lies: a texture seen from the front, on the ground, or on a wall that recedes.

A texture is drawn once a scene as a small square and continued by reflection. `DENSITY` says how many of its pixels
make a metre; it is roughly true (a course of bricks is larger than life, or it would vanish).
Far ground takes averaged copies of the square, as any renderer does, so that it does not flicker.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.scenes.canvas import Canvas, Colour, Floats, Paint
from ifseg_cli.scenes.textures import TEXTURES

Patch = NDArray[np.uint8]

SIDE = {"foliage": 80, "grass": 112}  # pixels a texture is drawn at; the slow ones small
USUAL_SIDE = 128
DENSITY = {
    "grass": 50,
    "foliage": 26,
    "water": 26,
    "sand": 30,
    "snow": 20,
    "road": 36,
    "gravel": 50,
    "dirt": 34,
    "rock": 30,
    "brick": 80,
    "stone wall": 60,
    "tiles": 90,
    "plaster": 50,
    "wood": 110,
    "fabric": 60,
    "carpet": 70,
    "facade": 17,
}
LEVELS = 4  # averaged copies, each half as fine
LARGEST_ZOOM = 3.0
BENT = frozenset({"foliage", "rock", "gravel", "grass", "sand", "dirt", "snow"})
VARIED = 0.04  # deviation of each channel's factor, from scene to scene


class Surfaces:
    """The textures of one scene; each is drawn once, and each of its sizes made once."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas, self.view, self.rng = canvas, canvas.view, canvas.rng
        self._drawn: dict[tuple[str, int], Patch] = {}
        self._sized: dict[tuple[str, int, Colour, int], Patch] = {}

    def sky(self) -> Paint:
        """Stretched over the picture."""

        def paint(x: Floats, y: Floats) -> NDArray[np.uint8]:
            side = 1.3 * max(self.view.height, self.view.width)
            patch = self._patch_at("sky", (1, 1, 1), 0, _step(side / USUAL_SIDE))
            share = np.float32(len(patch) / side)
            margin = np.float32(0.12 * side)
            return _gather(patch, (x + margin) * share, (y + margin) * share)

        return paint

    def front(self, texture: str, scale: float, tint: Colour = (1, 1, 1), variant: int = 0) -> Paint:
        """Seen from the front at a scale in pixels a metre."""

        def paint(x: Floats, y: Floats) -> NDArray[np.uint8]:
            zoom = scale / DENSITY[texture] * np.exp(self.rng.normal() * 0.2)
            patch = self._patch_at(texture, tint, variant, _step(float(np.clip(zoom, 0.35, LARGEST_ZOOM))))
            start = self.rng.uniform(0, len(patch), 2).astype(np.float32)
            return self._look_up(texture, patch, x + start[0], y + start[1])

        return paint

    def ground(self, texture: str, tint: Colour = (1, 1, 1), variant: int = 0) -> Paint:
        """Lying on the ground."""

        def paint(x: Floats, y: Floats) -> NDArray[np.uint8]:
            scale: Floats = np.maximum(y - np.float32(self.view.horizon), np.float32(1)) / np.float32(self.view.camera)
            return self._receding(texture, tint, variant, (x - np.float32(self.view.centre)) / scale, scale)

        return paint

    def side(self, texture: str, offset: float, tint: Colour = (1, 1, 1), variant: int = 0) -> Paint:
        """On a wall that runs ahead, `offset` metres right of the centre (negative: left)."""

        def paint(x: Floats, y: Floats) -> NDArray[np.uint8]:
            across: Floats = (x - np.float32(self.view.centre)) / np.float32(offset)
            scale: Floats = np.maximum(across, np.float32(0.5))
            return self._receding(texture, tint, variant, (y - np.float32(self.view.horizon)) / scale, scale, True)

        return paint

    def _receding(
        self, texture: str, tint: Colour, variant: int, across: Floats, scale: Floats, upright: bool = False
    ) -> NDArray[np.uint8]:
        """`across` in metres at right angles to the line of sight, the depth from the scale."""
        zoom = float(np.clip(float(scale.max()) / DENSITY[texture] / 1.5, 0.5, LARGEST_ZOOM))
        finest = _step(zoom)
        density = np.float32(DENSITY[texture] * 2 ** (finest / 2))
        u, v = across * density, np.float32(self.view.focal) / scale * density
        if upright:
            u, v = v, u
        level = np.clip(np.log2(density / scale) + np.float32(0.5), 0, LEVELS - 1).astype(np.int8)
        colours = np.empty((len(scale), 3), np.uint8)
        for coarser in range(LEVELS):
            at = np.flatnonzero(level == coarser)
            if len(at):
                patch, share = self._patch_at(texture, tint, variant, finest - 2 * coarser), np.float32(2**-coarser)
                colours[at] = self._look_up(texture, patch, u[at] * share, v[at] * share)
        return colours

    def _look_up(self, texture: str, patch: Patch, u: Floats, v: Floats) -> NDArray[np.uint8]:
        """Natural surfaces are bent a little, or one would see that they are reflected."""
        if texture in BENT and len(u) > 400:
            side = np.float32(len(patch))
            bend, wave = side * np.float32(0.09), np.float32(3.1) / side
            u, v = u + bend * np.sin(v * wave), v + bend * np.sin(u * wave * np.float32(1.31))
        return _gather(patch, u, v)

    def _patch_at(self, texture: str, tint: Colour, variant: int, step: int) -> Patch:
        """A texture dyed and sized: `step` counts factors of the root of two."""
        key = (texture, variant, tint, step)
        if key not in self._sized:
            patch = self._patch(texture, variant)
            if tint != (1, 1, 1):
                patch = np.clip(patch * np.asarray(tint, np.float32), 0, 255).astype(np.uint8)
            side = max(2, round(len(patch) * 2 ** (step / 2)))
            self._sized[key] = np.asarray(Image.fromarray(patch).resize((side, side), Image.Resampling.BILINEAR))
        return self._sized[key]

    def _patch(self, texture: str, variant: int) -> Patch:
        """A texture of this scene, with a cast of its own."""
        if (texture, variant) not in self._drawn:
            drawn = TEXTURES[texture](self.rng, SIDE.get(texture, USUAL_SIDE))
            cast = np.exp(self.rng.normal(size=3) * VARIED).astype(np.float32)
            self._drawn[texture, variant] = np.clip(drawn * cast, 0, 255).astype(np.uint8)
        return self._drawn[texture, variant]


def plain(colour: Colour) -> Paint:
    """One colour."""
    bytes_ = np.clip(colour, 0, 255).astype(np.uint8)
    return lambda x, _: np.broadcast_to(bytes_, (len(x), 3))


def lit(paint: Paint, factor: Callable[[Floats, Floats], Floats]) -> Paint:
    """The same under light that changes from place to place."""

    def lighter(x: Floats, y: Floats) -> NDArray[np.uint8]:
        return np.clip(paint(x, y) * factor(x, y)[:, None], 0, 255).astype(np.uint8)

    return lighter


def banded(paint: Paint, deep: float, length: float, slant: float = 0.0) -> Paint:
    """The same in folds: bright and dark bands every `length` pixels, `slant` of them along y."""
    turn = np.float32(2 * np.pi / length)

    def factor(x: Floats, y: Floats) -> Floats:
        wave: Floats = np.sin((x + np.float32(slant) * y) * turn)
        return 1 + np.float32(deep) * wave

    return lit(paint, factor)


def rounded(paint: Paint, x: float, y: float, across: float, up: float, strength: float = 0.35) -> Paint:
    """Lit from above and the left, as a body with that centre and those half axes is."""

    def factor(at_x: Floats, at_y: Floats) -> Floats:
        slope = (at_y - np.float32(y)) / np.float32(up) + np.float32(0.5) * (at_x - np.float32(x)) / np.float32(across)
        return 1 - np.float32(strength) * np.clip(slope, -1.5, 1.5)

    return lit(paint, factor)


def hazy(paint: Paint, haze: float, colour: Colour) -> Paint:
    """Seen through air: `haze` of the colour is the air's."""
    air = np.asarray(colour, np.float32) * np.float32(haze)
    return lambda x, y: (paint(x, y) * np.float32(1 - haze) + air).astype(np.uint8)


def _step(zoom: float) -> int:
    return round(2 * np.log2(zoom))


def _gather(patch: Patch, u: Floats, v: Floats) -> NDArray[np.uint8]:
    """Colours at column u and row v of a patch continued by reflection."""
    side = len(patch)

    def reflected(at: Floats) -> NDArray[np.int32]:
        inside = np.floor(at).astype(np.int32) % np.int32(2 * side)
        return np.minimum(inside, 2 * side - 1 - inside)

    return patch.reshape(-1, 3).take(reflected(v) * np.int32(side) + reflected(u), axis=0)
