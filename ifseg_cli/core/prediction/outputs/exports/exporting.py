"""Write a finished folder once more, in the forms that other tools read.

    exports/coco/      COCO's JSON and results, run-length encoded           (coco.py)
    exports/cvat/      CVAT's "Segmentation mask 1.1", PASCAL VOC's tree      (cvat.py)
    exports/mmseg/     img_dir and ann_dir of mmsegmentation                  (mmseg.py)
    exports/labelme/   a JSON a picture, shapes of type `mask`                (labelme.py)
    exports/polygons/  a JSON a picture, simplified outlines                  (polygons.py)

They are made from the masks and the manifest alone: for a run that is finished, the same command with `--export` adds
them and segments nothing again. All forms are fed in one pass over the masks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from ifseg_cli.core.images.classes import read_classes
from ifseg_cli.core.prediction.engine.manifest import EXPORTS, Record, read_records
from ifseg_cli.core.prediction.outputs.exports.coco import coco
from ifseg_cli.core.prediction.outputs.exports.cvat import cvat
from ifseg_cli.core.prediction.outputs.exports.form import Form, Mask
from ifseg_cli.core.prediction.outputs.exports.labelme import labelme
from ifseg_cli.core.prediction.outputs.exports.mmseg import mmseg
from ifseg_cli.core.prediction.outputs.exports.polygons import polygons

FORMS: dict[str, Form] = {"coco": coco, "cvat": cvat, "mmseg": mmseg, "labelme": labelme, "polygons": polygons}


def export(out: Path, forms: Sequence[str], on_image: Callable[[Record], None] = lambda _: None) -> None:
    """Write a finished folder in several forms, into its sub-folder `exports`.

    Args:
        out: what a run of prediction wrote.
        forms: by name.
        on_image: called after every picture.

    Raises:
        OutputError: a file cannot be written, or a form cannot hold so many categories.
    """
    classes = read_classes(out) or ()
    with ExitStack() as opened:
        adds = [opened.enter_context(FORMS[name](out / EXPORTS / name, classes, out)) for name in forms]
        for mask in masks(out):
            for add in adds:
                add(mask)
            on_image(mask.record)


def masks(out: Path) -> Iterator[Mask]:
    """Every mask that is there, in the order of the manifests, each with its place in them."""
    for number, record in enumerate(read_records(out), 1):
        if (out / record.mask).is_file():
            with Image.open(out / record.mask) as image:
                yield Mask(record, number, np.asarray(image))
