"""COCO's JSON annotations as label maps, decoded by pycocotools: stuff first, things painted over it, crowds too.

Values are those of the published PNGs (stuffthingmaps): category id - 1, 255 where nothing was annotated. Category 183
of the stuff challenge, "other", stands for all things and is no class: things painted over it are.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.datasets.dataset import LabelReader, Sample
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.images.labels import RawIds

UNLABELLED, OTHER = 255, 183
LONGEST_RUN = 60  # bits of its length


class CocoLabels(LabelReader):
    """Reads labels from annotation files.

    Args:
        files: in the order in which they are painted: stuff, then instances.

    Raises:
        DatasetError: a file cannot be read, or is none.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.parts: list[Any] = [_load(path) for path in files]
        self.images: dict[str, dict[str, Any]] = {}  # stem -> what the first file says of the image
        for part in self.parts:
            for image in part.dataset["images"]:
                self.images.setdefault(PurePath(image["file_name"]).stem, image)

    def read(self, sample: Sample) -> RawIds:
        """(H, W) uint8: category id - 1."""
        image = self.images[sample.stem]
        made = np.full(self.size(sample), UNLABELLED, dtype=np.uint8)
        for part in self.parts:
            for annotation in part.loadAnns(part.getAnnIds(imgIds=[image["id"]])):
                category = int(annotation["category_id"])
                if not 1 <= category <= OTHER:
                    raise DatasetError(f"{sample.label} has category {category}", f"ids from 1 to {OTHER}")
                if category == OTHER:
                    continue
                try:
                    mask = decode_rle(part.annToRLE(annotation))
                except Exception as error:  # pycocotools raises almost anything on broken RLE
                    found = f"{sample.label}: annotation {annotation.get('id')} of {sample.stem} is broken: {error}"
                    raise DatasetError(found, "polygons or RLE of the image's size") from error
                made[mask] = category - 1
        return made

    def size(self, sample: Sample) -> tuple[int, int]:
        """(height, width), as the JSON says."""
        image = self.images[sample.stem]
        return int(image["height"]), int(image["width"])


def decode_rle(rle: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - pycocotools has no types
    """The mask (H, W) of a run-length encoding, packed or plain.

    Raises:
        Exception: of almost any kind, if it is broken.
    """
    from pycocotools import mask as coco

    (height, width), counts = rle["size"], rle["counts"]
    runs = counts if isinstance(counts, list) else _unpacked(counts)
    if min(runs, default=0) < 0 or sum(runs) != height * width:  # what runs leave out would be whatever lay in memory
        raise ValueError(f"its runs are {sum(runs):,} pixels long, its size is {height} x {width}")
    packed = coco.frPyObjects(rle, height, width) if isinstance(counts, list) else rle
    with warnings.catch_warnings():  # its arrays predate numpy 2 and say so at every call
        warnings.simplefilter("ignore", DeprecationWarning)
        return coco.decode(packed) > 0


def _unpacked(counts: str | bytes) -> list[int]:
    """The lengths of the runs of a packed encoding (COCO's `rleFrString`), which pycocotools keeps to itself."""
    runs: list[int] = []
    value, shift = 0, 0
    for letter in counts.encode("ascii") if isinstance(counts, str) else counts:
        digit = letter - 48
        value |= (digit & 0x1F) << shift
        shift += 5
        if not digit & 0x20:  # the last digit of a number; its highest bit is the sign, and runs are differences
            value -= (digit & 0x10) << (shift - 4)
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value, shift = 0, 0
        elif shift > LONGEST_RUN:
            raise ValueError("a run has no end")
    if shift:
        raise ValueError("it ends within a number")
    return runs


def _load(path: Path) -> Any:  # noqa: ANN401 - pycocotools has no types
    from pycocotools.coco import COCO

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it tells how long it took
            loaded = COCO(str(path))
        if not loaded.dataset["images"] or "annotations" not in loaded.dataset:
            raise KeyError("images")
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise DatasetError(f"{path} cannot be used: {type(error).__name__} {error}", "COCO's annotations") from error
    return loaded
