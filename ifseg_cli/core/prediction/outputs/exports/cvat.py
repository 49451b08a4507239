"""CVAT's "Segmentation mask 1.1", which is PASCAL VOC's tree with the labels' names and colours beside it.

    labelmap.txt                         name:red,green,blue:: , `background` (black) for pixels without a category
    ImageSets/Segmentation/default.txt   the pictures' names
    SegmentationClass/NAME.png           colours of the categories
    SegmentationObject/NAME.png          a colour a region's category, which is all that is known of objects

CVAT takes the tree as a zip: `cd exports/cvat && zip -r ../cvat.zip .`
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from ifseg_cli.core.files import atomic
from ifseg_cli.core.images.classes import MaskClass
from ifseg_cli.core.images.colour import RGB
from ifseg_cli.core.prediction.outputs.exports.form import Add, Mask, below

_BLACK: RGB = (0, 0, 0)


@contextmanager
def cvat(folder: Path, classes: Sequence[MaskClass], out: Path) -> Generator[Add]:
    """The tree of one set called `default`."""
    del out
    table = np.zeros((1 << 16, 3), dtype=np.uint8)
    for each in classes:
        table[each.value] = _visible(each.colour)
    with atomic(folder / "labelmap.txt", "w") as file:
        file.write("# label:color_rgb:parts:actions\n")
        file.writelines(f"{name}:{','.join(map(str, colour))}::\n" for name, colour in _labels(classes))
    with atomic(folder / "ImageSets" / "Segmentation" / "default.txt", "w") as names:

        def add(mask: Mask) -> None:
            names.write(f"{mask.name}\n")
            coloured = Image.fromarray(table[mask.values])
            for kind in ("SegmentationClass", "SegmentationObject"):
                with atomic(below(folder / kind, mask.name, ".png")) as file:
                    coloured.save(file, format="PNG")

        yield add


def _labels(classes: Sequence[MaskClass]) -> list[tuple[str, RGB]]:
    """Names and colours as they are written. A colon ends a name there, so it is written as a dash."""
    names = [each.name.replace(":", "-") for each in classes]
    nothing = "background" if "background" not in names else "no category"
    return [(nothing, _BLACK), *zip(names, (_visible(each.colour) for each in classes), strict=True)]


def _visible(colour: RGB) -> RGB:
    """Black is for pixels without a category: a category that is black becomes the darkest grey."""
    return colour if colour != _BLACK else (1, 1, 1)
