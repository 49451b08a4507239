"""Scenes as a data set: drawn once when it is opened, then read like any other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.preflight import check_dataset
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.lists import LABELS, shipped_list
from ifseg_cli.scenes.categories import CATEGORIES
from ifseg_cli.scenes.draw import scene


def opened(root: Path, count: int | None = 2, seed: int | None = 5) -> Dataset:
    return open_dataset("scenes", DatasetOptions(count=count, seed=seed), root)


def test_the_shipped_list_is_the_same_and_the_builtin_base_knows_it() -> None:
    shipped = shipped_list("scenes").categories
    assert tuple(category.name for category in shipped) == CATEGORIES
    assert [category.raw_id for category in shipped] == list(range(len(CATEGORIES)))
    known = KnownWords.read(LABELS.parent / "builtin" / "words.json")
    canonical = [known.resolve(name) for name in CATEGORIES]
    assert None not in canonical
    assert len(set(canonical)) == len(CATEGORIES), "two names would share a row"


def test_opening_draws_the_scenes(tmp_path: Path) -> None:
    steps: list[int] = []
    dataset = open_dataset("scenes", DatasetOptions(count=2, seed=5), tmp_path / "scenes", lambda: steps.append(1))
    assert len(steps) == len(dataset) == 2
    assert check_dataset(dataset).ignored(dataset) == 0
    picture, labels = scene(5, 1)
    assert np.array_equal(np.asarray(Image.open(dataset.images[1])), picture)
    assert np.array_equal(np.asarray(Image.open(dataset.samples[1].label)), labels)


def test_what_lies_there_is_used_again_and_what_is_missing_is_drawn(tmp_path: Path) -> None:
    dataset = opened(tmp_path)
    first, second = (sample.label for sample in dataset)
    before = first.stat().st_mtime_ns
    second.unlink()
    opened(tmp_path)
    assert second.is_file() and first.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("count", "seed", "words"),
    [
        (3, 5, "holds 2 scenes of seed 5; expected 3 scenes of seed 5; say --count 2 --seed 5, delete"),
        (2, 6, "expected 2 scenes of seed 6"),
        (None, None, "expected 400 scenes of seed 0"),
        (0, 5, "--count is 0; expected 1 to"),
        (2, -1, "--seed is -1; expected 0 to"),
    ],
)
def test_other_scenes_than_asked_for_are_refused(
    tmp_path: Path, count: int | None, seed: int | None, words: str
) -> None:
    opened(tmp_path)
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
        open_dataset("scenes", DatasetOptions(labels=tmp_path, root=tmp_path), tmp_path)
    with pytest.raises(DatasetError, match="--seed with --dataset folder"):
        open_dataset("folder", DatasetOptions(seed=0), tmp_path)
