"""Category lists that ship, by name (`ifseg_cli/labels/*.json`, made by `scripts/make_labels.py`).

A list is data: names with the raw ids that the data set's masks carry, its palette, its licence, and what only an
evaluation needs (ignored values, second orders, seen classes, coarse mappings) under `extra`. Each category has one
name; the official aliases are kept but enter no row, as the published program reads one name a category.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.images.colour import parse_colour
from ifseg_cli.core.shipped import shipped
from ifseg_cli.core.vocabulary.category import Category

LABELS = shipped("labels")


@dataclass(frozen=True)
class ShippedList:
    """One list.

    Attributes:
        name: what the user types.
        title: one line for people.
        source: where names, ids and colours were taken from.
        licence: of these sources.
        masks: which files carry the raw ids, and how.
        ignore_raw: raw values that mean "no category".
        categories: with raw ids, and colours where the list has them.
        entries: the same as written, with all that is known of each (official name, aliases, stuff, ...).
        extra: what evaluation needs beyond.
    """

    name: str
    title: str
    source: str
    licence: str
    masks: str
    ignore_raw: tuple[int, ...]
    categories: tuple[Category, ...]
    entries: tuple[dict[str, Any], ...]
    extra: dict[str, Any]


def list_names() -> tuple[str, ...]:
    """The names of all shipped lists, sorted."""
    return tuple(sorted(path.stem for path in LABELS.glob("*.json")))


@cache
def shipped_list(name: str) -> ShippedList:
    """One list by name.

    Raises:
        CategoryError: there is none of that name.
    """
    if name not in list_names():
        raise CategoryError(f"no shipped list {name!r}", f"one of {', '.join(list_names())}")
    values = json.loads((LABELS / f"{name}.json").read_text(encoding="utf-8"))
    entries = tuple(values["categories"])
    return ShippedList(
        name=values["name"],
        title=values["title"],
        source=values["source"],
        licence=values["licence"],
        masks=values["masks"],
        ignore_raw=tuple(values["ignore_raw"]),
        categories=tuple(_category(entry) for entry in entries),
        entries=entries,
        extra=values.get("extra", {}),
    )


def _category(entry: dict[str, Any]) -> Category:
    return Category(entry["name"], (), entry["raw_id"], parse_colour(entry.get("colour", "")))
