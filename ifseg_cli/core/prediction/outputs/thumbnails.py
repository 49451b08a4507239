"""What the page shows of a picture: a small photograph, and a small label map that its script can read.

A page that is opened from disk may draw pictures, but not read their pixels. What it must read (which category lies
under the pointer, and how sure it is) therefore comes as a script, `ifsegPicture(name, {labels, confidence})`, each a
PNG in base64: a pixel is the category's index and one, 0 where there is none; or the confidence, 0 to 255.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.files import atomic, write_text
from ifseg_cli.core.pages.environment import url
from ifseg_cli.core.prediction.outputs.overlay import display_size, nearest, shrink
from ifseg_cli.core.prediction.outputs.prediction import Prediction

FOLDER = "thumbnails"
_PHOTOGRAPH, _LABELS, _CONFIDENCE = 640, 320, 64  # pixels of the long side, at most
_BYTE = 256


def paths(name: PurePath) -> dict[str, PurePath]:
    """The files of a picture, by what they show."""
    return {"photograph": PurePath(FOLDER, f"{name}.photo.jpg"), "labels": PurePath(FOLDER, f"{name}.labels.js")}


def write_thumbnails(out: Path, name: PurePath, prediction: Prediction) -> dict[str, str]:
    """Write them; gives their paths below `out`.

    Raises:
        OutputError: one cannot be written.
    """
    height, width = prediction.labels.shape
    files = paths(name)
    with atomic(out / files["photograph"]) as file:
        photograph = shrink(prediction.pixels, display_size(width, height, (1, _PHOTOGRAPH)))
        photograph.save(file, format="JPEG", quality=88)
    labels = nearest(prediction.labels, display_size(width, height, (1, _LABELS)))
    confidence = nearest(prediction.confidence, display_size(width, height, (1, _CONFIDENCE)))
    pictures = {
        "labels": _png(label_image(labels, len(prediction.names))),
        "confidence": _png(Image.fromarray(np.rint(confidence * 255).astype(np.uint8))),
    }
    write_text(out / files["labels"], f"ifsegPicture({json.dumps(url(name.as_posix()))}, {json.dumps(pictures)})\n")
    return {kind: path.as_posix() for kind, path in files.items()}


def label_image(labels: NDArray[np.int16], categories: int) -> Image.Image:
    """Index and one as grey; where a byte cannot hold them, red the lower and green the upper byte."""
    numbers = (labels + 1).astype(np.uint16)
    if categories < _BYTE:
        return Image.fromarray(numbers.astype(np.uint8))
    parts = np.stack([numbers % _BYTE, numbers // _BYTE, np.zeros_like(numbers)], axis=-1)
    return Image.fromarray(parts.astype(np.uint8))


def _png(image: Image.Image) -> str:
    written = io.BytesIO()
    image.save(written, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")
