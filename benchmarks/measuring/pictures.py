"""Pictures with truth, and the vocabularies they are read with.

    everyday-24, voc-20, all   100 photographs (COCO panoptic): names a user would write, PASCAL's,
                               and all of COCO's 133 that the masks' list has (129)
    camvid                     12 frames of CamVid
    scenes                     400 drawn scenes of a seed that nothing else uses, drawn once

Masks stay at original size. A value that no name of the vocabulary stands for is ignored.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.datasets.dataset import DatasetOptions
from ifseg_cli.core.datasets.scenes import open_scenes

IGNORED = 255
VOCABULARIES = ("everyday-24", "voc-20", "all", "camvid", "scenes")
CAMVID = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist")
SCENES, SCENES_SEED = 400, 20261124

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A picture and its mask on disk."""

    group: str  # the set of pictures it belongs to
    name: str  # its own within the set
    path: Path
    mask: Path


@dataclass(frozen=True, eq=False)
class Task:
    """Names, which of them each mask value means (`IGNORED` for none), and the pictures."""

    name: str
    names: tuple[str, ...]
    of_value: Labels  # (256,)
    pictures: tuple[Picture, ...]

    def truth(self, picture: Picture) -> Labels:
        """(H, W), an index into `names`, or `IGNORED`."""
        return self.of_value[np.asarray(Image.open(picture.mask))]

    def every(self, step: int) -> Task:
        """The same with every `step`-th picture."""
        return replace(self, pictures=self.pictures[::step])

    def only(self, chosen: Sequence[int]) -> Task:
        """The same with some of the names, by index; pixels of the others are ignored."""
        table = np.full(256, IGNORED, dtype=np.uint8)
        for index, before in enumerate(chosen):
            table[self.of_value == before] = index
        return replace(self, names=tuple(self.names[index] for index in chosen), of_value=table)

    def occurring(self) -> list[int]:
        """Indices of the names that at least one pixel of the pictures has."""
        found: set[int] = set()
        for picture in self.pictures:
            found.update(np.unique(self.truth(picture)).tolist())
        return sorted(found - {IGNORED})


def load_tasks(wanted: Iterable[str], data: Path, work: Path) -> list[Task]:
    """The vocabularies named in `wanted`, in the order of `VOCABULARIES`.

    Args:
        wanted: names of vocabularies.
        data: folder with `coco128` and `camvid`.
        work: where scenes are drawn to.
    """
    wanted = set(wanted)
    tasks = _coco(data / "coco128") if wanted & {"everyday-24", "voc-20", "all"} else []
    if "camvid" in wanted:
        tasks.append(_camvid(data / "camvid" / "CamVid"))
    if "scenes" in wanted:
        tasks.append(_scenes(work / f"scenes-{SCENES_SEED}-{SCENES}"))
    return [task for task in tasks if task.name in wanted]


def _coco(folder: Path) -> list[Task]:
    pictures = tuple(
        Picture("coco128", path.stem, path, folder / "masks" / f"{path.stem}.png")
        for path in sorted((folder / "images").glob("*.jpg"))
    )
    gathered: dict[str, Any] = json.loads((folder / "vocabularies.json").read_text(encoding="utf-8"))
    classes: dict[str, str] = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    every = {clean(name): [int(value)] for value, name in classes.items() if value != "0"}
    return [
        Task(name, tuple(values), table_of(dict(enumerate(values.values()))), pictures)
        for name, values in {**gathered, "all": every}.items()
    ]


def clean(name: str) -> str:
    """COCO's panoptic names as people write them: "wall-other-merged" -> "wall", "wall-brick" -> "brick wall"."""
    for suffix in ("-merged", "-stuff", "-other"):
        name = name.removesuffix(suffix)
    what, _, kind = name.partition("-")
    if kind and what in ("wall", "floor"):
        return f"{ {'wood': 'wooden'}.get(kind, kind) } {what}"
    return {"playingfield": "playing field"}.get(name, name.replace("-", " "))


def _camvid(folder: Path) -> Task:
    pictures = (
        Picture("camvid", path.stem, path, folder / "testannot" / path.name)
        for path in sorted((folder / "test").glob("*.png"))
    )
    return Task("camvid", CAMVID, table_of({index: [index] for index in range(len(CAMVID))}), tuple(pictures))


def _scenes(folder: Path) -> Task:
    print(f"scenes: {SCENES} in {folder}, drawn where they are missing", file=sys.stderr)
    scenes = open_scenes(DatasetOptions(count=SCENES, seed=SCENES_SEED), folder)
    pictures = zip((sample.stem for sample in scenes), scenes.images, (sample.label for sample in scenes), strict=True)
    table = table_of({index: [value] for index, value in enumerate(scenes.raw_ids)})
    return Task("scenes", scenes.classes, table, tuple(Picture(folder.name, *each) for each in pictures))


def table_of(values: Mapping[int, Sequence[int]]) -> Labels:
    """Index of a name -> the mask values it gathers, as a table (256,) from value to index."""
    table = np.full(256, IGNORED, dtype=np.uint8)
    for index, gathered in values.items():
        table[list(gathered)] = index
    return table
