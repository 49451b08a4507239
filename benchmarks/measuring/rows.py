"""The rows of a table: what is made of what the base sees.

f         the image-level classifier: its best name painted over the whole picture
a         plain scores: cell . row; b the same smoothed
c         the base as it ships, with its encoder and decoder, not adapted; c' the same smoothed
d         adapted to the vocabulary; e adapted and smoothed: what `ifseg predict` gives
d-pure    adapted by the recipe `pure`, the method's own form; e-pure the same smoothed
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.prediction.method.presence import with_presence
from ifseg_cli.core.prediction.method.smoothing import smooth
from ifseg_cli.core.prediction.method.upsample import label_map
from ifseg_cli.core.recipe import PredictionSettings
from measuring.looks import Look

Scorer = Callable[[Segmenter, Look], Tensor]  # -> scores (1, N, M)
OWN, PURE = "own", "pure"


def painted(segmenter: Segmenter, seen: Look) -> Tensor:
    return segmenter.plain_scores(seen.painted).expand(-1, seen.cells.shape[1], -1)


def plain(segmenter: Segmenter, seen: Look) -> Tensor:
    return segmenter.plain_scores(seen.cells)


def model(segmenter: Segmenter, seen: Look) -> Tensor:
    return segmenter.scores(seen.cells, seen.grid)


@dataclass(frozen=True)
class Row:
    """One way to label a picture."""

    title: str
    scorer: Scorer
    smoothed: bool = False
    adapted: str | None = None  # by which recipe: `OWN`, `PURE`, or not at all


ROWS = {
    "f": Row("classifier painted", painted),
    "a": Row("plain", plain),
    "b": Row("plain smoothed", plain, smoothed=True),
    "c": Row("unadapted", model),
    "c'": Row("unadapted smoothed", model, smoothed=True),
    "d": Row("adapted", model, adapted=OWN),
    "e": Row("adapted smoothed", model, smoothed=True, adapted=OWN),
    "d-pure": Row("adapted, pure", model, adapted=PURE),
    "e-pure": Row("adapted, pure, smoothed", model, smoothed=True, adapted=PURE),
}


def winners(
    scores: Tensor, seen: Look, smoothing: PredictionSettings | None, size: tuple[int, int]
) -> NDArray[np.int16]:
    """Scores (1, N, M) -> the winner for every pixel (H, W), with presence and smoothed where `smoothing` says how."""
    if smoothing is not None:
        scores = with_presence(scores, smoothing.presence)
        neighbours = seen.neighbours[..., : smoothing.neighbours]
        scores = smooth(scores.softmax(-1), neighbours, smoothing.smoothing_iterations)
    values = scores[0].T.reshape(-1, *seen.grid)
    # Scores or not makes a difference to the confidence only, which nobody asks for here.
    return label_map([values], size, are_scores=False).labels
