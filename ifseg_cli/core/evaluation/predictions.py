"""A system's masks, and what their values mean.

- If the folder carries `classes.json` (as `ifseg predict` writes it), values are joined to the data set's classes by
  name, whatever their order; else they are taken as the ids of the data set's own labels.
- A class map says otherwise, by value or by name.
- A value that is no class stays outside the classes: the pixel is wrong, and in no class's prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.datasets.class_map import ClassMap
from ifseg_cli.core.datasets.dataset import DROPPED, VALUES, Dataset
from ifseg_cli.core.errors import SHOWN, DatasetError, listed
from ifseg_cli.core.evaluation.masks import FolderMasks, Masks, ResultsMasks, any_of
from ifseg_cli.core.images.classes import CLASSES, read_classes


@dataclass(frozen=True)
class Predictions:
    """Masks of a data set."""

    masks: Masks
    table: NDArray[np.uint16]  # (65536,): mask value -> class index, `DROPPED` where it is no class
    values_from: str  # what said what the values mean
    same_values: bool = False  # they are the label files' own
    unnamed: tuple[str, ...] = ()  # names of theirs that are no class, as the class map says
    name: str = ""  # of the system, where several are compared

    @property
    def place(self) -> Path:
        """Their folder or file."""
        return self.masks.place


def open_predictions(place: Path, dataset: Dataset, class_map: ClassMap | None = None, name: str = "") -> Predictions:
    """Find out what the masks of a folder, or of a JSON of results, hold.

    Raises:
        DatasetError: nothing there, no mask for any sample, or names that differ from the data set's.
    """
    masks = _open_masks(place, dataset)
    if not any_of(masks, dataset):
        example = f"names like {dataset.samples[0].stem}.png" if place.is_dir() else "the data set's images"
        raise DatasetError(f"{place} has no mask for any of the {len(dataset)} labels", example)
    described = read_classes(place) if place.is_dir() else None
    if described is None and class_map is None:
        table = _table(dict(zip(dataset.raw_ids, dataset.classes, strict=True)), dataset)
        return Predictions(masks, table, dataset.classes_from, same_values=True, name=name)
    source = str(place / CLASSES) if described is not None else ""
    names = tuple(each.name for each in described or ())
    if class_map is None:
        require_same_names(names, dataset.classes, source, dataset.classes_from)
        meaning: dict[int, str | None] = {each.value: each.name for each in described or ()}
    else:
        joined = class_map.join(
            names, source or f"{place}, which has no {CLASSES}", dataset.classes, dataset.classes_from
        )
        meaning = {each.value: joined[each.name] for each in described or ()} | class_map.values(names)
        source = f"{class_map.source} and {source}" if source else str(class_map.source)
    unnamed = tuple(each.name for each in described or () if meaning[each.value] is None)
    return Predictions(masks, _table(meaning, dataset), source, unnamed=unnamed, name=name)


def _open_masks(place: Path, dataset: Dataset) -> Masks:
    if place.suffix.lower() == ".json" and place.is_file():
        return ResultsMasks(place, dataset)
    if not place.is_dir():
        raise DatasetError(f"--predictions {place} is no folder", "a folder of masks, or COCO's results as .json")
    return FolderMasks(place, _listed_by_the_run(place))


def _table(meaning: dict[int, str] | dict[int, str | None], dataset: Dataset) -> NDArray[np.uint16]:
    index = {name: at for at, name in enumerate(dataset.classes)}
    table = np.full(VALUES, DROPPED, dtype=np.uint16)
    for value, name in meaning.items():
        if name is not None:
            table[value] = index[name]
    return table


def _told(alone: Sequence[str], every: Sequence[str]) -> str:
    """The names that one side has alone; how many of how many where they are more than a few."""
    return listed(alone) if len(alone) <= SHOWN else f"{len(alone)} of its {len(every)} names: {listed(alone)}"


def _listed_by_the_run(folder: Path) -> frozenset[str] | None:
    """The masks that `ifseg predict` says are finished; None where it did not write the folder."""
    from ifseg_cli.core.prediction.engine.manifest import manifests, read_records

    if not manifests(folder):
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
        remedy = f"run {adapt}, or say --swap-vocabulary or --class-map" if adapt else "rename them, or say --class-map"
        raise DatasetError(" and ".join(alone), "the same names on both sides", remedy)
