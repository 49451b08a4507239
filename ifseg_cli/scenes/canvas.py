"""Painting picture and label in one stroke.

Outlines are given in the coordinates of a level picture and rolled here; what paints them sees level coordinates again,
so a brick wall rolls with its bricks. The generator of appearances is another than that of the layout: what a surface
looks like changes no outline, so a scene whose categories are painted flat has the same labels (the tests use this).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ifseg_cli.scenes.categories import CATEGORIES, INDEX
from ifseg_cli.scenes.shapes import Points
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import Point, View

Colour: TypeAlias = tuple[float, float, float]
Pixels: TypeAlias = NDArray[np.intp]
Floats: TypeAlias = NDArray[np.floating[Any]]  # float32; numpy's stubs lose sight of it
Paint: TypeAlias = Callable[[Floats, Floats], NDArray[np.uint8]]  # x (n,), y (n,) -> colours (n, 3)


class Canvas:
    """A picture (H, W, 3) and its labels (H, W), empty at first."""

    def __init__(self, view: View, rng: Rng, flat: Mapping[str, Colour] | None = None) -> None:
        """`flat` gives categories that are painted in one colour and keep it, whatever falls on them."""
        self.view, self.rng, self.flat = view, rng, dict(flat or {})
        self.picture = np.zeros((view.height, view.width, 3), np.uint8)
        self.labels = np.zeros((view.height, view.width), np.uint8)
        self._pixels, self._values = self.picture.reshape(-1, 3), self.labels.reshape(-1)  # views
        self._cos, self._sin = float(np.cos(view.roll)), float(np.sin(view.roll))

    def fill(self, category: str, paint: Paint, *outlines: Points) -> None:
        """Paint the inside of all outlines, and label it."""
        inside = self._inside(*outlines)
        self._values[inside] = INDEX[category]
        if category in self.flat:
            self._pixels[inside] = self.flat[category]
        elif len(inside):
            self._pixels[inside] = paint(*self._level(inside))

    def mark(self, category: str, *outlines: Points) -> None:
        """Label the inside of all outlines, and leave what is seen through it: the gaps of a fence."""
        inside = self._inside(*outlines)
        self._values[inside] = INDEX[category]
        if category in self.flat:
            self._pixels[inside] = self.flat[category]

    def shade(self, factor: float, *outlines: Points) -> None:
        """A shadow on what is there; no label changes, and flat categories stay as they are."""
        inside = self._inside(*outlines)
        if self.flat:
            inside = inside[~np.isin(self._values[inside], [INDEX[name] for name in self.flat])]
        self._pixels[inside] = (self._pixels[inside] * np.float32(factor)).astype(np.uint8)

    def at(self, place: Point) -> str | None:
        """The category that is painted at a place so far; None outside the picture."""
        column, row = self._roll([place])[0]
        inside = 0 <= column < self.view.width and 0 <= row < self.view.height
        return CATEGORIES[self.labels[int(row), int(column)]] if inside else None

    def _inside(self, *outlines: Points) -> Pixels:
        """The pixels inside any of the outlines, counted row by row."""
        rolled = [self._roll(outline) for outline in outlines]
        every = np.concatenate(rolled)
        left, top = (int(max(low, 0)) for low in np.floor(every.min(0)))
        right, bottom = np.minimum(np.ceil(every.max(0)) + 1, (self.view.width, self.view.height)).astype(int).tolist()
        if left >= right or top >= bottom:
            return np.empty(0, np.intp)
        mask = Image.new("L", (right - left, bottom - top))
        pen = ImageDraw.Draw(mask)
        for points in rolled:
            pen.polygon((points - (left, top)).reshape(-1).tolist(), fill=1)
        found = np.flatnonzero(np.asarray(mask))
        row, column = np.divmod(found.astype(np.int32), np.int32(right - left))
        return ((row + top) * self.view.width + column + left).astype(np.intp)

    def _roll(self, outline: Points) -> NDArray[np.float64]:
        middle = np.array([self.view.width / 2, self.view.height / 2])
        x, y = (np.asarray(outline, dtype=float) - middle).T
        return np.stack([self._cos * x - self._sin * y, self._sin * x + self._cos * y], axis=1) + middle

    def _level(self, pixels: Pixels) -> tuple[Floats, Floats]:
        rows, columns = np.divmod(pixels.astype(np.int32), np.int32(self.view.width))
        middle_x, middle_y = np.float32(self.view.width / 2), np.float32(self.view.height / 2)
        x, y = columns.astype(np.float32) - middle_x, rows.astype(np.float32) - middle_y
        cos, sin = np.float32(self._cos), np.float32(self._sin)
        return cos * x + sin * y + middle_x, cos * y - sin * x + middle_y
