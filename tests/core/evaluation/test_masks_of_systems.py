"""Masks of other systems: COCO's results as pycocotools writes them, and class maps that say what values mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from ifseg_cli.core.datasets.class_map import read_class_map
from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation.evaluate import evaluate_predictions
from ifseg_cli.core.evaluation.predictions import open_predictions
from ifseg_cli.core.evaluation.report import Report

STEMS = ("000000000139", "street_12")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    random = np.random.default_rng(0)
    for folder in ("labels", "masks"):
        (tmp_path / folder).mkdir()
        for stem in STEMS:
            ids = np.kron(random.integers(0, 3, (3, 4)), np.ones((5, 5))).astype(np.uint8)
            Image.fromarray(ids).save(tmp_path / folder / f"{stem}.png")
    (tmp_path / "cats.txt").write_text("sky\ngrass\nroad\n")
    return open_dataset("folder", DatasetOptions(None, tmp_path / "labels", str(tmp_path / "cats.txt")))


def results(folder: Path, key: str, how: str) -> list[dict[str, Any]]:
    """The masks of a folder as COCO's results."""
    made: list[dict[str, Any]] = []
    for number, stem in zip((139, 12), STEMS, strict=True):
        ids = np.asarray(Image.open(folder / f"{stem}.png"))
        for value in np.unique(ids):
            rle: Any = coco.encode(np.asfortranarray((ids == value).astype(np.uint8)))
            if how == "plain":
                flat = (ids == value).T.ravel()
                changes = np.flatnonzero(np.diff(flat)) + 1
                runs = np.diff([0, *changes, flat.size]).tolist()
                rle = {"size": list(ids.shape), "counts": runs if not flat[0] else [0, *runs]}
            else:
                rle["counts"] = rle["counts"].decode()
            named = {"image_id": number} if key == "image_id" else {"file_name": f"/data/photos/{stem}.jpg"}
            made.append({**named, "category_id": int(value), "segmentation": rle})
    return made


def judged(dataset: Dataset, place: Path, class_map: Path | None = None) -> Report:
    read = None if class_map is None else read_class_map(class_map)
    return evaluate_predictions(dataset, [open_predictions(place, dataset, read)])[0]


@pytest.mark.parametrize("key", ["image_id", "file_name"])
@pytest.mark.parametrize("how", ["packed", "plain"])
def test_results_as_json_are_the_masks_they_came_from(dataset: Dataset, tmp_path: Path, key: str, how: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results(tmp_path / "masks", key, how)))
    found, expected = judged(dataset, path), judged(dataset, tmp_path / "masks")
    assert np.array_equal(found.confusion.matrix, expected.confusion.matrix)
    assert found.numbers() == expected.numbers()


def test_a_packed_rle_that_ends_early_is_broken(dataset: Dataset, tmp_path: Path) -> None:
    """pycocotools decodes it without a word, and what the runs leave out is whatever lay in memory: nothing of it is
    believed, wherever the end is.
    """
    entries = results(tmp_path / "masks", "image_id", "packed")
    whole = entries[0]["segmentation"]["counts"]
    broken = 0
    for end in range(1, len(whole)):
        entries[0]["segmentation"]["counts"] = whole[:end]
        (tmp_path / "results.json").write_text(json.dumps(entries))
        broken += [each.stem for each in judged(dataset, tmp_path / "results.json").missing] == [STEMS[0]]
    assert broken == len(whole) - 1


