"""The drawn world: it repeats, its truth is exact, it shows every category, and as a data set it is drawn once."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.preflight import check_dataset
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.datasets.scenes.categories import CATEGORIES, INDEX
from ifseg_cli.core.datasets.scenes.draw import SIDES, scene
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.shipped import LABELS, shipped_list

SMALL = (72, 96)
MAGENTA = (255, 0, 255)
COLOURS = {name: (8 * at, 255 - at, at * 37 % 256) for name, at in INDEX.items()}


@cache
def small(index: int) -> tuple[np.ndarray, np.ndarray]:
    return scene(11, index, SMALL)


def digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def opened(root: Path, count: int | None = 2, seed: int | None = 5) -> Dataset:
    return open_dataset("scenes", DatasetOptions(root=root, count=count, seed=seed))


def test_a_scene_depends_on_seed_and_number_alone() -> None:
    alone = digest(*scene(3, 4))
    for index in (0, 9, 5):
        scene(3, index, SMALL)
    assert digest(*scene(3, 4)) == alone
    assert len({alone, digest(*scene(3, 5)), digest(*scene(4, 4))}) == 3


def test_pictures_and_labels_have_one_size_within_bounds() -> None:
    shapes = []
    for index in range(6):
        picture, labels = scene(0, index)
        assert picture.shape == (*labels.shape, 3)
        assert (picture.dtype, labels.dtype) == (np.uint8, np.uint8)
        assert labels.max() < len(CATEGORIES)
        shapes.append(labels.shape)
    assert all(SIDES[0] <= side <= SIDES[1] for shape in shapes for side in shape)
    assert {height > width for height, width in shapes} == {True, False}


def test_every_category_occurs_and_none_rules() -> None:
    pixels = np.zeros(len(CATEGORIES))
    occurs = np.zeros(len(CATEGORIES), int)
    for index in range(200):
        counts = np.bincount(scene(11, index, SMALL, flat=COLOURS)[1].ravel(), minlength=len(CATEGORIES))
        pixels += counts
        occurs += counts > 0
    assert len(CATEGORIES) >= 20
    assert occurs.min() >= 4, dict(zip(CATEGORIES, occurs, strict=True))
    assert (pixels / pixels.sum()).max() < 0.25


@pytest.mark.parametrize("index", range(30))
def test_labels_say_what_was_painted(index: int) -> None:
    picture, labels = scene(11, index, SMALL, flat=COLOURS)
    assert np.array_equal(picture, np.array(list(COLOURS.values()), np.uint8)[labels])
    assert np.array_equal(labels, small(index)[1]), "looks change no outline"


@pytest.mark.parametrize("index", range(12))
def test_a_category_is_where_its_colour_is_and_seen_through_fences_alone(index: int) -> None:
    labels = small(index)[1]
    for category in np.unique(labels):
        picture, again = scene(11, index, SMALL, flat={CATEGORIES[category]: MAGENTA})
        painted = (picture == MAGENTA).all(2)
        assert painted[labels == category].all(), CATEGORIES[category]
        assert set(labels[painted]) <= {category, INDEX["fence"]}, CATEGORIES[category]
        assert np.array_equal(again, labels)


def test_colours_change_where_labels_change() -> None:
    across, within = [], []
    for index in range(40):
        picture, labels = scene(12, index, (160, 200))
        step = np.abs(np.diff(picture.astype(int), axis=1)).sum(2)
        border = np.diff(labels.astype(int), axis=1) != 0
        if border.any():
            across.append(step[border].mean())
            within.append(step[~border].mean())
    assert np.mean(across) > 2 * np.mean(within)


def test_the_shipped_list_is_the_same_and_the_builtin_base_knows_it() -> None:
    shipped = shipped_list("scenes").categories
    assert tuple(category.name for category in shipped) == CATEGORIES
    assert [category.raw_id for category in shipped] == list(range(len(CATEGORIES)))
    known = KnownWords.read(LABELS.parent / "builtin" / "words.json")
    canonical = [known.resolve(name) for name in CATEGORIES]
    assert None not in canonical
    assert len(set(canonical)) == len(CATEGORIES), "two names would share a row"


def test_opening_writes_nothing_and_making_draws_the_scenes(tmp_path: Path) -> None:
    dataset = opened(tmp_path / "scenes")
    assert not (tmp_path / "scenes").exists()
    steps: list[int] = []
    dataset.make(lambda: steps.append(1))
    assert len(steps) == len(dataset) == 2
    assert check_dataset(dataset).ignored(dataset) == 0
    picture, labels = scene(5, 1)
    assert np.array_equal(np.asarray(Image.open(dataset.images[1])), picture)
    assert np.array_equal(np.asarray(Image.open(dataset.samples[1].label)), labels)


def test_what_lies_there_is_used_again_and_what_is_missing_is_drawn(tmp_path: Path) -> None:
    dataset = opened(tmp_path)
    dataset.make(lambda: None)
    first, second = (sample.label for sample in dataset)
    before = first.stat().st_mtime_ns
    second.unlink()
    opened(tmp_path).make(lambda: None)
    assert second.is_file() and first.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("count", "seed", "words"),
    [
        (3, 5, "holds 2 scenes of seed 5; expected 3 scenes of seed 5; say --count 2 --seed 5, delete"),
        (2, 6, "expected 2 scenes of seed 6"),
        (None, None, "expected 400 scenes of seed 0"),
        (0, 5, "--count is 0; expected 1 to"),
        (2, -1, "--seed is -1; expected 0 or more"),
    ],
)
def test_other_scenes_than_asked_for_are_refused(
    tmp_path: Path, count: int | None, seed: int | None, words: str
) -> None:
    opened(tmp_path).make(lambda: None)
    with pytest.raises(DatasetError) as caught:
        opened(tmp_path, count, seed)
    assert words in caught.value.message


def test_other_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match="holds other files than scenes"):
        opened(tmp_path)
    with pytest.raises(DatasetError, match="is a file"):
        opened(tmp_path / "notes.txt")
    described = tmp_path / "described"
    described.mkdir()
    (described / "scenes.json").write_text("{")
    with pytest.raises(DatasetError, match=r"scenes\.json cannot be read"):
        opened(described)
    (described / "scenes.json").write_text(json.dumps({"count": 2, "seed": 5, "version": 0}))
    with pytest.raises(DatasetError, match="drawing version 0; expected version"):
        opened(described)
    with pytest.raises(DatasetError, match="--root is missing"):
        open_dataset("scenes", DatasetOptions())


def test_options_of_other_data_sets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--labels with --dataset scenes; expected only --root, --count, --seed"):
        open_dataset("scenes", DatasetOptions(labels=tmp_path, root=tmp_path))
    with pytest.raises(DatasetError, match="--seed with --dataset folder"):
        open_dataset("folder", DatasetOptions(seed=0))
