"""labelme: a JSON a picture, opened with `labelme exports/labelme`. A shape of type `mask` a category: nothing is lost.

The JSON names the picture by its path from there; its pixels are not copied into it. One that is younger than its mask
stays as it is: somebody may have edited it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.files import write_json
from ifseg_cli.core.images.classes import MaskClass
from ifseg_cli.core.prediction.outputs.exports.form import Add, Mask, below, is_current, picture_from

VERSION = "5.5.0"  # of labelme, which brought shapes of type `mask`


@contextmanager
def labelme(folder: Path, classes: Sequence[MaskClass], out: Path) -> Generator[Add]:
    """One file a picture."""
    del classes

    def add(mask: Mask) -> None:
        path = below(folder, mask.name, ".json")
        if is_current(path, out, mask):
            return
        facts = {
            "version": VERSION,
            "flags": {},
            "shapes": [_shape(name, pixels) for name, _, pixels in mask.regions()],
            "imagePath": picture_from(path.parent, mask.record),
            "imageData": None,
            "imageHeight": mask.record.height,
            "imageWidth": mask.record.width,
        }
        write_json(path, facts)

    yield add


def _shape(name: str, pixels: NDArray[np.bool_]) -> dict[str, object]:
    """The smallest rectangle around a category, corners included, and which of its pixels are the category's."""
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    top, bottom, left, right = (int(each) for each in (rows[0], rows[-1], columns[0], columns[-1]))
    written = io.BytesIO()
    Image.fromarray(pixels[top : bottom + 1, left : right + 1]).save(written, format="PNG")
    return {
        "label": name,
        "points": [[left, top], [right, bottom]],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(written.getvalue()).decode("ascii"),
    }
