"""The photographs that ship: labels equal their polygons, nothing lacks a partner, and every source is named."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.vocabulary import read_categories

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PHOTOS = sorted((EXAMPLES / "photos").iterdir())


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_labels", EXAMPLES / "draw_labels.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = load_script()
NAMES: list[str] = SCRIPT.read_names()


def drawing(stem: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / "polygons" / f"{stem}.json").read_text(encoding="utf-8"))


def label(stem: str) -> np.ndarray:
    with Image.open(EXAMPLES / "labels" / f"{stem}.png") as image:
        assert image.mode == "P"
        return np.asarray(image)


def stems(folder: str) -> list[str]:
    return sorted(path.stem for path in (EXAMPLES / folder).iterdir())


def test_photographs_labels_and_polygons_pair_up() -> None:
    assert len(PHOTOS) >= 8
    assert stems("photos") == stems("labels") == stems("polygons")


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_a_label_is_what_its_polygons_give(photo: Path) -> None:
    polygons = drawing(photo.stem)
    drawn = np.asarray(SCRIPT.draw(polygons, NAMES))
    np.testing.assert_array_equal(label(photo.stem), drawn)
    with Image.open(photo) as image:
        assert [*image.size] == polygons["size"] == [drawn.shape[1], drawn.shape[0]]
    assert polygons["image"] == photo.name


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_points_lie_in_the_picture_and_no_polygon_is_flat(photo: Path) -> None:
    polygons = drawing(photo.stem)
    for polygon in polygons["polygons"]:
        for ring in [polygon["points"], *polygon.get("holes", [])]:
            points = np.array(ring)
            assert len(points) >= 3
            assert (points >= 0).all() and (points < polygons["size"]).all()


def test_every_category_occurs_and_no_other_value() -> None:
    found = {int(value) for stem in stems("labels") for value in np.unique(label(stem))}
    assert found == {*range(len(NAMES)), SCRIPT.UNLABELLED}


def test_the_program_reads_the_same_categories() -> None:
    assert [category.name for category in read_categories(str(EXAMPLES / "categories.txt"))] == NAMES


def test_every_colour_of_the_labels_is_another() -> None:
    colours = np.array(SCRIPT.palette()).reshape(-1, 3)[: len(NAMES)]
    assert len(np.unique(colours, axis=0)) == len(NAMES) <= 20


def test_a_later_polygon_covers_an_earlier_one_and_holes_and_null_do_not_count() -> None:
    square = [[0, 0], [9, 0], [9, 9], [0, 9]]
    hole = [[3, 3], [6, 3], [6, 6], [3, 6]]
    polygons = [
        {"category": NAMES[0], "points": square},
        {"category": NAMES[1], "points": square, "holes": [hole]},
        {"category": None, "points": [[8, 8], [9, 8], [9, 9], [8, 9]]},
    ]
    drawn = np.asarray(SCRIPT.draw({"size": [12, 10], "polygons": polygons}, NAMES))
    assert drawn[0, 0] == drawn[3, 3] == 1  # the outline of a hole stays with the polygon around it
    assert (drawn[4:6, 4:6] == 0).all()
    assert (drawn[8:, 8:] == SCRIPT.UNLABELLED).all() and (drawn[:, 10:] == SCRIPT.UNLABELLED).all()


def test_every_photograph_names_its_source_and_all_are_small() -> None:
    sources = (EXAMPLES / "SOURCES.md").read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].strip(): line for line in sources.splitlines() if line.startswith(("| photos/", "| more/"))
    }
    files = [path for folder in ("photos", "more") for path in sorted((EXAMPLES / folder).iterdir())]
    assert sorted(rows) == sorted(path.relative_to(EXAMPLES).as_posix() for path in files)
    for path in files:
        row = rows[path.relative_to(EXAMPLES).as_posix()]
        assert any(licence in row for licence in ("CC0 1.0", "CC BY 2.0", "CC BY 4.0", "public domain"))
        with Image.open(path) as image:
            assert f"| {image.width}x{image.height} |" in row
            assert image.getexif().get(0x0112, 1) == 1
    assert sum(path.stat().st_size for path in files) < 2_500_000
