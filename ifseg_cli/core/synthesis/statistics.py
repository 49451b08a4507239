"""What n artificial images hold: their sides, how large their regions are, how evenly the categories are drawn.

A region is a connected set of cells of one category on the grid the model reads; its size is counted in cells. Shares
are of the target's pixels, which is what the loss weighs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.images.components import components
from ifseg_cli.core.synthesis.draws import ArtificialImage
from ifseg_cli.core.synthesis.sampler import ArtificialImages


@dataclass(frozen=True)
class Spread:
    """Least, median, mean and most of some counts."""

    least: float
    median: float
    mean: float
    most: float

    @classmethod
    def of(cls, values: NDArray[Any]) -> Spread:
        """Of at least one value."""
        return cls(float(values.min()), float(np.median(values)), float(values.mean()), float(values.max()))


@dataclass(frozen=True)
class SizeClass:
    """Regions of `least` to `most` cells."""

    least: int
    most: int
    regions: int
    area_share: float  # of all cells, 0..1


@dataclass(frozen=True)
class DrawStatistics:
    """What the images of a draw hold."""

    images: int
    heights: tuple[int, ...]  # images with s_h = 1, 2, ..., S
    widths: tuple[int, ...]  # the same of s_w
    categories_an_image: Spread
    regions: int
    region_cells: Spread
    region_sizes: tuple[SizeClass, ...]  # in powers of two, empty classes left out
    pixel_share: tuple[float, ...]  # of each category, 0..1, sum 1
    images_with: tuple[int, ...]  # images in which each category appears
    chi_square: float | None  # of the ids drawn, over M - 1: near 1 when fair; None where draws are not independent

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, as `statistics.json` holds it."""
        return asdict(self)


def describe(sampler: ArtificialImages, images: Sequence[ArtificialImage]) -> DrawStatistics:
    """Count what `images`, drawn by `sampler`, hold. At least one image; one target is held at a time."""
    categories = sampler.num_categories
    pixels = np.zeros(categories, dtype=np.int64)
    images_with = np.zeros(categories, dtype=np.int64)
    distinct: list[int] = []
    sizes: list[NDArray[np.intp]] = []
    for image in images:
        counted = np.bincount(image.target(sampler.target_size).ravel(), minlength=categories)
        pixels += counted
        images_with += counted > 0
        distinct.append(int((counted > 0).sum()))
        sizes.append(np.bincount(components(image.cells(sampler.grid)).ravel()))
    region_cells = np.concatenate(sizes)
    drawn = np.array([image.sides for image in images])
    return DrawStatistics(
        images=len(images),
        heights=_histogram(drawn[:, 0]),
        widths=_histogram(drawn[:, 1]),
        categories_an_image=Spread.of(np.array(distinct)),
        regions=len(region_cells),
        region_cells=Spread.of(region_cells),
        region_sizes=_size_classes(region_cells),
        pixel_share=tuple(float(share) for share in pixels / pixels.sum()),
        images_with=tuple(int(count) for count in images_with),
        chi_square=_chi_square(sampler, images),
    )


def _histogram(sides: NDArray[np.integer[Any]]) -> tuple[int, ...]:
    return tuple(int(count) for count in np.bincount(sides)[1:])


def _size_classes(region_cells: NDArray[np.intp]) -> tuple[SizeClass, ...]:
    """1, 2-3, 4-7, 8-15, ... cells."""
    power = np.frexp(region_cells.astype(np.float64))[1] - 1  # floor(log2), exact
    found: list[SizeClass] = []
    for exponent in np.unique(power):
        inside = region_cells[power == exponent]
        least = 2 ** int(exponent)
        found.append(SizeClass(least, 2 * least - 1, len(inside), float(inside.sum() / region_cells.sum())))
    return tuple(found)


def _chi_square(sampler: ArtificialImages, images: Sequence[ArtificialImage]) -> float | None:
    """Pearson's chi-square of the small maps' ids against equal chances, over its degrees of freedom."""
    categories = sampler.num_categories
    if sampler.layout != "grid" or sampler.max_categories is not None or categories < 2:
        return None
    drawn = np.zeros(categories, dtype=np.int64)
    for image in images:
        drawn += np.bincount(image.small.ravel(), minlength=categories)
    even = drawn.sum() / categories
    return float(((drawn - even) ** 2).sum() / even / (categories - 1))
