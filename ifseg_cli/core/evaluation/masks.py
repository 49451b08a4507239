"""Where a system's masks lie: a folder of pictures of ids, or one JSON of COCO's results."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.datasets.coco import decode_rle
from ifseg_cli.core.datasets.dataset import Dataset, Sample
from ifseg_cli.core.errors import DatasetError, ImageError
from ifseg_cli.core.images.labels import RawIds, read_label_map
from ifseg_cli.core.prediction.engine.manifest import CONFIDENCE

SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")
NO_VALUE = 65535  # of a pixel that no result covers; never a class


class Masks:
    """Masks of a system, by sample."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def has(self, sample: Sample) -> bool:
        """Whether there is one."""
        raise NotImplementedError

    def read(self, sample: Sample) -> RawIds:
        """Values (H, W) of a sample's mask.

        Raises:
            ImageError: there is none, it cannot be read, or holds colours.
        """
        raise NotImplementedError

    def confidence(self, sample: Sample) -> NDArray[np.uint8] | None:
        """(H, W) uint8, how sure the system is of every pixel, 0..255 for 0..1; None where it does not say."""
        del sample
        return None

    def name(self, sample: Sample) -> str:
        """What a message calls a sample's mask."""
        return f"{self.place}: {sample.stem}"


class FolderMasks(Masks):
    """Pictures of ids: a mask has its label's path below the folder, with .png or another suffix that labels have.

    Args:
        place: the folder.
        of_the_run: the masks that the run's own list names, where it left one; no other is one.
    """

    def __init__(self, place: Path, of_the_run: frozenset[str] | None = None) -> None:
        super().__init__(place)
        self._of_the_run = of_the_run

    def path(self, sample: Sample) -> Path | None:
        """The file of a sample, None if there is none."""
        names = (f"{sample.stem}{suffix}" for suffix in SUFFIXES)
        mine = (self.place / name for name in names if self._of_the_run is None or name in self._of_the_run)
        return next((path for path in mine if path.is_file()), None)

    def has(self, sample: Sample) -> bool:
        """Whether there is a file."""
        return self.path(sample) is not None

    def read(self, sample: Sample) -> RawIds:
        """The file's ids."""
        path = self.path(sample)
        if path is None:
            raise ImageError(f"no mask {sample.stem}.png in {self.place}")
        return read_label_map(path)

    def confidence(self, sample: Sample) -> NDArray[np.uint8] | None:
        """What `ifseg predict --save-confidence` wrote beside the mask."""
        path = self.place / CONFIDENCE / f"{sample.stem}.png"
        if self._of_the_run is None or not path.is_file():
            return None
        read = read_label_map(path)
        return read.astype(np.uint8) if read.dtype == np.uint8 else None

    def name(self, sample: Sample) -> str:
        """Its path."""
        return str(self.path(sample) or self.place / f"{sample.stem}.png")


class ResultsMasks(Masks):
    """COCO's results: one RLE for every category of an image, as its evaluators and detectron2 write them.

    [{"image_id": 139, "category_id": 92, "segmentation": {"size": [h, w], "counts": "..."}}, ...]

    detectron2 writes `file_name` instead of `image_id`. Later entries are painted over earlier ones. A value is the raw
    id of the data set's labels: the category id less what the data set adds to it (1 for COCO-Stuff, else 0).

    Args:
        place: the file.
        dataset: whose samples they are of.

    Raises:
        DatasetError: the file is none of these.
    """

    def __init__(self, place: Path, dataset: Dataset) -> None:
        super().__init__(place)
        self._offset = dataset.category_offset
        self._of: dict[str, list[dict[str, Any]]] = {}
        stems = _stems_by_name(dataset)
        for entry in _entries(place):
            if (stem := stems.get(_key(entry))) is not None:
                self._of.setdefault(stem, []).append(entry)

    def has(self, sample: Sample) -> bool:
        """Whether there is an entry."""
        return sample.stem in self._of

    def read(self, sample: Sample) -> RawIds:
        """Raw ids (H, W) uint16, 65535 where no result covers."""
        entries = self._of.get(sample.stem)
        if entries is None:
            raise ImageError(f"no mask {sample.stem}.png in {self.place}")
        height, width = entries[0]["segmentation"]["size"]
        made = np.full((int(height), int(width)), NO_VALUE, dtype=np.uint16)
        for entry in entries:
            value = int(entry["category_id"]) - self._offset
            if not 0 <= value < NO_VALUE:
                raise ImageError(f"{self.name(sample)} has category {entry['category_id']}", f"from {self._offset} on")
            made[_decoded(entry["segmentation"], self.name(sample), made.shape)] = value
        return made


def _entries(place: Path) -> list[dict[str, Any]]:
    try:
        written: Any = json.loads(place.read_text(encoding="utf-8"))
        entries: list[dict[str, Any]] = written["annotations"] if isinstance(written, dict) else written
        for entry in entries:
            _check(entry)
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"{place} cannot be used: {type(error).__name__} {error}"
        expected = "COCO's results: a list of image_id (or file_name), category_id and segmentation (RLE)"
        raise DatasetError(found, expected, "or name a folder of masks") from error
    return entries


def _check(entry: dict[str, Any]) -> None:
    """Raise KeyError, TypeError or ValueError if an entry is none."""
    _key(entry)
    int(entry["category_id"])
    height, width = entry["segmentation"]["size"]
    if int(height) < 1 or int(width) < 1 or "counts" not in entry["segmentation"]:
        raise ValueError(f"a segmentation of size {height} x {width}")


def _key(entry: dict[str, Any]) -> str | int:
    """What an entry calls its image: a number, or the stem of a file."""
    return int(entry["image_id"]) if "image_id" in entry else PurePath(str(entry["file_name"])).stem


def _stems_by_name(dataset: Dataset) -> dict[str | int, str]:
    """Number (where a stem ends in one) and last part of a stem -> stem."""
    last = {sample.stem: PurePath(sample.stem).name for sample in dataset}
    numbers = {int(digits): stem for stem, name in last.items() if (digits := name.rpartition("_")[2]).isdecimal()}
    return {**numbers, **{name: stem for stem, name in last.items()}}


def _decoded(rle: dict[str, Any], name: str, size: tuple[int, ...]) -> NDArray[np.bool_]:
    try:
        made = decode_rle(rle)
    except Exception as error:  # pycocotools raises almost anything on broken RLE
        raise ImageError(f"{name} has a broken RLE: {error}", "RLE of the image's size") from error
    if made.shape != size:
        raise ImageError(f"{name} has results of different sizes: {made.shape} and {size}", "one size an image")
    return made


def any_of(masks: Masks, samples: Iterable[Sample]) -> bool:
    """Whether there is a mask for any sample."""
    return any(masks.has(sample) for sample in samples)
