"""What the values of a scene's label mean: index 0 is the first name. `ifseg_cli/labels/scenes.json` lists the same."""

from __future__ import annotations

CATEGORIES: tuple[str, ...] = (
    "sky",
    "mountain",
    "tree",
    "bush",
    "grass",
    "water",
    "sand",
    "snow",
    "dirt",
    "gravel",
    "rock",
    "road",
    "brick wall",
    "stone wall",
    "building",
    "fence",
    "car",
    "boat",
    "person",
    "wall",
    "tile",
    "carpet",
    "wooden floor",
    "curtain",
    "door",
    "window",
    "table",
    "sofa",
)
INDEX: dict[str, int] = {name: index for index, name in enumerate(CATEGORIES)}
