"""What every data set is, once its files are found: names, ids and a list of samples. Nothing is decoded here.

A new data set is one small file with a function that returns a `Dataset`, and one line in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.images.labels import RawIds, read_label_map, upright_size

VALUES = 1 << 16  # label maps hold 16 bits at most
MAX_CLASSES = 8192  # a confusion matrix of half a gigabyte
DROPPED, UNKNOWN = 0xFFFF, 0xFFFE  # indices of ignored pixels, and of values that are neither class nor ignored
# Such values are an error, or dropped (a protocol says so), or kept: nobody can be right there (mmsegmentation's way).
UNDECLARED = ("error", "ignored", "kept")


@dataclass(frozen=True)
class Sample:
    """One image with its label."""

    stem: str  # path inside the folder without suffix, "/" between folders; the mask carries the same
    label: Path
    image: Path | None = None  # None where only masks are judged


class LabelReader:
    """How the labels of a data set are read: label maps, unless it knows better."""

    def read(self, sample: Sample) -> RawIds:
        """Raw ids (H, W) of a sample.

        Raises:
            ImageError: the label cannot be read, or holds colours.
            DatasetError: what belongs to it is missing.
        """
        return read_label_map(sample.label)

    def size(self, sample: Sample) -> tuple[int, int]:
        """(height, width) of a sample's label, without reading all of it.

        Raises:
            ImageError: it cannot be read.
        """
        return upright_size(sample.label)


@dataclass(frozen=True)
class DatasetOptions:
    """What a user can say about where a data set lies; each data set says which of these it needs."""

    images: Path | None = None
    labels: Path | None = None
    classes: str | None = None  # a category file, or a shipped list by name
    ignore: tuple[int, ...] = ()  # label values to drop besides the usual ones
    root: Path | None = None  # where a data set with a layout of its own lies
    count: int | None = None  # of drawn scenes
    seed: int | None = None  # of drawn scenes
    ignore_usual: bool = True  # drop 255 (65535 in 16 bits), or the data set's own void
    undeclared: str | None = None  # one of `UNDECLARED`, instead of the data set's own
    label_map: Path | None = None  # what label values are among the classes, several for one class if need be


@dataclass(frozen=True)
class Dataset:
    """Where a data set's files lie and what its ids mean."""

    name: str
    classes: tuple[str, ...]  # names in index order
    raw_ids: tuple[int, ...]  # the value that stands for each class in the label files
    ignore: tuple[int, ...]  # values in the label files that are dropped
    samples: tuple[Sample, ...]
    classes_from: str  # the file or option that says what ids mean; messages point to it
    value_of: tuple[tuple[int, int], ...] = ()  # raw value -> class index, where a class has several values
    undeclared: str = "error"  # what becomes of label values that are neither class nor ignored: one of `UNDECLARED`
    labels: LabelReader = field(default_factory=LabelReader)
    sure_of_ignore: bool = False  # the user said which values are no class
    official: int = 0  # images in the split that papers report; 0: nobody says
    category_offset: int = 0  # what is added to a raw id where COCO's JSON writes it

    @property
    def images(self) -> tuple[Path, ...]:
        """The images, in the order of the samples."""
        return tuple(sample.image for sample in self.samples if sample.image is not None)

    def index_table(self) -> NDArray[np.uint16]:
        """(65536,) uint16, raw label value -> class index, `DROPPED` where ignored, `UNKNOWN` where undeclared."""
        table = index_table(() if self.value_of else self.raw_ids, self.ignore)
        for value, index in self.value_of:
            table[value] = index
        if self.undeclared == "ignored":
            table[table == UNKNOWN] = DROPPED
        return table

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def __len__(self) -> int:
        return len(self.samples)


def index_table(raw_ids: tuple[int, ...], ignore: tuple[int, ...]) -> NDArray[np.uint16]:
    """(65536,) uint16: raw value -> its place in `raw_ids`; ignored values `DROPPED`, all others `UNKNOWN`."""
    table = np.full(VALUES, UNKNOWN, dtype=np.uint16)
    table[list(raw_ids)] = np.arange(len(raw_ids), dtype=np.uint16)
    table[list(ignore)] = DROPPED
    return table
