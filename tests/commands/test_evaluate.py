"""`ifseg evaluate` as it is typed: real files, the real program, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAMES = ("cat", "dog", "grass", "sky & <b>sea</b>", "tree")


def ifseg(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ifseg_cli", "evaluate", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "80", "NO_COLOR": "1"},
        check=False,
    )


MASKS = ("--labels", "labels", "--classes", "cats.txt", "--predictions", "masks")
MODEL = ("--images", "images", "--labels", "labels", "--classes", "cats.txt", "--model", "model")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs with labels and masks; the second mask is wrong in one pixel of twelve."""
    random = np.random.default_rng(1)
    for name in ("images", "labels", "masks"):
        (tmp_path / name).mkdir()
    for stem in ("a", "b"):
        ids = np.arange(12, dtype=np.uint8).reshape(3, 4) % 5
        Image.fromarray(random.integers(0, 255, (3, 4, 3), np.uint8)).save(tmp_path / "images" / f"{stem}.png")
        Image.fromarray(ids).save(tmp_path / "labels" / f"{stem}.png")
        ids[0, 0] = 4 if stem == "b" else 0
        Image.fromarray(ids).save(tmp_path / "masks" / f"{stem}.png")
    (tmp_path / "cats.txt").write_text("\n".join(NAMES))
    return tmp_path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("evaluated") / "model")


def test_masks_become_numbers_with_their_definitions(folder: Path) -> None:
    done = ifseg(folder, *MASKS)
    assert done.returncode == 0, done.stderr
    assert "sky & <b>sea</b>" in done.stdout
    assert "definition mmseg" in done.stdout and "███" in done.stdout
    assert "2 of the 2 images are in these numbers." in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert done.stderr == "report: evaluation/report.html\n"
    report = json.loads((folder / "evaluation" / "report.json").read_text())
    assert report["numbers"]["aAcc"] == pytest.approx(23 / 24)
    assert report["classes"][0]["iou"] == pytest.approx(5 / 6)
    assert report["provenance"]["command"][:2] == ["ifseg", "evaluate"]
    assert (folder / "evaluation" / "report.md").read_text().startswith("# Evaluation of masks\n")


def test_json_is_alone_on_stdout(folder: Path) -> None:
    done = ifseg(folder, *MASKS, "--json", "--definition", "csail")
    assert json.loads(done.stdout) == json.loads((folder / "evaluation" / "report.json").read_text())
    assert json.loads(done.stdout)["numbers"]["mAcc"] is None


def test_a_missing_mask_is_counted_and_exits_3(folder: Path) -> None:
    (folder / "masks" / "b.png").unlink()
    done = ifseg(folder, *MASKS)
    assert done.returncode == 3
    assert "1 of the 2 images" in done.stdout and "not in the numbers: b: no mask b.png" in done.stderr


def test_a_model_predicts_and_is_scored_by_its_masks(folder: Path, tiny_model: Path) -> None:
    (folder / "model").symlink_to(tiny_model)
    (folder / "images" / "b.png").write_bytes(b"broken")
    done = ifseg(folder, *MODEL, "--smoothing-iterations", "2", "--json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["images"] == {"in_data_set": 2, "scored": 1}
    assert [each["stem"] for each in report["missing"]] == ["b"]
    assert report["provenance"]["prediction"]["smoothing_iterations"] == 2
    assert len(report["provenance"]["model_sha256"]) == 64
    again = ifseg(folder, *MASKS[:-1], "evaluation/masks", "--out", "again", "--json")
    assert json.loads(again.stdout)["numbers"] == report["numbers"]
    made = report["provenance"]
    assert all(len(made[name]) == 64 for name in ("model_sha256", "vocabulary_sha256", "classes_sha256"))
    assert (folder / "evaluation" / "masks" / "overlays" / "a.jpg").is_file()


def test_a_stale_mask_of_an_earlier_run_is_not_scored(folder: Path, tiny_model: Path) -> None:
    (folder / "model").symlink_to(tiny_model)
    assert ifseg(folder, *MODEL, "--no-overlay").returncode == 0
    (folder / "images" / "b.png").write_bytes(b"broken")
    done = ifseg(folder, *MODEL, "--no-overlay", "--overwrite", "--json")
    assert not (folder / "evaluation" / "masks" / "b.png").exists()
    assert json.loads(done.stdout)["images"]["scored"] == 1


def test_a_model_of_other_names(folder: Path, tiny_model: Path) -> None:
    (folder / "model").symlink_to(tiny_model)
    (folder / "cats.txt").write_text("cat\ndog\ngrass\nsky\ntree\n")
    done = ifseg(folder, *MODEL)
    assert done.returncode == 2
    assert "alone has 'sky & <b>sea</b>'" in done.stderr and "cats.txt alone has 'sky'" in done.stderr
    assert not (folder / "evaluation").exists()


def break_size(folder: Path) -> None:
    Image.new("L", (4, 4)).save(folder / "masks" / "a.png")


def break_label(folder: Path) -> None:
    Image.fromarray(np.full((3, 4), 77, np.uint8)).save(folder / "labels" / "b.png")


def break_colours(folder: Path) -> None:
    Image.new("RGB", (4, 3), (200, 10, 10)).save(folder / "labels" / "a.png")


def break_pair(folder: Path) -> None:
    (folder / "images" / "b.png").unlink()


def break_classes(folder: Path) -> None:
    (folder / "cats.txt").write_text("cat\n\x07\n")


def break_output(folder: Path) -> None:
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "notes.txt").write_text("mine")


