"""Scenes as a data set: drawn into a folder once, then judged like any other.

    ROOT/scenes.json    seed, count and the version of the drawing; written first, so a broken run goes on where it was
    ROOT/images/00000.png ...   ROOT/labels/00000.png ...

A folder is used again if it holds exactly what is asked for, and refused if it holds anything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions, Sample
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.files import atomic, write_json
from ifseg_cli.scenes.categories import CATEGORIES
from ifseg_cli.scenes.draw import scene

DESCRIPTION = "scenes.json"
VERSION = 1  # of the drawing; another one draws other pictures
COUNT, MOST = 400, 100_000
SEED, MAX_SEED = 0, 2**32 - 1
IGNORED = (255, 65535)  # as in every folder; no pixel of a scene has them


def open_scenes(
    options: DatasetOptions, made: Path | None = None, on_sample: Callable[[], None] = lambda: None
) -> Dataset:
    """Scenes 0..count-1 of a seed below `options.root` (or `made`); what is missing is drawn.

    Raises:
        DatasetError: a number out of range, or a folder that holds something else.
        OutputError: a scene cannot be written.
    """
    count = COUNT if options.count is None else options.count
    seed = SEED if options.seed is None else options.seed
    if not 1 <= count <= MOST:
        raise DatasetError(f"--count is {count}", f"1 to {MOST}")
    if not 0 <= seed <= MAX_SEED:
        raise DatasetError(f"--seed is {seed}", f"0 to {MAX_SEED}")
    root = options.root or made
    if root is None:
        raise DatasetError("--root is missing", remedy="say where the scenes are drawn to")
    _check_root(root, count, seed)
    _draw_missing(root, count, seed, on_sample)
    stems = [f"{index:05d}" for index in range(count)]
    return Dataset(
        name="scenes",
        classes=CATEGORIES,
        raw_ids=tuple(range(len(CATEGORIES))),
        ignore=IGNORED,
        samples=tuple(Sample(stem, root / "labels" / f"{stem}.png", root / "images" / f"{stem}.png") for stem in stems),
        classes_from="scenes",
    )


def _check_root(root: Path, count: int, seed: int) -> None:
    if root.exists() and not root.is_dir():
        raise DatasetError(f"--root {root} is a file", "a folder, or a new name")
    if not root.is_dir() or not any(root.iterdir()):
        return
    elsewhere = "choose another --root"
    if not (root / DESCRIPTION).is_file():
        raise DatasetError(f"--root {root} holds other files than scenes", "a new or empty folder", elsewhere)
    found = _read(root / DESCRIPTION)
    if found == (count, seed, VERSION):
        return
    held, asked = (f"{n} scenes of seed {s}" for n, s in ((found[0], found[1]), (count, seed)))
    if found[2] != VERSION:
        held, asked = f"{held} of drawing version {found[2]}", f"version {VERSION}"
        raise DatasetError(f"--root {root} holds {held}", asked, f"delete {root}, or {elsewhere}")
    remedy = f"say --count {found[0]} --seed {found[1]}, delete {root}, or {elsewhere}"
    raise DatasetError(f"--root {root} holds {held}", asked, remedy)


def _read(path: Path) -> tuple[int, int, int]:
    """Count, seed and version."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        return int(values["count"]), int(values["seed"]), int(values["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path} cannot be read: {type(error).__name__} {error}", remedy="delete its folder"
        ) from error


def _draw_missing(root: Path, count: int, seed: int, on_sample: Callable[[], None]) -> None:
    """Draw what is not there; the label comes last, so a label alone says that its scene is complete."""
    write_json(root / DESCRIPTION, {"count": count, "seed": seed, "version": VERSION, "categories": list(CATEGORIES)})
    for index in range(count):
        picture, label = root / "images" / f"{index:05d}.png", root / "labels" / f"{index:05d}.png"
        if not (picture.is_file() and label.is_file()):
            drawn, truth = scene(seed, index)
            for path, values in ((picture, drawn), (label, truth)):
                with atomic(path) as file:
                    Image.fromarray(values).save(file, format="PNG", compress_level=1)
        on_sample()
