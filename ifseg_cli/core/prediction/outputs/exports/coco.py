"""COCO: a data set with its annotations, and results in the two forms that evaluators read.

    annotations/instances_default.json   images, categories, an annotation for every category present in an image;
                                         so named, CVAT takes it as it is (datumaro wants a folder images beside)
    results.json                         the same as results: COCO-Stuff's form, which `loadRes` of pycocotools reads
    sem_seg_predictions.json             the same by file name, as detectron2 writes semantic predictions

Pixels are run-length encoded by pycocotools. An image's id is the number its file is called by, as in COCO
(000000000139.jpg), if every file is called by a number of its own; else its place in the manifest. A category's id is
its value in the masks; in the annotations one more if one of them is 0, which readers of COCO take for no category.
Results keep the values: they are compared with labels by these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from pycocotools import mask as rle

from ifseg_cli.core.files import atomic
from ifseg_cli.core.images.classes import MaskClass
from ifseg_cli.core.prediction.engine.manifest import read_records
from ifseg_cli.core.prediction.outputs.exports.form import Add, Mask


@contextmanager
def coco(folder: Path, classes: Sequence[MaskClass], out: Path) -> Generator[Add]:
    """Three JSON files, written as the masks come: none is held in memory."""
    by_number = _are_numbers(record.image for record in read_records(out))

    def image_id(image: str, number: int) -> int:
        return int(PurePosixPath(image).stem) if by_number else number

    with (
        atomic(folder / "annotations" / "instances_default.json", "w") as annotations,
        atomic(folder / "results.json", "w") as results,
        atomic(folder / "sem_seg_predictions.json", "w") as by_name,
    ):
        first = int(any(each.value == 0 for each in classes))
        categories = [{"id": each.value + first, "name": each.name, "supercategory": ""} for each in classes]
        annotations.write(f'{{"categories": {json.dumps(categories)}, "images": [')
        add_image = _items(annotations)
        for number, record in enumerate(read_records(out), 1):
            size = {"width": record.width, "height": record.height}
            add_image({"id": image_id(record.image, number), "file_name": record.image, **size})
        annotations.write('], "annotations": [')
        results.write("[")
        by_name.write("[")
        add_annotation, add_result, add_by_name = (_items(file) for file in (annotations, results, by_name))
        written = 0

        def add(mask: Mask) -> None:
            nonlocal written
            image = image_id(mask.record.image, mask.number)
            for _, value, pixels in mask.regions():
                written += 1
                encoded = rle.encode(np.asfortranarray(pixels, dtype=np.uint8))
                what = {"category_id": value, "segmentation": _plain(encoded)}
                counted = {**what, "category_id": value + first}
                about = {"area": int(rle.area(encoded)), "bbox": rle.toBbox(encoded).tolist(), "iscrowd": 0}
                add_annotation({"id": written, "image_id": image, **counted, **about})
                add_result({"image_id": image, **what})
                add_by_name({"file_name": mask.record.image, **what})

        yield add
        annotations.write("]}")
        results.write("]")
        by_name.write("]")


def _plain(encoded: Mapping[str, Any]) -> dict[str, object]:
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode("ascii")}


def _items(file: IO[str]) -> Callable[[object], None]:
    """A function that writes one item of a JSON list."""
    first = True

    def add(item: object) -> None:
        nonlocal first
        file.write(("" if first else ",\n") + json.dumps(item))
        first = False

    return add


def _are_numbers(images: Iterable[str]) -> bool:
    """Whether every image is called by a number of its own."""
    numbers: set[int] = set()
    for image in images:
        stem = PurePosixPath(image).stem
        if not (stem.isascii() and stem.isdigit() and len(stem) < 16) or int(stem) in numbers:
            return False
        numbers.add(int(stem))
    return True