def leave(folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("spoil", "words", "found"),
    [
        (break_size, MASKS, "masks/a.png is 4 x 4, its label labels/a.png is 4 x 3"),
        (break_label, MASKS, "no class: 77 (12 pixels), first in labels/b.png"),
        (break_colours, MASKS, "labels/a.png holds colours (RGB)"),
        (break_pair, (*MASKS, "--images", "images"), "have no image in images: b.png"),
        (break_classes, MASKS, "cats.txt line 2"),
        (break_output, MASKS, "evaluation exists already"),
        (leave, (*MASKS[:-1], "nowhere"), "--predictions nowhere is no folder"),
        (leave, MASKS[:-2], "there is no ifseg-model"),
        (leave, (*MASKS, "--model", "model"), "both --model and --predictions"),
        (leave, MODEL, "there is no model"),
        (leave, (*MASKS, "--out", "labels/out"), "lies in --labels"),
        (leave, (*MASKS, "--dataset", "imagenet"), "data set 'imagenet' is not known"),
        (leave, (*MASKS, "--definition", "best"), "definition 'best' is not known"),
        (leave, (*MASKS, "--ignore", "70000"), "--ignore 70000; expected a value from 0 to 65535"),
        (leave, (*MASKS, "--undeclared", "maybe"), "--undeclared maybe; expected one of error, ignored, kept"),
        (leave, (*MASKS, "--protocol", "best"), "--protocol best; expected one of standard, zero-shot, generalised"),
        (leave, (*MASKS, "--protocol", "zero-shot"), "needs the unseen classes of cats.txt; say --unseen FILE"),
        (leave, (*MASKS, "--unseen", "ade20k"), "--unseen without a zero-shot protocol"),
        (leave, (*MASKS, "--match", "best"), "--match best; expected one of hungarian"),
        (leave, (*MASKS, "--workers", "0"), "--workers 0; expected 1 to 64"),
        (leave, (*MASKS, "--swap-vocabulary"), "--swap-vocabulary without a model"),
        (leave, (*MASKS, "--class-map", "none.txt"), "--class-map none.txt cannot be read"),
        (leave, (*MASKS[:-2], "--compare", "masks"), "--compare masks; expected --compare NAME=masks"),
        (leave, (*MASKS[:-2], "--compare", "a=masks"), "--compare once"),
        (leave, (*MASKS[:-2], "--compare", "a/b=masks", "--compare", "c=masks"), "with the name 'a/b'"),
        (leave, MASKS[2:], "--labels is missing"),
        (leave, (*MODEL, "--neighbours", "0"), "--neighbours is 0"),
        (leave, (*MASKS, "--smoothing", "0"), "No such option"),
    ],
)
def test_faulty_input_is_one_line_and_exit_2(spoil: object, words: tuple[str, ...], found: str, folder: Path) -> None:
    spoil(folder)  # type: ignore[operator]
    done = ifseg(folder, *words)
    assert done.returncode == 2, done.stderr
    assert found in done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert not (folder / "evaluation" / "report.json").exists()


def test_help_has_an_example_and_fits_80_columns(folder: Path) -> None:
    done = ifseg(folder, "--help")
    assert "Example:" in done.stdout and "--predictions" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
