"""A number that lies is the worst fault: each trap of labels and masks is told, by the installed command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image

NAMES = ("wall", "sky", "grass", "tree", "road")
MASKS = ("--labels", "labels", "--classes", "cats.txt", "--predictions", "masks")


def save(folder: Path, stem: str, ids: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray(ids.astype(np.uint8)).save(folder / f"{stem}.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Labels and masks of five classes that agree on most pixels."""
    random = np.random.default_rng(0)
    (tmp_path / "cats.txt").write_text("\n".join(NAMES))
    for stem in ("a", "b", "c"):
        label = random.integers(0, 5, (8, 10)).repeat(4, 0).repeat(4, 1)
        save(tmp_path / "labels", stem, label)
        save(tmp_path / "masks", stem, np.where(random.random(label.shape) < 0.9, label, 0))
    return tmp_path


def change(folder: Path, how: object) -> None:
    for path in folder.iterdir():
        save(folder, path.stem, how(np.asarray(Image.open(path)).astype(int)))  # type: ignore[operator]


def test_the_table_is_on_stdout(folder: Path) -> None:
    done = ifseg("evaluate", *MASKS, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "mIoU" in done.stdout and "grass" in done.stdout
    assert "mIoU" not in done.stderr


def test_a_0_255_mask_is_no_perfect_score(folder: Path) -> None:
    (folder / "cats.txt").write_text("background\nsky\n")
    for name in ("labels", "masks"):
        change(folder / name, lambda ids: np.where(ids == 1, 255, 0))
    told = one_line_error(ifseg("evaluate", *MASKS, cwd=folder))
    assert "'sky' is never labelled" in told and "% of the pixels are 255" in told and "--ignore 255" in told
    (folder / "cats.txt").write_text("0 background\n255 sky\n256 nothing\n")
    assert ifseg("evaluate", *MASKS, cwd=folder).returncode == 0


@pytest.mark.parametrize("by", [1, -1])
def test_masks_shifted_by_one_are_named(folder: Path, by: int) -> None:
    change(folder / "masks", lambda ids: (ids + by).clip(0, 255))
    done = ifseg("evaluate", *MASKS, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "ARE THE IDS SHIFTED BY ONE?" in done.stdout
    assert ("lowered by one" if by == 1 else "raised by one") in done.stdout


def test_labels_shifted_by_one_with_the_last_class_absent_are_named(folder: Path) -> None:
    change(folder / "labels", lambda ids: np.where(ids == 4, 0, ids) + 1)
    assert "ARE THE IDS SHIFTED BY ONE?" in ifseg("evaluate", *MASKS, cwd=folder).stdout


def test_labels_shifted_by_one_are_not_to_be_ignored(folder: Path) -> None:
    change(folder / "labels", lambda ids: ids + 1)
    told = one_line_error(ifseg("evaluate", *MASKS, cwd=folder))
    assert "labels hold 5, which is no class, and never 0" in told and "(1 wall, ...)" in told
    assert "--ignore" not in told


def test_sizes_that_differ_are_all_named_and_resized_when_asked(folder: Path) -> None:
    change(folder / "masks", lambda ids: ids[::2, ::2])
    told = one_line_error(ifseg("evaluate", *MASKS, cwd=folder))
    assert "3 of 3 masks have another size than their label" in told and "--resize-predictions" in told
    assert all(f"masks/{stem}.png is 20 x 16" in told for stem in "abc")
    done = ifseg("evaluate", *MASKS, "--resize-predictions", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["resized_masks"] == 3 and report["numbers"]["aAcc"] > 0.75
    assert "3 masks had another size" in done.stderr


def test_the_same_folder_on_both_sides_and_predictions_as_labels(folder: Path) -> None:
    same = ["--labels", "labels", "--classes", "cats.txt", "--predictions", "labels"]
    assert "labels and --predictions are both labels" in one_line_error(ifseg("evaluate", *same, cwd=folder))
    for name in ("predictions.jsonl", "classes.json"):
        (folder / "labels" / name).write_text("{}")
    assert "is what ifseg predict wrote" in one_line_error(ifseg("evaluate", *MASKS, cwd=folder))


def test_the_short_form_says_which_names_and_which_command(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tiny import save_tiny_model

    save_tiny_model(folder / "ifseg-model")
    tree = folder / "data" / "ADEChallengeData2016"
    for part in ("images", "annotations"):
        (tree / part / "validation").mkdir(parents=True)
    shutil.copy(folder / "labels" / "a.png", tree / "annotations" / "validation" / "a.png")
    Image.new("RGB", (40, 32)).save(tree / "images" / "validation" / "a.jpg")
    told = one_line_error(ifseg("evaluate", "--dataset", "ade20k", cwd=folder))
    assert "ade20k alone has 148 of its 150 names" in told and "run ifseg adapt --categories ade20k" in told
    masks = ["--predictions", "masks", "--out", "e", "--json"]
    done = ifseg("evaluate", "--dataset", "ade20k", *masks, cwd=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["images"] == {"in_data_set": 1, "scored": 1, "official": 2000}
    assert "1 of the official 2,000 images" in done.stderr


def test_a_label_map_gathers_values_of_the_labels(folder: Path) -> None:
    """Labels of many values, few classes: several values for one, one dropped, and the numbers of relabelling."""
    plain = json.loads(ifseg("evaluate", *MASKS, "--json", cwd=folder).stdout)
    for path in (folder / "labels").glob("*.png"):
        ids = np.asarray(Image.open(path))
        Image.fromarray(np.where(np.indices(ids.shape).sum(0) % 2, ids + 100, ids).astype(np.uint8)).save(path)
    names = (folder / "cats.txt").read_text().split()
    lines = [f"{value + offset} = {name}" for value, name in enumerate(names) for offset in (0, 100)]
    (folder / "labels.txt").write_text("\n".join([*lines, "255 = -", "99 = -"]))
    words = (*MASKS, "--label-map", "labels.txt", "--overwrite", "--json")
    mapped = json.loads(ifseg("evaluate", *words, cwd=folder).stdout)
    assert mapped["numbers"] == plain["numbers"]
    (folder / "labels.txt").write_text("0 = nothing\n")
    told = one_line_error(ifseg("evaluate", *words, cwd=folder))
    assert "'0 = nothing'; expected a class of cats.txt" in told
