"""CVAT's "Segmentation mask 1.1", which is PASCAL VOC's tree with the labels' names and colours beside it.

    labelmap.txt                         name:red,green,blue:: , `background` (black) for pixels without a category
    ImageSets/Segmentation/default.txt   the pictures' names
    SegmentationClass/NAME.png           colours of the categories
    SegmentationObject/NAME.png          objects 1, 2, ... in VOC's own colours: each category present is one

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
# VOC's colours of objects: three bits of the number, lowest first, are the highest of red, green and blue; and so on.
_VOC = bytes(
    sum(((number >> (3 * bit + channel)) & 1) << (7 - bit) for bit in range(8))
    for number in range(256)
    for channel in range(3)
)


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
            _save(Image.fromarray(table[mask.values]), below(folder / "SegmentationClass", mask.name, ".png"))
            objects = np.zeros(mask.values.shape, dtype=np.uint8)
            for number, (_, _, pixels) in enumerate(mask.regions(), 1):
                objects[pixels] = min(number, 255)
            image = Image.fromarray(objects)
            image.putpalette(_VOC)
            _save(image, below(folder / "SegmentationObject", mask.name, ".png"))

        yield add


def _save(image: Image.Image, path: Path) -> None:
    with atomic(path) as file:
        image.save(file, format="PNG")


def _labels(classes: Sequence[MaskClass]) -> list[tuple[str, RGB]]:
    """Names and colours as they are written. A colon ends a name there, so it is written as a dash."""
    names = [each.name.replace(":", "-") for each in classes]
    nothing = "background" if "background" not in names else "no category"
    return [(nothing, _BLACK), *zip(names, (_visible(each.colour) for each in classes), strict=True)]


def _visible(colour: RGB) -> RGB:
    """Black is for pixels without a category: a category that is black becomes the darkest grey."""
    return colour if colour != _BLACK else (1, 1, 1)
