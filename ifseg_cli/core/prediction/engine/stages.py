"""The five stages of prediction, with small values between them: what `Model.predict` and a run are made of.

    read -> prepare -> score (a batch) -> finish -> write

Each stage can be handed to another thread, process or machine; pictures of one prepared size can share a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ifseg_cli.core.bases.base import Network, PictureFacts
from ifseg_cli.core.images.decode import Photograph, Pixels, read_photograph
from ifseg_cli.core.images.masks import IGNORED
from ifseg_cli.core.images.opening import MAX_PIXELS
from ifseg_cli.core.images.sources import Source
from ifseg_cli.core.prediction.engine.manifest import Record
from ifseg_cli.core.prediction.method.segment import (
    GridValues,
    cell_probabilities,
    full_size,
    grid_values,
    network_inputs,
)
from ifseg_cli.core.prediction.outputs.prediction import Prediction
from ifseg_cli.core.prediction.outputs.writing import write_results
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary


def read(picture: Path | str | bytes, settings: PredictionSettings) -> Photograph:
    """A file, or its bytes, as upright RGB.

    Raises:
        ImageError: it cannot be read.
    """
    return read_photograph(picture, settings.max_pixels or MAX_PIXELS, settings.accept_truncated)


def prepare(pixels: Pixels, pictures: PictureFacts, settings: PredictionSettings) -> tuple[Tensor, ...]:
    """The network's inputs (1, 3, H', W') on the CPU, one a scale."""
    return network_inputs(pixels, pictures, settings)


def score(network: Network, prepared: Sequence[tuple[Tensor, ...]], settings: PredictionSettings) -> GridValues:
    """Class values of prepared pictures of one size."""
    return grid_values(network, [torch.cat(same_scale) for same_scale in zip(*prepared, strict=True)], settings)


def finish(
    picture: Photograph, found: GridValues, index: int, vocabulary: Vocabulary, settings: PredictionSettings
) -> Prediction:
    """The answer for picture `index` of a batch, at its own size; what is transparent has no category."""
    made = full_size(found, index, picture.pixels, settings)
    if picture.hidden is not None and not settings.keep_transparent:
        made.labels[picture.hidden] = IGNORED
        made.confidence[picture.hidden] = 0.0
    return Prediction(picture.pixels, made.labels, made.confidence, vocabulary, cell_probabilities(found, index))


def write(
    out: Path,
    source: Source,
    picture: Photograph,
    prediction: Prediction,
    settings: PredictionSettings,
    seconds: float,
    stamp: tuple[int, int, str] = (0, 0, ""),
) -> Record:
    """Write a picture's files; gives its line of the manifest, with the stamp of what it was made from and by.

    Raises:
        OutputError: a file cannot be written.
    """
    record = write_results(out, source, prediction, settings, seconds)
    size, mtime, run = stamp
    return replace(record, frames=picture.frames, notes=picture.notes, size=size, mtime=mtime, run=run)
