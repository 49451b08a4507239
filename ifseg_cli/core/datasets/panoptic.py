"""COCO panoptic labels: a PNG whose colours are segment ids, and a JSON that says which category a segment has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ifseg_cli.core.datasets.dataset import LabelReader, Sample
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.images.decode import decode
from ifseg_cli.core.images.labels import RawIds


class PanopticLabels(LabelReader):
    """Reads segments as category ids; 0 is void.

    Args:
        segments: `panoptic_val2017.json` or the like.

    Raises:
        DatasetError: it cannot be read, or is none.
    """

    def __init__(self, segments: Path) -> None:
        self.path = segments
        try:
            values: Any = json.loads(segments.read_text(encoding="utf-8"))
            self._of = {
                str(entry["file_name"]): {int(each["id"]): int(each["category_id"]) for each in entry["segments_info"]}
                for entry in values["annotations"]
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            found = f"{segments} cannot be used: {type(error).__name__} {error}"
            raise DatasetError(found, "COCO's panoptic annotations") from error

    def read(self, sample: Sample) -> RawIds:
        """Category ids (H, W) uint16; segment id = R + 256 G + 65536 B."""
        categories = self._of.get(sample.label.name)
        if categories is None:
            raise DatasetError(f"{self.path} says nothing of {sample.label.name}", "an annotation for every PNG")
        red, green, blue = decode(sample.label).astype(np.uint32).transpose(2, 0, 1)
        segments, place = np.unique(red + 256 * green + 65536 * blue, return_inverse=True)
        if unknown := [int(each) for each in segments if each and int(each) not in categories]:
            raise DatasetError(f"{sample.label} has segment {unknown[0]}, of which {self.path} says nothing")
        values = np.array([categories.get(int(each), 0) for each in segments], dtype=np.uint16)
        return values[place].reshape(red.shape)
