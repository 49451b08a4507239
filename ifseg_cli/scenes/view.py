"""Where a metre lies in the picture: a camera over flat ground.

A point of the ground is named by the *scale* s at its distance, in pixels a metre. The horizon is s = 0; a thing that
stands at scale s has its foot at y = horizon + camera * s, and h metres above the ground is s * h pixels higher.
So far things are small, high in the picture and hidden by near ones, whatever the horizon is.
"""

from __future__ import annotations

from dataclasses import dataclass

from ifseg_cli.scenes.textures import Rng

Point = tuple[float, float]


@dataclass(frozen=True)
class View:
    """A camera; everything in pixels of the picture before it is rolled, camera heights in metres."""

    height: int
    width: int
    horizon: float  # y; may lie above or below the picture
    centre: float  # x of the point to which what runs ahead converges
    camera: float  # metres above the ground
    roll: float  # radians

    @property
    def unit(self) -> float:
        """The shorter side."""
        return float(min(self.height, self.width))

    @property
    def focal(self) -> float:
        """Focal length in pixels: about 60 degrees of view."""
        return 0.9 * max(self.height, self.width)

    @property
    def nearest(self) -> float:
        """The scale of the ground at the lower edge, at least as if a third of the picture were ground."""
        return max(self.height - self.horizon, 0.3 * self.height) / self.camera

    @property
    def closest(self) -> float:
        """The largest scale at which things stand: a person then fills most of the picture."""
        return min(1.1 * self.nearest, 0.45 * self.unit)

    @property
    def left(self) -> float:
        """An x left of all that is seen, even if the picture is rolled."""
        return -0.25 * self.width - 0.25 * self.height

    @property
    def right(self) -> float:
        """An x right of all that is seen."""
        return self.width - self.left

    @property
    def bottom(self) -> float:
        """A y below all that is seen."""
        return 1.5 * self.height + 0.3 * self.width

    def at(self, x: float, scale: float, up: float = 0.0) -> Point:
        """`up` metres above the ground at scale `scale`, x metres right of the centre."""
        return self.centre + x * scale, self.horizon + (self.camera - up) * scale

    def scale_at(self, y: float) -> float:
        """The scale of the ground at height y of the picture; at least a little."""
        return max(y - self.horizon, 1.0) / self.camera

    def across(self, x: float, scale: float) -> float:
        """How many metres right of the centre pixel column x lies, at that scale."""
        return (x - self.centre) / scale


def draw_view(rng: Rng, height: int, width: int, horizon: tuple[float, float], camera: tuple[float, float]) -> View:
    """A camera with its horizon at a share of the height and its height in metres from the given ranges."""
    return View(
        height=height,
        width=width,
        horizon=height * rng.uniform(*horizon),
        centre=width * rng.uniform(0.1, 0.9),
        camera=float(rng.uniform(*camera)),
        roll=float(rng.normal() * 0.05 if rng.random() < 0.7 else rng.uniform(-0.2, 0.2)),
    )
