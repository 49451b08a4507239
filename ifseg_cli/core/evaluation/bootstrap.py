"""How sure mIoU is: a 95 % interval over images, so that a difference can be told from noise.

Images are drawn with replacement, as many as there are; the counts of a draw are summed and averaged as the definition
says. The percentile interval of many draws, seeded: the same counts give the same interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.evaluation.confusion import Areas
from ifseg_cli.core.evaluation.definitions import find_definition

RESAMPLES, SEED = 2000, 0
PERCENTILES = (2.5, 97.5)
_AT_ONCE = 100  # draws: bounds memory to that many rows of weights

Draws = NDArray[np.float64]


def resampled(images: Sequence[Areas], definition: str, resamples: int = RESAMPLES, seed: int = SEED) -> Draws:
    """mIoU of many draws of images.

    Args:
        images: the counts of each image.
        definition: which classes enter the mean.
        resamples: how many draws.
        seed: of the draws; the same seed draws the same images, so differences of two systems can be paired.

    Returns:
        (resamples,) fractions; nan where no class enters.
    """
    counts = np.stack([np.stack([each.intersect, each.pred, each.label]) for each in images]).astype(np.float64)
    flat, enters = counts.reshape(len(images), -1), find_definition(definition).enters
    random = np.random.default_rng(seed)
    made: list[Draws] = []
    for first in range(0, resamples, _AT_ONCE):
        draws = min(_AT_ONCE, resamples - first)
        times = random.multinomial(len(images), np.full(len(images), 1 / len(images)), size=draws).astype(np.float64)
        right, predicted, labelled = (times @ flat).reshape(draws, 3, -1).transpose(1, 0, 2)
        union = predicted + labelled - right
        iou = np.divide(right, union, out=np.zeros_like(right), where=union > 0)
        chosen = enters(labelled, union)
        number = chosen.sum(1)
        made.append(np.divide((iou * chosen).sum(1), number, out=np.full(draws, np.nan), where=number > 0))
    return np.concatenate(made)


def interval(images: Sequence[Areas], definition: str) -> tuple[float, float] | None:
    """The 95 % interval of mIoU over images; None for fewer than two."""
    if len(images) < 2:
        return None
    low, high = np.nanpercentile(resampled(images, definition), PERCENTILES)
    return float(low), float(high)
