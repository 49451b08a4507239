"""From pixels to numbers: mIoU and pixel accuracy, over all pictures at once.

What is counted is three numbers a picture and name: pixels that are right, that are labelled so, that are called so.
All else follows from their sums: the figures, their 95 % interval over pictures (a bootstrap), their spread over seeds.
Every row is resampled by the same draws, so the interval of a difference of two rows is that of pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measuring.pictures import IGNORED, Labels

RESAMPLES, SEED = 2000, 0

Counts = NDArray[np.int64]  # (pictures, 3, M): pixels right, labelled, called
Floats = NDArray[np.float64]


def count(truth: Labels, found: NDArray[np.int16], names: int) -> Counts:
    """(3, M): pixels right, labelled and called so, of one picture; ignored ones left out."""
    counted = truth != IGNORED
    label, called = truth[counted], found[counted]
    return np.stack([np.bincount(each, minlength=names) for each in (label[label == called], label, called)])


def by_name(counts: NDArray[np.generic]) -> Floats:
    """(..., 3, M) -> IoU of every name (..., M), in percent; NaN for names that are not labelled."""
    right, labelled, called = np.moveaxis(counts.astype(np.float64), -2, 0)
    union = np.maximum(labelled + called - right, 1)
    return 100 * np.where(labelled > 0, right / union, np.nan)


def figures(counts: NDArray[np.generic]) -> Floats:
    """(..., 3, M) -> (..., 2): mIoU over the names that are labelled, and pixel accuracy, in percent."""
    right, labelled, _ = np.moveaxis(counts.astype(np.float64), -2, 0)
    accuracy = 100 * right.sum(-1) / np.maximum(labelled.sum(-1), 1)
    return np.stack([np.nanmean(by_name(counts), axis=-1), accuracy], axis=-1)


def resampled(runs: Sequence[Counts]) -> Floats:
    """Figures of pictures drawn with replacement, their mean over the runs: (RESAMPLES, 2)."""
    pictures = len(runs[0])
    times = np.random.default_rng(SEED).multinomial(pictures, [1 / pictures] * pictures, size=RESAMPLES)
    drawn = [(times.astype(np.float64) @ run.reshape(pictures, -1)).reshape(-1, *run.shape[1:]) for run in runs]
    return np.mean([figures(each) for each in drawn], axis=0)


def interval(samples: Floats) -> Floats:
    """2.5 and 97.5 %: (n, ...) -> (2, ...)."""
    return np.percentile(samples, [2.5, 97.5], axis=0)


@dataclass(frozen=True, eq=False)
class Measured:
    """A row of a table, measured once, or once a seed.

    Attributes:
        each: (runs, 2), mIoU and accuracy of every run.
        mean: (2,), over the runs.
        spread: (2,), standard deviation over the runs; 0 for a single one.
        samples: (RESAMPLES, 2), see `resampled`.
        iou: (M,), of every name, mean over the runs.
    """

    each: Floats
    mean: Floats
    spread: Floats
    samples: Floats
    iou: Floats
    pictures: int

    @classmethod
    def of(cls, runs: Sequence[Counts]) -> Measured:
        """From the counts of each run."""
        totals = np.stack([run.sum(0) for run in runs])
        each = figures(totals)
        spread = each.std(axis=0, ddof=1) if len(each) > 1 else np.zeros(2)
        return cls(each, each.mean(0), spread, resampled(runs), by_name(totals).mean(0), len(runs[0]))
