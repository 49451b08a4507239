"""A folder of masks, and what their values mean.

- A mask has its label's path below the folder, with the suffix .png (or another a label may have).
- If the folder carries `classes.json` (as `ifseg predict` writes it), values are joined to the data set's classes by
  name, whatever their order; else they are taken as the ids of the data set's own category file.
- A value that is no class stays outside the classes: the pixel is wrong, and in no class's prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.datasets.dataset import DROPPED, VALUES, Dataset, Sample
from ifseg_cli.core.errors import SHOWN, DatasetError, listed
from ifseg_cli.core.images.classes import CLASSES, read_classes

SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")


@dataclass(frozen=True)
class Predictions:
    """Masks of a data set."""

    folder: Path
    table: NDArray[np.uint16]  # (65536,): mask value -> class index, `DROPPED` where it is no class
    values_from: str  # what said what the values mean
    of_the_run: frozenset[str] | None = None  # the masks that the run's own list names, where it left one

    def find(self, sample: Sample) -> Path | None:
        """The mask of a sample, None if there is none."""
        names = (f"{sample.stem}{suffix}" for suffix in SUFFIXES)
        mine = (self.folder / name for name in names if self.of_the_run is None or name in self.of_the_run)
        return next((path for path in mine if path.is_file()), None)


def open_predictions(folder: Path, dataset: Dataset) -> Predictions:
    """Find out what the masks of a folder hold.

    Raises:
        DatasetError: no such folder, no mask for any sample, or names that differ from the data set's.
    """
    if not folder.is_dir():
        raise DatasetError(f"--predictions {folder} is no folder", "the folder that ifseg predict wrote")
    described = read_classes(folder)
    if described is not None:
        source = str(folder / CLASSES)
        value_of = {each.name: each.value for each in described}
        require_same_names(tuple(value_of), dataset.classes, source, dataset.classes_from)
        raw_ids = tuple(value_of[name] for name in dataset.classes)
    else:
        raw_ids, source = dataset.raw_ids, dataset.classes_from
    table = np.full(VALUES, DROPPED, dtype=np.uint16)
    table[list(raw_ids)] = np.arange(len(raw_ids), dtype=np.uint16)
    predictions = Predictions(folder, table, source, _listed_by_the_run(folder))
    if not any(predictions.find(sample) for sample in dataset):
        example = f"{dataset.samples[0].stem}.png"
        raise DatasetError(f"{folder} has no mask for any of the {len(dataset)} labels", f"names like {example}")
    return predictions


def _told(alone: Sequence[str], every: Sequence[str]) -> str:
    """The names that one side has alone; how many of how many where they are more than a few."""
    return listed(alone) if len(alone) <= SHOWN else f"{len(alone)} of its {len(every)} names: {listed(alone)}"


def _listed_by_the_run(folder: Path) -> frozenset[str] | None:
    """The masks that `ifseg predict` says are finished; None where it did not write the folder."""
    from ifseg_cli.core.prediction.engine.manifest import PREDICTIONS, read_records

    if not (folder / PREDICTIONS).is_file():
        return None
    return frozenset(record.mask for record in read_records(folder))


def require_same_names(
    names: Sequence[str], classes: Sequence[str], source: str, classes_from: str, adapt: str = ""
) -> None:
    """A score needs the same names on both sides; their order may differ.

    Args:
        names: what masks show.
        classes: what labels show.
        source: where the names stand, for the message.
        classes_from: where the classes stand.
        adapt: the command that makes a model of these names, if a model's are not.

    Raises:
        DatasetError: they differ; lists what either side has alone.
    """
    left = [f"'{name}'" for name in names if name not in classes]
    right = [f"'{name}'" for name in classes if name not in names]
    if left or right:
        alone = [f"{source} alone has {_told(left, names)}"] if left else []
        alone += [f"{classes_from} alone has {_told(right, classes)}"] if right else []
        remedy = f"run {adapt}" if adapt else "rename them in --classes, or adapt anew"
        raise DatasetError(" and ".join(alone), "the same names on both sides", remedy)
