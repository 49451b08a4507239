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

from ifseg_cli.core.vocabulary.files import read_categories

HERE = Path(__file__).resolve().parent
UNLABELLED = 255


def read_names(path: Path = HERE / "categories.txt") -> list[str]:
    """The categories in order; a name's place in the list is its value in the labels."""
    return [category.name for category in read_categories(str(path))]


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
    colours = [value for each in read_categories(str(HERE / "categories.txt")) for value in each.colour or (0, 0, 0)]
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
