"""One artificial image: a small map of categories from which both the cells and the target are resized.

Two layouts draw such a map:

- `grid` (method, section 3): both sides uniform in 1..S, categories uniform with replacement.
- `regions` (beyond the paper, for the built-in base): curved regions of unequal size, as photographs have them. The
  sides are drawn likewise, and s_h * s_w sites are strewn: a Voronoi diagram with distances stretched by s_h : s_w,
  sites of unequal weight and warped borders, on a field finer than the grid.

`max_categories` (beyond the paper) limits either layout to a random subset of the vocabulary for each image.
`Heights` (beyond the paper, `regions` only) lets words keep to where they are usually seen: sky above, road below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.synthesis.nearest import IntMap, Rule, nearest_resize

Layout = Literal["grid", "regions"]
FIELD_PER_CELL = 4  # side of a `regions` map, in steps a cell: borders a quarter of a cell fine
MAX_REGIONS_SIDE = 8  # of `regions`: 64 sites at most, one loop step each
WARP_WAVES = 3  # sine waves a direction that bend its borders


@dataclass(frozen=True, eq=False)
class ArtificialImage:
    """A small map (s_h, s_w) of category ids, and the rule by which it is resized."""

    small: IntMap  # ids in 0..M-1, uint8 up to 256 categories, int16 above
    sides: tuple[int, int]  # (s_h, s_w) as drawn; the shape of `small` in the layout `grid`
    rule: Rule = "nearest"  # `nearest` is the method's; a field finer than the grid is read at the cells' middles

    def cells(self, grid: int) -> IntMap:
        """Category of each cell, (grid, grid): what stands in for an image's patches."""
        return nearest_resize(self.small, grid, grid, self.rule)

    def target(self, size: int) -> IntMap:
        """Category of each pixel, (size, size): resized from the same small map, not from the cells."""
        return nearest_resize(self.small, size, size, self.rule)


@dataclass(frozen=True)
class Heights:
    """Where in a picture words are usually seen."""

    usual: tuple[float, ...]  # of each category: 1 above all, -1 below all, 0 anywhere
    strength: float  # at most; an image keeps to it by a random share, so none is certain


def compact_dtype(num_categories: int) -> type[np.uint8] | type[np.int16]:
    """The smallest integer type that torch computes with and that holds ids 0..num_categories-1."""
    return np.uint8 if num_categories <= 256 else np.int16


def draw_grid(
    rng: np.random.Generator, num_categories: int, max_side: int, max_categories: int | None = None
) -> ArtificialImage:
    """Draw the method's map: sides uniform in 1..max_side, independent; ids uniform with replacement (section 3)."""
    sides = _draw_sides(rng, max_side)
    return ArtificialImage(_draw_ids(rng, sides, num_categories, max_categories), sides)


def draw_regions(
    rng: np.random.Generator,
    num_categories: int,
    max_side: int,
    grid: int,
    max_categories: int | None = None,
    heights: Heights | None = None,
) -> ArtificialImage:
    """Draw a map of curved regions, (4 * grid, 4 * grid); its cells are read at their middles.

    Args:
        rng: where chance comes from.
        num_categories: M.
        max_side: S; sides are drawn from 1..min(S, 8), and their product is the number of sites.
        grid: G, cells a side.
        max_categories: categories in the image, at most.
        heights: where categories are usually seen; None: anywhere.
    """
    sides = _draw_sides(rng, min(max_side, MAX_REGIONS_SIDE))
    ids = _draw_ids(rng, (sides[0] * sides[1],), num_categories, max_categories)
    regions = _voronoi(rng, sides, FIELD_PER_CELL * grid)
    if heights is not None:
        ids = _settle(rng, ids, regions, heights)
    return ArtificialImage(ids[regions], sides, rule="nearest-exact")


def _draw_sides(rng: np.random.Generator, max_side: int) -> tuple[int, int]:
    s_h, s_w = rng.integers(1, max_side, size=2, endpoint=True)
    return int(s_h), int(s_w)


