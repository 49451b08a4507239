"""`classes.json` in a folder of masks: what their values mean.

{"ignore": 255, "classes": [{"value": 0, "name": "cat", "colour": "#804080"}, ...]}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.files import write_json
from ifseg_cli.core.images.colour import RGB, hex_colour, parse_colour

CLASSES = "classes.json"
HIGHEST = 65535  # label maps hold 16 bits at most
GREY: RGB = (128, 128, 128)


@dataclass(frozen=True)
class MaskClass:
    """One value of the masks."""

    value: int
    name: str
    colour: RGB = GREY


def write_classes(folder: Path, classes: Sequence[MaskClass], ignore: int) -> None:
    """Write the table into `folder`.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [{"value": each.value, "name": each.name, "colour": hex_colour(each.colour)} for each in classes]
    write_json(folder / CLASSES, {"ignore": ignore, "classes": rows})


def read_classes(folder: Path) -> tuple[MaskClass, ...] | None:
    """Read the table of `folder`; None if it has none.

    Raises:
        DatasetError: it is malformed, or a value cannot be one.
    """
    path = folder / CLASSES
    if not path.is_file():
        return None
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        entries = [
            (int(entry["value"]), str(entry["name"]), str(entry.get("colour", ""))) for entry in found["classes"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected = 'an object with "classes": [{"value", "name"}, ...]'
        raise DatasetError(f"{path} cannot be used: {type(error).__name__} {error}", expected) from error
    for value, name, _ in entries:
        if not 0 <= value <= HIGHEST:
            raise DatasetError(f"{path}: value {value} of '{name}'", f"values from 0 to {HIGHEST}")
    return tuple(MaskClass(value, name, parse_colour(colour) or GREY) for value, name, colour in entries)
