"""The label masks of `examples/photos`, drawn from their polygons.

    python examples/draw_labels.py

`polygons/NAME.json` holds what was drawn: `{"image": "NAME.jpg", "size": [W, H], "polygons": [...]}`, each polygon
`{"category": "sky", "points": [[x, y], ...], "holes": [[[x, y], ...], ...]}` in pixels, x to the right and y down, the
centre of the top left pixel at (0, 0). They are drawn in order, a later one over an earlier one; the category null
takes pixels back to "unlabelled". `labels/NAME.png` is the result: one byte a pixel (mode P), the number of the
category's line in `categories.txt` counted from 0, and 255 wherever no polygon lies.

Pixels on an outline belong to the polygon, those on the outline of a hole to the polygon around it, so that a
region and its neighbour may share a line of points.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
UNLABELLED = 255
# Calm colours that can be told apart, in the order of categories.txt; black = unlabelled.
COLOURS = (
    "e6194b f58231 9a6324 aa0077 ff66cc 009966 2e8b2e 7ccd3c 8a8a99 f2f8ff "
    "6fb7ff 1f4fbf c96a4a d9c9a3 a0703c ffe119 c71585 ff4500 911eb4 ffd8b1"
)


def read_names(path: Path = HERE / "categories.txt") -> list[str]:
    """The categories in order; a name's place in the list is its value in the labels."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def draw(drawing: dict[str, Any], names: list[str]) -> Image.Image:
    """One label (mode P, size of the photograph) from one polygons file. A category that is not listed: ValueError."""
    size: tuple[int, int] = (drawing["size"][0], drawing["size"][1])
    label = Image.new("P", size, UNLABELLED)
    label.putpalette(palette())
    for polygon in drawing["polygons"]:
        category: str | None = polygon["category"]
        region = Image.new("1", size)
        fill_ring(region, polygon["points"], inside=1, outline=1)
        for hole in polygon.get("holes", ()):
            fill_ring(region, hole, inside=0, outline=1)
        label.paste(UNLABELLED if category is None else names.index(category), mask=region)
    return label


def fill_ring(region: Image.Image, points: list[list[float]], inside: int, outline: int) -> None:
    """Fill one closed ring of points in a mode-1 picture."""
    ImageDraw.Draw(region).polygon([(x, y) for x, y in points], fill=inside, outline=outline)


def palette() -> list[int]:
    """768 numbers: the categories' colours, black for all other values."""
    colours = bytes.fromhex(COLOURS.replace(" ", ""))
    return [*colours, *bytes(768 - len(colours))]


def main() -> None:
    names = read_names()
    (HERE / "labels").mkdir(exist_ok=True)
    for path in sorted((HERE / "polygons").glob("*.json")):
        target = HERE / "labels" / f"{path.stem}.png"
        draw(json.loads(path.read_text(encoding="utf-8")), names).save(target, optimize=True)
        print(target.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