def _draw_ids(
    rng: np.random.Generator, shape: tuple[int, ...], num_categories: int, max_categories: int | None
) -> IntMap:
    """Ids uniform with replacement; with a limit, out of a random subset of 1..max_categories of them."""
    dtype = compact_dtype(num_categories)
    if max_categories is None:
        return rng.integers(0, num_categories, size=shape).astype(dtype)
    size = int(rng.integers(1, min(max_categories, num_categories), endpoint=True))
    subset = rng.choice(num_categories, size=size, replace=False).astype(dtype)
    return subset[rng.integers(0, size, size=shape)]


def _settle(rng: np.random.Generator, ids: IntMap, regions: NDArray[np.intp], heights: Heights) -> IntMap:
    """Draw the regions' ids anew from those at hand, each with odds exp(strength * usual height * region's height)."""
    side = len(regions)
    pixels = np.bincount(regions.ravel(), minlength=len(ids))
    rows = np.bincount(regions.ravel(), np.repeat(np.arange(side) + 0.5, side), minlength=len(ids))
    height = 1 - 2 * rows / (side * np.maximum(pixels, 1))  # 1 at the top edge, -1 at the bottom edge
    usual = np.asarray(heights.usual)[ids]
    odds = np.exp(heights.strength * rng.uniform() * height[:, None] * usual[None, :])
    chance = np.cumsum(odds, axis=1) / odds.sum(axis=1, keepdims=True)
    return ids[(chance > rng.uniform(size=(len(ids), 1))).argmax(axis=1)]


def _voronoi(rng: np.random.Generator, sides: tuple[int, int], side: int) -> NDArray[np.intp]:
    """Index of the nearest site for each point of a (side, side) field, by warped, stretched, weighted distance."""
    steps = ((np.arange(side) + 0.5) / side).astype(np.float32)
    warp = rng.uniform(0.0, 0.08)  # amplitude, in sides of the picture
    stretch = (sides[0] / sides[1]) ** 0.5  # many rows: bands (sky above ground); many columns: trunks
    sites = sides[0] * sides[1]
    y = (steps[:, None] + _waves(rng, steps, warp)) * np.float32(stretch)
    x = (steps[None, :] + _waves(rng, steps, warp)) * np.float32(1 / stretch)
    centres = rng.uniform(0.0, 1.0, size=(sites, 2)) * (stretch, 1 / stretch)
    weights = rng.uniform(-0.5, 0.5, size=sites) / sites  # a large weight makes a large region
    offsets = (centres**2).sum(axis=1) - weights
    nearest = np.zeros((side, side), dtype=np.intp)
    best = np.full((side, side), np.inf, dtype=np.float32)
    for site in range(sites):  # a loop of whole-field steps: faster than argmin over a third axis
        # |p - c|^2 - w, without |p|^2, which is the same for every site
        cost = np.float32(offsets[site]) - np.float32(2 * centres[site, 0]) * y - np.float32(2 * centres[site, 1]) * x
        np.copyto(nearest, site, where=cost < best)
        np.minimum(best, cost, out=best)
    return nearest


def _waves(rng: np.random.Generator, steps: NDArray[np.float32], amplitude: float) -> NDArray[np.float32]:
    """A smooth displacement of a field: sines of random direction, one to five periods across; (side, side)."""
    total = np.zeros((len(steps), len(steps)), dtype=np.float32)
    for _ in range(WARP_WAVES):
        angle, periods, phase = rng.uniform(0, 2 * np.pi), rng.uniform(1, 5), rng.uniform(0, 2 * np.pi)
        down = np.float32(2 * np.pi * periods * np.cos(angle)) * steps + np.float32(phase)
        across = np.float32(2 * np.pi * periods * np.sin(angle)) * steps
        # sin(down + across) by the sum rule: sines of two lines, not of the whole field
        wave = np.outer(np.sin(down), np.cos(across)) + np.outer(np.cos(down), np.sin(across))
        total += np.float32(amplitude / periods) * wave
    return total
