"""COCO's JSON: masks written by the test as RLE and polygons come back equal; things lie over stuff."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from pycocotools import mask as rle

from ifseg_cli.core.datasets.coco import _unpacked, decode_rle
from ifseg_cli.core.datasets.dataset import DatasetOptions
from ifseg_cli.core.datasets.preflight import check_dataset
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.errors import DatasetError

REAL = Path(__file__).parents[4] / "shared" / "data"
HEIGHT, WIDTH = 30, 40


def as_rle(mask: np.ndarray, compressed: bool) -> dict[str, Any]:
    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    if compressed:
        return {"size": encoded["size"], "counts": encoded["counts"].decode()}
    flat = mask.flatten(order="F").astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))) if flat.any() else []
    counts = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": counts}


def annotation(number: int, category: int, mask: np.ndarray, compressed: bool = True, crowd: int = 0) -> dict[str, Any]:
    of = {"id": number, "image_id": 7, "category_id": category, "iscrowd": crowd, "area": int(mask.sum())}
    return of | {"segmentation": as_rle(mask, compressed), "bbox": [0, 0, 1, 1]}


def write(root: Path, stuff: list[dict[str, Any]], things: list[dict[str, Any]]) -> Path:
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    Image.new("RGB", (WIDTH, HEIGHT)).save(root / "val2017" / "000000000007.jpg")
    image = {"id": 7, "file_name": "000000000007.jpg", "height": HEIGHT, "width": WIDTH}
    for name, entries in (("stuff", stuff), ("instances", things)):
        categories = [{"id": each["category_id"], "name": str(each["category_id"])} for each in entries]
        values = {"images": [image], "annotations": entries, "categories": categories}
        (root / "annotations" / f"{name}_val2017.json").write_text(json.dumps(values))
    return root


@pytest.fixture
def label() -> np.ndarray:
    """A label map as stuffthingmaps would have it: two kinds of stuff, three things over them, some unlabelled."""
    made = np.full((HEIGHT, WIDTH), 255, np.uint8)
    made[:15], made[15:25] = 156, 123  # sky-other, grass
    made[5:20, 5:12], made[10:25, 20:33], made[20:28, 2:9] = 0, 2, 17  # person, car, dog
    return made


def test_masks_come_back_equal(label: np.ndarray, tmp_path: Path) -> None:
    under = {value: np.isin(label, [value]) for value in (156, 123)}
    under[156][:15] = True  # stuff is annotated below the things too
    things = [annotation(n, value + 1, label == value, n % 2 == 0, n % 2) for n, value in enumerate((0, 2, 17), 10)]
    other = annotation(9, 183, np.isin(label, [0, 2, 17]))
    stuff = [annotation(1, 157, under[156]), annotation(2, 124, under[123], False), other]
    dataset = open_dataset("coco-stuff", DatasetOptions(root=write(tmp_path, stuff, things)))
    assert [sample.stem for sample in dataset] == ["000000000007"] and len(dataset.images) == 1
    assert np.array_equal(dataset.labels.read(dataset.samples[0]), label)
    assert dataset.labels.size(dataset.samples[0]) == (HEIGHT, WIDTH)
    assert check_dataset(dataset).ignored(dataset) == (label == 255).sum()


def test_polygons_are_drawn_as_pycocotools_draws_them(tmp_path: Path) -> None:
    polygon = [[3.0, 3.0, 20.5, 4.0, 18.0, 25.0, 5.0, 22.0]]
    thing = annotation(1, 1, np.zeros((HEIGHT, WIDTH))) | {"segmentation": polygon}
    dataset = open_dataset("coco-stuff", DatasetOptions(root=write(tmp_path, [], [thing])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        drawn = rle.decode(rle.merge(rle.frPyObjects(polygon, HEIGHT, WIDTH)))
    assert np.array_equal(dataset.labels.read(dataset.samples[0]) == 0, drawn == 1)


def test_what_is_broken_is_told(label: np.ndarray, tmp_path: Path) -> None:
    root = write(tmp_path, [annotation(1, 200, label == 0)], [])
    dataset = open_dataset("coco-stuff", DatasetOptions(root=root))
    with pytest.raises(DatasetError, match="category 200; expected ids from 1 to 183"):
        check_dataset(dataset)
    (root / "annotations" / "stuff_val2017.json").write_text("{")
    with pytest.raises(DatasetError, match="expected COCO's annotations"):
        open_dataset("coco-stuff", DatasetOptions(root=root))


def test_the_challenges_own_example(tmp_path: Path) -> None:
    """Against the PNGs that COCO-Stuff's own converter made of the same JSON."""
    from ifseg_cli.core.datasets.coco import CocoLabels
    from ifseg_cli.core.datasets.dataset import Sample
    from ifseg_cli.core.images.labels import read_label_map

    path = REAL / "coco_stuff_challenge" / "annotations" / "stuff_examples.json"
    if not path.is_file():
        pytest.skip("needs ../shared/data/coco_stuff_challenge: stuff_examples.json of nightrome/cocostuffapi")
    labels = CocoLabels([path])
    made = Path(__file__).parents[2] / "data" / "golden" / "coco_stuff_challenge_sample" / "labels"
    for png in sorted(made.glob("*.png")):
        theirs = read_label_map(png).astype(int)
        ours = labels.read(Sample(png.stem, path)).astype(int)
        expected = np.where((theirs == 0) | (theirs == 183), 255, theirs - 1)
        assert np.array_equal(ours, expected)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 1)))
@settings(deadline=None)
def test_an_rle_is_the_mask_it_was_made_from(mask: np.ndarray) -> None:
    """Whatever pycocotools packs is read, as text or bytes; its runs cover the picture."""
    packed = rle.encode(np.asfortranarray(mask))
    for counts in (packed["counts"], packed["counts"].decode()):
        assert np.array_equal(decode_rle({"size": list(mask.shape), "counts": counts}), mask > 0)
    flat = mask.T.ravel()
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *changes, flat.size]).tolist()
    assert _unpacked(packed["counts"]) == ([0, *runs] if flat[0] else runs)


def test_an_rle_of_large_runs() -> None:
    mask = np.zeros((900, 1100), np.uint8)
    mask[3:880, 5:1000] = 1
    packed = rle.encode(np.asfortranarray(mask))
    assert np.array_equal(decode_rle(packed), mask > 0)
