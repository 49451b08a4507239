"""Lists of categories as other tools write them. What a file is, is told by its contents; its order gives the index.

    CVAT            labelmap.txt                 # label:color_rgb:parts:actions / cat:128,64,0::
    labelme         labels.txt                   __ignore__ / _background_ / cat
    SegNet          label_colors.txt             64 128 64<tab>Animal
    a table         id,name or name,r,g,b        with a header line that has `name`
    JSON            ["cat"], {"0": "cat"}, {"names": ...}, {"categories": [{"id", "name"}]}, classes.json
    YAML            names: [cat] or names: {0: cat}, as an ultralytics data.yaml

Ids become raw ids where the file has them. `__ignore__` is no category; `_background_` is `background`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from typing import Any, cast

from ifseg_cli.core.errors import CategoryError, RecipeError
from ifseg_cli.core.images.colour import RGB, parse_colour
from ifseg_cli.core.recipe.source import read_yaml
from ifseg_cli.core.vocabulary.category import MAX_RAW_ID, Category, check_name

IGNORE, BACKGROUND = "__ignore__", "_background_"
_CVAT = re.compile(r"([^:,]+):(\d{1,3},\d{1,3},\d{1,3})?:[^:]*:[^:]*")
_SEGNET = re.compile(r"(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s+(\D.*)")
_IDS = ("id", "raw_id", "index", "value", "class_id", "label_id", "trainid")
_COLOURS = ("colour", "color", "hex")


def read_foreign(text: str, source: str) -> tuple[Category, ...] | None:
    """The categories of another tool's list; None if the text is none of these.

    Args:
        text: the file's.
        source: its name, for errors; a suffix `.yaml` or `.yml` says what it is.

    Raises:
        CategoryError: it is one of these, and malformed.
    """
    lines = [line.strip() for line in re.split(r"\r\n|\n|\r", text)]
    told = [line for line in lines if line and not line.startswith("#")]
    if not told:
        return None
    if text.lstrip()[:1] in ("[", "{"):
        return _of_json(text, source)
    if source.lower().endswith((".yaml", ".yml")) or re.match(r"names\s*:", told[0]):
        return _of_yaml(text, source)
    if all(_CVAT.fullmatch(line) for line in told):
        return tuple(_of_cvat(line, source) for line in told)
    if all(_SEGNET.fullmatch(line) for line in told):
        return tuple(_of_segnet(line, source) for line in told)
    if "name" in _fields(told[0]) and "," in told[0]:
        return _of_table(told, source)
    if any(line in (IGNORE, BACKGROUND) for line in told):
        return tuple(_category(line, source) for line in told if line != IGNORE)
    return None


def _category(name: object, source: str, raw_id: object = None, colour: RGB | None = None) -> Category:
    text = " ".join(str(name).split())
    text = "background" if text == BACKGROUND else text
    check_name(text, source)
    if raw_id is not None and (not str(raw_id).lstrip("+").isdigit() or int(str(raw_id)) > MAX_RAW_ID):
        raise CategoryError(f"{source}: id {str(raw_id)[:20]!r} of {text!r}", f"a number from 0 to {MAX_RAW_ID}")
    return Category(text, (), None if raw_id is None else int(str(raw_id)), colour)


def _rgb(numbers: Iterable[str], source: str) -> RGB:
    red, green, blue = (int(number) for number in numbers)
    if max(red, green, blue) > 255:
        raise CategoryError(f"{source}: colour {red} {green} {blue}", "numbers from 0 to 255")
    return red, green, blue


def _of_cvat(line: str, source: str) -> Category:
    match = _CVAT.fullmatch(line)
    assert match
    return _category(match[1], source, None, _rgb(match[2].split(","), source) if match[2] else None)


def _of_segnet(line: str, source: str) -> Category:
    match = _SEGNET.fullmatch(line)
    assert match
    return _category(match[4], source, None, _rgb(match.groups()[:3], source))


def _fields(line: str) -> list[str]:
    return [field.strip().lower() for field in next(csv.reader([line]), [])]


def _of_table(lines: list[str], source: str) -> tuple[Category, ...]:
    header = _fields(lines[0])
    found: list[Category] = []
    for number, row in enumerate(csv.reader(lines[1:]), start=2):
        if len(row) < len(header):
            raise CategoryError(f"{source} line {number} has {len(row)} fields", f"{len(header)}, as the first line")
        of = dict(zip(header, (value.strip() for value in row), strict=False))
        raw_id = next((of[name] for name in _IDS if of.get(name)), None)
        colour = next((parse_colour(of[name]) for name in _COLOURS if of.get(name)), None)
        if colour is None and all(of.get(name, "").isdigit() for name in "rgb"):
            colour = _rgb((of["r"], of["g"], of["b"]), source)
        found.append(_category(of["name"], f"{source} line {number}", raw_id, colour))
    return tuple(found)


def _of_json(text: str, source: str) -> tuple[Category, ...]:
    try:
        values: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CategoryError(f"{source} begins like JSON but is none: {error}", "one category per line") from error
    return _of_values(values, source)


def _of_yaml(text: str, source: str) -> tuple[Category, ...]:
    try:
        values = read_yaml(text, source).values
    except RecipeError as error:
        raise CategoryError(error.found, error.expected, error.remedy) from error
    return _of_values(values, source)


def _of_values(values: object, source: str) -> tuple[Category, ...]:
    """Names from plain values: under `names`, `categories` or `classes`, or all there is."""
    if isinstance(values, dict):
        inside = cast("dict[str, Any]", values)
        for key in ("names", "categories", "classes"):
            if key in inside:
                return _of_values(inside[key], source)
        if inside and all(str(key).isdigit() for key in inside):
            ordered = sorted(inside.items(), key=lambda item: int(item[0]))
            plain = [int(key) for key, _ in ordered] == list(range(len(ordered)))
            return tuple(_category(name, source, None if plain else key) for key, name in ordered)
    elif isinstance(values, (list, tuple)):
        return tuple(_of_entry(entry, source) for entry in cast("list[Any]", values))
    raise CategoryError(f"{source} holds no list of names", 'names, as ["cat", "dog"] or {"names": {"0": "cat"}}')


def _of_entry(entry: object, source: str) -> Category:
    if not isinstance(entry, dict):
        if not isinstance(entry, (str, int, float)):
            raise CategoryError(f"{source} has an entry {str(entry)[:40]!r}", "a name")
        return _category(entry, source)
    of = {str(key).lower(): value for key, value in cast("dict[str, Any]", entry).items()}
    if "name" not in of:
        raise CategoryError(f"{source} has an entry without a name: {str(entry)[:60]}", 'objects with "name"')
    raw_id = next((of[name] for name in _IDS if name in of), None)
    colour: object = next((of[name] for name in _COLOURS if name in of), None)
    if isinstance(colour, (list, tuple)) and len(cast("list[Any]", colour)) == 3:
        return _category(of["name"], source, raw_id, _rgb(map(str, cast("list[Any]", colour)), source))
    return _category(of["name"], source, raw_id, parse_colour(str(colour)) if colour else None)
