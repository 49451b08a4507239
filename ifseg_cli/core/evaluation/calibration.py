"""Does confidence mean anything: of the pixels that a model is 80 % sure of, are 80 % right?

Counted at the 256 levels that a confidence picture has, shown in bins of equal width; the expected calibration error is
the mean distance between confidence and accuracy of the bins, weighted by their pixels (Guo et al., ICML 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.evaluation.pairs import Counts

LEVELS, BINS = 256, 15
SENTENCE = (
    f"mean distance between confidence and the share of pixels that are right, over {BINS} bins of confidence, "
    "weighted by pixels; pixels whose label is ignored or whose mask is no class are left out."
)


@dataclass(frozen=True)
class Bin:
    """Pixels of a range of confidence."""

    low: float  # 0..1
    high: float
    pixels: int
    confidence: float  # their mean
    accuracy: float  # share of them that is right


class Calibration:
    """Counts of pixels and of right pixels, by level of confidence."""

    def __init__(self) -> None:
        self.pixels: Counts = np.zeros(LEVELS, dtype=np.int64)
        self.right: Counts = np.zeros(LEVELS, dtype=np.int64)

    def add(self, pixels: Counts, right: Counts) -> None:
        """Add an image's counts, (256,) each."""
        self.pixels += pixels
        self.right += right

    @property
    def counted(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.pixels.any())

    def bins(self) -> tuple[Bin, ...]:
        """The bins that hold pixels, from unsure to sure."""
        place = np.minimum(np.arange(LEVELS) * BINS // LEVELS, BINS - 1)
        made: list[Bin] = []
        for at in range(BINS):
            here = place == at
            pixels = int(self.pixels[here].sum())
            if pixels:
                confidence = float((self.pixels[here] * np.flatnonzero(here)).sum()) / pixels / (LEVELS - 1)
                made.append(Bin(at / BINS, (at + 1) / BINS, pixels, confidence, int(self.right[here].sum()) / pixels))
        return tuple(made)

    @property
    def error(self) -> float:
        """The expected calibration error, 0..1; nan where nothing was counted."""
        bins = self.bins()
        total = sum(each.pixels for each in bins)
        return (
            sum(each.pixels * abs(each.accuracy - each.confidence) for each in bins) / total if total else float("nan")
        )


def count_confidence(
    confidence: NDArray[np.uint8], right: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> tuple[Counts, Counts]:
    """(256,) pixels and right pixels by level, of the pixels that count."""
    return (
        np.bincount(confidence[counted], minlength=LEVELS).astype(np.int64),
        np.bincount(confidence[counted & right], minlength=LEVELS).astype(np.int64),
    )
