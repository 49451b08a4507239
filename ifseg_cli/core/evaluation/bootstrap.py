"""How sure mIoU is: a 95 % interval over images, so that a difference can be told from noise.

Images are drawn with replacement, as many as there are; the counts of a draw are summed and averaged as the definition
says. The percentile interval of many draws, seeded: the same counts give the same interval. Two systems are compared on
the same draws, so what is hard about an image falls out of their difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.evaluation.definitions import find_definition
from ifseg_cli.core.evaluation.tally import ImageCounts

RESAMPLES, SEED = 2000, 0
PERCENTILES = (2.5, 97.5)
_AT_ONCE = 100  # draws: bounds memory to that many rows of weights
_IMAGES = 512  # images whose counts are laid out at once

Draws = NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """mIoU of one system less that of another, on the same draws of images."""

    value: float  # on all images
    interval: Interval

    @property
    def beyond_noise(self) -> bool:
        """Whether 0 lies outside the interval."""
        low, high = self.interval
        return low > 0 or high < 0


def resampled(
    images: Sequence[ImageCounts], classes: int, definition: str, resamples: int = RESAMPLES, seed: int = SEED
) -> Draws:
    """mIoU of many draws of images.

    Args:
        images: the counts of each image.
        classes: how many there are.
        definition: which classes enter the mean.
        resamples: how many draws.
        seed: of the draws; the same seed draws the same images, so differences of two systems can be paired.

    Returns:
        (resamples,) fractions; nan where no class enters.
    """
    enters = find_definition(definition).enters
    random = np.random.default_rng(seed)
    made: list[Draws] = []
    for first in range(0, resamples, _AT_ONCE):
        draws = min(_AT_ONCE, resamples - first)
        times = random.multinomial(len(images), np.full(len(images), 1 / len(images)), size=draws).astype(np.float64)
        right, predicted, labelled = _summed(images, times, classes)
        union = predicted + labelled - right
        iou = np.divide(right, union, out=np.zeros_like(right), where=union > 0)
        chosen = enters(labelled, union)
        number = chosen.sum(1)
        made.append(np.divide((iou * chosen).sum(1), number, out=np.full(draws, np.nan), where=number > 0))
    return np.concatenate(made)


def _summed(images: Sequence[ImageCounts], times: Draws, classes: int) -> NDArray[np.float64]:
    """(3, draws, classes): right, predicted and labelled pixels, each image so many times."""
    total = np.zeros((times.shape[0], 3 * classes))
    for first in range(0, len(images), _IMAGES):
        part = images[first : first + _IMAGES]
        laid_out = np.zeros((len(part), 3, classes))
        for row, image in zip(laid_out, part, strict=True):
            row[:, image.present] = image.counts
        total += times[:, first : first + _IMAGES] @ laid_out.reshape(len(part), -1)
    return total.reshape(-1, 3, classes).transpose(1, 0, 2)


def interval(images: Sequence[ImageCounts], classes: int, definition: str) -> Interval | None:
    """The 95 % interval of mIoU over images; None for fewer than two."""
    return _percentiles(resampled(images, classes, definition)) if len(images) > 1 else None


def difference(
    ours: Sequence[ImageCounts], theirs: Sequence[ImageCounts], classes: int, definition: str, value: float
) -> Difference | None:
    """The 95 % interval of `ours` less `theirs`, paired over the same images; None for fewer than two.

    Args:
        ours: the counts of each image.
        theirs: of the same images in the same order.
        classes: how many there are.
        definition: which classes enter the mean.
        value: the difference on all images.
    """
    if len(ours) < 2:
        return None
    draws = resampled(ours, classes, definition) - resampled(theirs, classes, definition)
    return Difference(value, _percentiles(draws))


def _percentiles(draws: Draws) -> Interval:
    low, high = np.nanpercentile(draws, PERCENTILES)
    return float(low), float(high)
