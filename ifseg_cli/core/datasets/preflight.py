"""Before any work: do labels, images and classes fit together?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.datasets.dataset import DROPPED, UNKNOWN, VALUES, Dataset, Sample
from ifseg_cli.core.errors import DatasetError, ImageError, listed
from ifseg_cli.core.images.labels import RawIds, upright_size

REAL_SHARE = 0.01  # of all pixels
GLANCE = 24  # labels that are looked at before all of them


@dataclass(frozen=True)
class LabelSurvey:
    """What stands in the labels of a data set."""

    pixels: NDArray[np.int64]  # (65536,): raw value -> pixels
    images: int

    def ignored(self, dataset: Dataset) -> int:
        """Pixels that are dropped."""
        return int(self.pixels[dataset.index_table() == DROPPED].sum())


class Survey:
    """Counts the values of labels one after another, then says whether they are what the data set declares."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self._table = dataset, dataset.index_table()
        self._pixels = np.zeros(VALUES, dtype=np.int64)
        self._images = 0
        self._first_strange: Path | None = None

    def add(self, sample: Sample, values: NDArray[np.int64], pixels: NDArray[np.int64]) -> None:
        """Count a label: its values, each once or several times, and their pixels."""
        np.add.at(self._pixels, values, pixels)
        self._images += 1
        if self._first_strange is None and (self._table[values] == UNKNOWN).any():
            self._first_strange = sample.label

    def require_declared(self) -> None:
        """So far, every value is a class or ignored, or may be something else.

        Raises:
            DatasetError: values that nobody declared.
        """
        if self._first_strange is not None and self._dataset.undeclared == "error":
            raise _no_class(self._dataset, self._pixels, self._first_strange)

    def conclude(self) -> LabelSurvey:
        """What was counted.

        Raises:
            DatasetError: values that are no class and not ignored, or nothing but ignored pixels.
        """
        self.require_declared()
        dataset, pixels = self._dataset, self._pixels
        if not pixels[self._table < UNKNOWN].any():
            raise DatasetError(
                "all pixels of all labels are ignored", f"ids of {dataset.classes_from}", "check --ignore"
            )
        _require_more_than_one_class(dataset, pixels)
        return LabelSurvey(pixels, self._images)


def check_dataset(dataset: Dataset, on_label: Callable[[Sample], None] = lambda _: None) -> LabelSurvey:
    """Read every label and compare it with its image and with the classes.

    Args:
        on_label: called after each label, for a progress bar.

    Raises:
        DatasetError: a label that cannot be read or holds colours; a size that differs; values that are no class
            and not ignored, or nothing but ignored pixels.
    """
    survey = Survey(dataset)
    for sample in dataset:
        label = dataset.labels.read(sample)
        require_same_size(sample, label.shape)
        survey.add(sample, *_counts(label))
        on_label(sample)
    return survey.conclude()


def glance(dataset: Dataset) -> None:
    """Look at a few labels, evenly spread, before all of them are read: a wrong convention shows in any of them.

    Raises:
        DatasetError: a label that cannot be read or holds colours, or values that are no class and not ignored.
    """
    survey, number = Survey(dataset), min(GLANCE, len(dataset))
    for at in range(number):
        sample = dataset.samples[at * len(dataset) // number]
        survey.add(sample, *_counts(dataset.labels.read(sample)))
    survey.require_declared()


def _counts(label: RawIds) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different values of a label, and the pixels of each."""
    pixels = np.bincount(label.reshape(-1))
    values = np.flatnonzero(pixels)
    return values, pixels[values]


def _require_more_than_one_class(dataset: Dataset, pixels: NDArray[np.int64]) -> None:
    """A 0/255 mask read as ids has one class and much "ignore": any mask that says that class is then perfect.

    Raises:
        DatasetError: one class alone is labelled, others are declared, and an ignored value covers a real share.
    """
    table = dataset.index_table()
    counts = np.bincount(table[table < UNKNOWN], weights=pixels[table < UNKNOWN], minlength=len(dataset.classes))
    dropped = {value: int(pixels[value]) for value in (255, 65535) if value in dataset.ignore and pixels[value]}
    share = sum(dropped.values()) / max(int(pixels.sum()), 1)
    never = [name for name, count in zip(dataset.classes, counts, strict=True) if not count]
    if not never or len(dataset.classes) - len(never) != 1 or share < REAL_SHARE or dataset.sure_of_ignore:
        return
    value = next(iter(dropped))
    found = f"'{never[0]}' is never labelled; {100 * share:.1f} % of the pixels are {value}"
    remedy = f"a 0/{value} mask? write {value} before that name (and the ids before the others)"
    raise DatasetError(found, "labels of more than one class", f"{remedy}; or say --ignore {value} if it is no class")


def require_same_size(sample: Sample, size: tuple[int, ...]) -> None:
    """Compare a label's size with its image's; an image whose header cannot be read is left to the prediction.

    Raises:
        DatasetError: they differ; nothing is resized in silence.
    """
    if sample.image is None:
        return
    try:
        seen = upright_size(sample.image)
    except ImageError:
        return
    if seen != size:
        found = f"{sample.label} is {_size(size)}, its image {sample.image} is {_size(seen)}"
        raise DatasetError(found, "equal sizes", "label the images at their own size, upright")


def _no_class(dataset: Dataset, pixels: NDArray[np.int64], first: Path) -> DatasetError:
    """The one line about values that nobody declared: which, how often, and what would declare them."""
    table = dataset.index_table()
    values = np.flatnonzero((table == UNKNOWN) & (pixels > 0)).tolist()
    told = listed([f"{value} ({int(pixels[value]):,} pixels)" for value in values])
    given = f"{min(dataset.raw_ids)}..{max(dataset.raw_ids)}"
    if values == [max(dataset.raw_ids) + 1] and not pixels[min(dataset.raw_ids)]:
        found = f"labels hold {values[0]}, which is no class, and never {min(dataset.raw_ids)}"
        lowest = min(dataset.raw_ids) + 1
        remedy = f"write the ids before the names ({lowest} {dataset.classes[0]}, ...): they are shifted by one"
        return DatasetError(found, f"ids {given} of {dataset.classes_from}", remedy)
    ignored = ", ".join(map(str, dataset.ignore)) or "nothing"
    return DatasetError(
        f"labels hold values that are no class: {told}, first in {first}",
        f"ids {given} of {dataset.classes_from} (ignored: {ignored})",
        f"add their names there, write the ids in front of the names, or drop them with --ignore {values[0]}",
    )


def _size(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]}"
