"""Protocols through the command: an unadapted base, swapped words, a class map, the zero-shot split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image
from tiny import save_tiny_model

DATA = ("evaluate", "--images", "images", "--labels", "labels", "--classes", "cats.txt", "--no-overlay")
NAMES = ("tree", "grass", "dog")  # of the data set; the model has five, two of them others


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("protocols")
    save_tiny_model(root / "model")
    for name in ("images", "labels"):
        (root / name).mkdir()
    for stem in range(3):
        random = np.random.default_rng(stem)
        small = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
        Image.fromarray(small).resize((60, 50)).save(root / "images" / f"{stem}.png")
        label = np.kron(random.integers(0, 3, (5, 6)), np.ones((10, 10))).astype(np.uint8)
        Image.fromarray(label).save(root / "labels" / f"{stem}.png")
    (root / "cats.txt").write_text("\n".join(NAMES))
    (root / "unseen.txt").write_text("grass\ndog\n")
    return root


def report(folder: Path, out: str, *words: object) -> dict[str, Any]:
    done = ifseg(*DATA, *words, "--out", out, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def names_of_masks(folder: Path, out: str) -> list[str]:
    return [each["name"] for each in json.loads((folder / out / "masks" / "classes.json").read_text())["classes"]]


def test_a_base_is_judged_unadapted(folder: Path, tiny_base: Path) -> None:
    found = report(folder, "base", "--model", tiny_base)
    assert "Unadapted: the base as it is" in " ".join(found["protocol"]["sentences"])
    assert names_of_masks(folder, "base") == list(NAMES)
    assert found["images"]["scored"] == 3 and found["numbers"]["mIoU"] is not None


def test_words_swapped_at_prediction_are_what_the_weights_say_of_them(folder: Path) -> None:
    """The same model judged on its own five names and on three: the masks hold the data set's, the report says so."""
    found = report(folder, "swapped", "--model", "model", "--swap-vocabulary")
    assert "Cross-dataset: the model got the data set's names" in " ".join(found["protocol"]["sentences"])
    assert names_of_masks(folder, "swapped") == list(NAMES)
    told = one_line_error(ifseg(*DATA, "--model", "model", "--out", "other", cwd=folder))
    assert "say --swap-vocabulary or --class-map" in told and "ifseg adapt --categories cats.txt" in told


def test_names_through_a_class_map(folder: Path) -> None:
    (folder / "map.txt").write_text("cat = dog\nsky & <b>sea</b> = -\n")
    found = report(folder, "mapped", "--model", "model", "--class-map", "map.txt")
    assert "joined to the classes by a class map" in " ".join(found["protocol"]["sentences"])
    assert len(names_of_masks(folder, "mapped")) == 5
    masks = [np.asarray(Image.open(folder / "mapped" / "masks" / f"{stem}.png")) for stem in range(3)]
    dog = sum(int(np.isin(mask, (0, 1)).sum()) for mask in masks)  # cats and dogs
    assert next(row for row in found["classes"] if row["name"] == "dog")["predicted"] == dog


def test_a_map_that_leaves_a_name_out_is_told_before_any_picture(folder: Path) -> None:
    (folder / "short.txt").write_text("cat = dog\n")
    told = one_line_error(ifseg(*DATA, "--model", "model", "--class-map", "short.txt", "--out", "short", cwd=folder))
    assert "of which short.txt says nothing" in told and not (folder / "short" / "masks").exists()


def test_zero_shot_needs_a_model_of_the_unseen_names(folder: Path, tiny_base: Path) -> None:
    split = ("--protocol", "zero-shot", "--unseen", "unseen.txt")
    found = report(folder, "zero", "--model", tiny_base, *split)
    assert [row["name"] for row in found["classes"]] == ["grass", "dog"]
    assert found["protocol"]["unseen"] == ["grass", "dog"] and found["pixels"]["ignored"] > 0
    general = report(folder, "general", "--model", tiny_base, "--protocol", "generalised", "--unseen", "unseen.txt")
    seen, unseen = general["numbers"]["seen"], general["numbers"]["unseen"]
    assert general["numbers"]["harmonic"] == pytest.approx(2 * seen * unseen / (seen + unseen))