def test_an_image_without_results_is_missing_and_holes_are_wrong(dataset: Dataset, tmp_path: Path) -> None:
    entries = [each for each in results(tmp_path / "masks", "image_id", "packed") if each["image_id"] == 139][:1]
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"annotations": entries}))
    report = judged(dataset, path)
    assert [each.stem for each in report.missing] == ["street_12"]
    assert report.confusion.outside_predictions == 300 - coco.area(entries[0]["segmentation"])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda entry: entry.pop("category_id"), "KeyError 'category_id'"),
        (lambda entry: entry.pop("image_id"), "KeyError 'file_name'"),
        (lambda entry: entry.update(segmentation=[[1, 2, 3]]), "cannot be used"),
        (lambda entry: entry["segmentation"].pop("counts"), "cannot be used"),
    ],
)
def test_json_that_holds_no_results(dataset: Dataset, tmp_path: Path, change: Any, found: str) -> None:
    entries = results(tmp_path / "masks", "image_id", "packed")
    change(entries[0])
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(DatasetError, match=found):
        open_predictions(path, dataset)


@pytest.mark.parametrize("text", ["{", "[1]", "[]"])
def test_json_that_is_none(dataset: Dataset, tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(DatasetError, match=r"results\.json"):
        open_predictions(tmp_path / "results.json", dataset)


@pytest.mark.parametrize("counts", [[1, 2], [1, 2000], "n", "\xff", 7])
def test_a_broken_rle_is_one_missing_image(dataset: Dataset, tmp_path: Path, counts: object) -> None:
    entries = results(tmp_path / "masks", "image_id", "packed")
    entries[0]["segmentation"]["counts"] = counts
    (tmp_path / "results.json").write_text(json.dumps(entries))
    report = judged(dataset, tmp_path / "results.json")
    assert [each.stem for each in report.missing] == [STEMS[0]]


def shifted(folder: Path, by: int) -> None:
    for path in folder.glob("*.png"):
        Image.fromarray(np.asarray(Image.open(path)) + np.uint8(by)).save(path)


def test_a_class_map_of_values(dataset: Dataset, tmp_path: Path) -> None:
    expected = judged(dataset, tmp_path / "masks").numbers()
    shifted(tmp_path / "masks", 40)
    (tmp_path / "map.txt").write_text("# theirs\n40 = sky\n41=grass\n  42   =  road  \n7 = -\n")
    report = judged(dataset, tmp_path / "masks", tmp_path / "map.txt")
    assert report.numbers() == expected and report.predictions.values_from.endswith("map.txt")


def test_a_class_map_of_names_may_join_several_and_leave_some_out(dataset: Dataset, tmp_path: Path) -> None:
    classes = [{"value": value, "name": name} for value, name in enumerate(("heaven", "lawn", "road"))]
    (tmp_path / "masks" / "classes.json").write_text(json.dumps({"ignore": 255, "classes": classes}))
    (tmp_path / "map.txt").write_text("heaven = sky\nlawn = sky\n")
    both = judged(dataset, tmp_path / "masks", tmp_path / "map.txt").confusion.matrix
    (tmp_path / "map.txt").write_text("heaven = sky\nlawn = -\n")
    report = judged(dataset, tmp_path / "masks", tmp_path / "map.txt")
    assert both[:, 0].sum() == report.confusion.matrix[:, 0].sum() + report.confusion.outside_predictions
    assert report.predictions.unnamed == ("lawn",)
    assert any(note.startswith("No class, says") and note.endswith("lawn.") for note in report.notes())
    (tmp_path / "map.txt").write_text("heaven = sky\n")
    with pytest.raises(DatasetError, match=r"has 'lawn', of which .*map\.txt says nothing"):
        judged(dataset, tmp_path / "masks", tmp_path / "map.txt")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sky\n", "line 1: 'sky'; expected VALUE = CLASS"),
        ("0 = sky\n0 = road\n", "line 2: '0' stands there twice"),
        ("99999 = sky\n", "line 1: value 99999"),
        ("# nothing\n", "has no lines"),
        ("0 = skye\n", "did you mean 'sky'"),
        ("heaven = sky\n", "expected a name of"),
    ],
)
def test_a_class_map_that_is_not_right(dataset: Dataset, tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "map.txt").write_text(text)
    with pytest.raises(DatasetError, match=found):
        judged(dataset, tmp_path / "masks", tmp_path / "map.txt")
