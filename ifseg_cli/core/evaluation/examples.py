"""The worst and the best images as pictures: photograph, label, mask, and where they differ.

examples/00.photo.jpg  00.label.jpg  00.mask.jpg  00.errors.jpg  ...   from the worst to the best
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.datasets.dataset import DROPPED, Sample
from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.evaluation.report import JSON, Report
from ifseg_cli.core.evaluation.scoring import fitted
from ifseg_cli.core.evaluation.tally import ImageCounts
from ifseg_cli.core.files import atomic, forget
from ifseg_cli.core.images.colour import RGB
from ifseg_cli.core.images.decode import Pixels, read_photograph

FOLDER = "examples"
KINDS = ("photo", "label", "mask", "errors")
EACH = 4  # of the worst, and of the best
LONG_SIDE = 480  # pixels, at most
NAMED = 6  # classes named under a label and a mask
RIGHT, WRONG, LEFT_OUT = (222, 226, 224), (196, 40, 46), (120, 120, 126)
_STRENGTH = 0.35  # of the photograph under right and wrong


@dataclass(frozen=True)
class Picture:
    """One picture of an image."""

    kind: str  # photo, label, mask or errors
    path: str  # below the report
    classes: tuple[int, ...] = ()  # those with most pixels in it, largest first


@dataclass(frozen=True)
class Example:
    """An image of the page."""

    stem: str
    iou: float  # mean over the classes that occur in it
    pictures: tuple[Picture, ...]


def write_examples(
    report: Report, colours: Sequence[RGB], out: Path
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Write the pictures of the worst and the best images into `out/examples`.

    Args:
        report: of the evaluation.
        colours: one a class.
        out: the report's folder.

    Returns:
        The worst from the worst on, and the best from the best on.

    Raises:
        OutputError: a picture cannot be written.
    """
    if (out / JSON).is_file():  # an earlier report's; nobody else's pictures are touched
        forget([each for kind in KINDS for each in sorted((out / FOLDER).glob(f"[0-9][0-9].{kind}.jpg"))])
    ranked = sorted((each for each in report.tally.images if each.present.size), key=lambda each: (each.iou, each.stem))
    worst = ranked[: min(EACH, (len(ranked) + 1) // 2)]
    best = ranked[len(worst) :][-EACH:][::-1]
    samples = {sample.stem: sample for sample in report.dataset}
    made = [
        _write(report, samples[each.stem], each, colours, out, f"{number:02d}")
        for number, each in enumerate([*worst, *best])
    ]
    return tuple(made[: len(worst)]), tuple(made[len(worst) :])


def _write(
    report: Report, sample: Sample, counts: ImageCounts, colours: Sequence[RGB], out: Path, number: str
) -> Example:
    label = report.dataset.index_table()[report.dataset.labels.read(sample)]
    mask = report.predictions.table[fitted(report.predictions.masks.read(sample), label.shape)]
    photograph = _photograph(sample)
    size = _size(label.shape)
    pictures = {"label": _coloured(label, colours), "mask": _coloured(mask, colours)}
    pictures["errors"] = _errors(label, mask, photograph)
    if photograph is not None:
        pictures = {"photo": photograph, **pictures}
    largest = {"label": _largest(label, len(colours)), "mask": _largest(mask, len(colours))}
    written: list[Picture] = []
    for kind, pixels in pictures.items():
        path = f"{FOLDER}/{number}.{kind}.jpg"
        smooth = Image.Resampling.BICUBIC if kind == "photo" else Image.Resampling.NEAREST
        with atomic(out / path) as file:
            Image.fromarray(pixels).resize(size, smooth).save(file, format="JPEG", quality=88, subsampling=0)
        written.append(Picture(kind, path, largest.get(kind, ())))
    return Example(sample.stem, counts.iou, tuple(written))


def _largest(classes: NDArray[np.uint16], number: int) -> tuple[int, ...]:
    """The classes with most pixels, largest first."""
    pixels = np.bincount(classes[classes < number], minlength=number)
    return tuple(int(at) for at in np.argsort(-pixels, kind="stable")[:NAMED] if pixels[at])


def _photograph(sample: Sample) -> Pixels | None:
    """The image, None where there is none that can be read."""
    try:
        return read_photograph(sample.image).pixels if sample.image is not None else None
    except ImageError:
        return None


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    """(width, height) of a picture to look at."""
    factor = min(1.0, LONG_SIDE / max(shape))
    return max(1, round(shape[1] * factor)), max(1, round(shape[0] * factor))


def _coloured(classes: NDArray[np.uint16], colours: Sequence[RGB]) -> Pixels:
    """Classes as colours; what is none is black."""
    table = np.zeros((DROPPED + 1, 3), dtype=np.uint8)
    table[: len(colours)] = colours
    return table[classes]


def _errors(label: NDArray[np.uint16], mask: NDArray[np.uint16], photograph: Pixels | None) -> Pixels:
    """Right pale, wrong red, ignored grey, over the photograph where its size is the label's."""
    shown: NDArray[Any] = np.where((label == mask)[..., None], RIGHT, WRONG).astype(np.float32)
    shown[label == DROPPED] = LEFT_OUT
    if photograph is not None and photograph.shape[:2] == label.shape:
        grey = photograph.mean(axis=2, keepdims=True)
        shown = shown * (1 - _STRENGTH) + grey * _STRENGTH
    return np.rint(shown).astype(np.uint8)
