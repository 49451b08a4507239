"""`ifseg predict` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import NAMES, save_tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder as a user has one: `ifseg-model/` and `photos/`."""
    root = tmp_path_factory.mktemp("predict")
    save_tiny_model(root / "ifseg-model")
    (root / "photos" / "sub").mkdir(parents=True)
    for i, name in enumerate(("a.png", "a.jpg", "sub/b.png")):
        small = np.random.default_rng(i).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(small).resize((50, 40)).save(root / "photos" / name)
    (root / "broken").mkdir()
    (root / "broken" / "x.jpg").write_bytes(b"no picture")
    (root / "taken").mkdir()
    (root / "taken" / "note.txt").write_text("mine")
    (root / "empty").mkdir()
    return root


def ifseg(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "80", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ifseg_cli", "predict", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_folder_becomes_masks_and_a_summary(folder: Path):
    done = ifseg(folder, "photos", "--out", "plain")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert (folder / "plain" / "index.html").is_file()
    masks = {path.relative_to(folder / "plain").as_posix() for path in (folder / "plain").rglob("*.png")}
    assert masks == {"a.jpg.png", "a.png.png", "sub/b.png"}
    assert np.asarray(Image.open(folder / "plain" / "sub" / "b.png")).shape == (40, 50)
    assert "share of pixels" in done.stderr and "plain/index.html" in done.stderr
    assert "\x1b" not in done.stderr


def test_json_stands_alone_on_stdout_and_failures_give_3(folder: Path):
    done = ifseg(folder, "photos", "broken", "--out", "some", "--json", "--no-overlay", "--smoothing-iterations", "0")
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["done"] == 3 and [failure["image"] for failure in result["failed"]] == ["x.jpg"]
    assert [entry["name"] for entry in result["classes"]] == list(NAMES)
    found = {entry["name"] for entry in result["classes"] if entry["pixels"]}
    assert set(result["never_predicted"]) == set(NAMES) - found
    assert "x.jpg is no picture" in done.stderr
    assert not (folder / "some" / "index.html").exists()
    command = json.loads((folder / "some" / "provenance.json").read_text())["command"]
    assert command[:3] == ["ifseg", "predict", "photos"]


def test_nothing_usable_gives_2(folder: Path):
    done = ifseg(folder, "broken", "--out", "none")
    assert done.returncode == 2
    assert "none of 1 picture could be used" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["missing"], "no picture found at missing"),
        (["empty"], "no picture found at empty"),
        (["photos/*.tif"], "no picture found at photos/*.tif"),
        (["photos", "--model", "nowhere"], "there is no nowhere"),
        (["photos", "--model", "photos"], "photos has no config.json"),
        (["photos", "--out", "taken"], "taken exists already"),
        (["photos", "--out", "photos", "--overwrite"], "lies in the output folder"),
        (["photos", "--out", ".", "--overwrite"], "lies in the output folder"),
        (["photos", "--threshold", "2"], "--threshold is 2.0; expected a number from 0 to 1"),
        (["photos", "--neighbours", "0"], "--neighbours is 0"),
        (["photos", "--smoothing-iterations", "-1"], "--smoothing-iterations is -1"),
        (["photos", "--short-side", "3"], "--short-side is 3"),
        (["photos", "--device", "tpu"], "tpu"),
        (["photos", "--neighbours", "many"], "neighbours"),
        ([], "IMAGES"),
    ],
)
def test_faulty_input_is_one_line_and_2(folder: Path, words: list[str], says: str):
    done = ifseg(folder, *words)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1 and lines[0].startswith("error:") and says in lines[0]
    assert not (folder / "masks").exists() and [path.name for path in (folder / "taken").iterdir()] == ["note.txt"]


def test_help_has_an_example_and_every_option(folder: Path):
    done = ifseg(folder, "--help")
    assert done.returncode == 0
    assert "ifseg predict photos/ --model ifseg-model --out masks" in done.stdout
    options = "model out smoothing-iterations neighbours threshold short-side no-overlay device overwrite json"
    assert all(f"--{option}" in done.stdout for option in options.split())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_strict_stops_at_the_first_picture_that_cannot_be_used(folder: Path) -> None:
    (folder / "mixed").mkdir()
    for name in ("a.png", "c.png"):
        (folder / "mixed" / name).write_bytes((folder / "photos" / "a.png").read_bytes())
    (folder / "mixed" / "b.png").write_bytes(b"broken")
    done = ifseg(folder, "mixed", "--out", "strict", "--strict")
    assert done.returncode == 2
    assert "b.png" in done.stderr and "(1 picture done, the same command goes on)" in done.stderr
    again = ifseg(folder, "mixed", "--out", "strict", "--json")
    assert again.returncode == 3 and json.loads(again.stdout.splitlines()[-1])["done_before"] == 1


def test_max_pixels_is_the_short_form_of_its_setting(folder: Path) -> None:
    done = ifseg(folder, "photos", "--out", "small", "--max-pixels", "9", "--json")
    assert done.returncode == 2 and "pixels" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["done"] == 0
