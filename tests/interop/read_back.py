"""Exports read by the tools themselves: run by an interpreter that has datumaro and labelme, and not ifseg.

    python read_back.py FOLDER      a folder of masks with exports/coco, exports/cvat and exports/labelme

Prints a line a form, and fails with the first pixel that is another.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NOTHING = -1
Values = NDArray[np.int64]


def main(out: Path) -> None:
    classes = {each["name"]: each["value"] for each in json.loads((out / "classes.json").read_text())["classes"]}
    records = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    ignore = json.loads((out / "classes.json").read_text())["ignore"]
    truth: dict[str, Values] = {}
    for record in records:
        values = np.asarray(Image.open(out / record["mask"])).astype(np.int64)
        truth[record["mask"].removesuffix(".png")] = np.where(values == ignore, NOTHING, values)
    for form, read in (
        ("cvat", by_datumaro("voc_segmentation")),
        ("coco", by_datumaro("coco_instances")),
        ("labelme", by_labelme),
    ):
        found = dict(read(out / "exports" / form, classes, truth))
        assert found.keys() == truth.keys(), (form, found.keys() ^ truth.keys())
        for name, values in found.items():
            assert np.array_equal(values, truth[name]), f"{form}: {name}: {(values != truth[name]).sum()} pixels differ"
        print(f"{form}: {len(found)} masks read back")


def by_datumaro(kind: str):
    """A reader of datumaro's format of that name, which CVAT imports by too."""
    from datumaro import AnnotationType, Dataset, Mask

    def read(folder: Path, classes: dict[str, int], truth: dict[str, Values]) -> Iterator[tuple[str, Values]]:
        if kind == "coco_instances":
            (folder / "images").mkdir(exist_ok=True)  # it insists on one
        data = Dataset.import_from(str(folder), kind)
        labels = [each.name for each in data.categories()[AnnotationType.label]]
        for item in data:
            values = np.full(truth[item.id].shape, NOTHING)
            for each in item.annotations:
                if isinstance(each, Mask) and labels[each.label] in classes:
                    values[each.image.astype(bool)] = classes[labels[each.label]]
            yield item.id, values

    return read


def by_labelme(folder: Path, classes: dict[str, int], truth: dict[str, Values]) -> Iterator[tuple[str, Values]]:
    """labelme's own reader of its files; it opens the picture too."""
    from labelme._label_file import LabelFile

    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        read = LabelFile(str(path))
        assert read.image_data, f"{path}: the picture was not found"
        values = np.full(truth[name].shape, NOTHING)
        for shape in read.shapes:
            (left, top), (right, bottom) = np.asarray(shape["points"]).astype(int)
            values[top : bottom + 1, left : right + 1][shape["mask"].astype(bool)] = classes[shape["label"]]
        yield name, values


if __name__ == "__main__":
    main(Path(sys.argv[1]))
