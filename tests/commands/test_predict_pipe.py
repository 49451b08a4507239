"""Pipes and other words: a picture in, its mask out; a line of JSON an image; a vocabulary in place of the model's."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image
from tiny import NAMES, save_tiny_model

from ifseg_cli import load_model
from ifseg_cli.core.vocabulary.category import Category


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and three photographs."""
    root = tmp_path_factory.mktemp("pipe")
    save_tiny_model(root / "model")
    (root / "photos").mkdir()
    for i in range(3):
        small = np.random.default_rng(i).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(small).resize((60, 48), Image.Resampling.BICUBIC).save(root / "photos" / f"{i}.jpg")
    return root


def piped(folder: Path, data: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ifseg_cli", "predict", "-", "--model", "model", *words]
    return subprocess.run(command, input=data, capture_output=True, cwd=folder, check=False)


def test_a_picture_goes_in_and_its_mask_comes_out(folder: Path):
    data = (folder / "photos" / "1.jpg").read_bytes()
    done = piped(folder, data, "--threshold", "0.3")
    assert done.returncode == 0 and done.stderr == b"" and not (folder / "masks").exists()
    mask = Image.open(io.BytesIO(done.stdout))
    ifseg("predict", "photos", "--model", "model", "--out", "out", "--threshold", "0.3", cwd=folder)
    written = Image.open(folder / "out" / "1.png")
    assert mask.mode == written.mode == "P" and mask.getpalette() == written.getpalette()
    assert np.array_equal(np.asarray(mask), np.asarray(written))


@pytest.mark.parametrize(
    ("data", "words", "says"),
    [
        (b"", [], "the picture is empty (0 bytes)"),
        (b"no picture", [], "the picture is no picture that can be read"),
        (b"", ["photos"], "- beside other pictures"),
        (b"", ["--json"], "- beside other pictures, --json or --watch"),
        (b"", ["--neighbours", "0"], "--neighbours is 0"),
    ],
)
def test_what_cannot_go_through_is_told(folder: Path, data: bytes, words: list[str], says: str):
    done = piped(folder, data, *words)
    assert done.returncode == 2 and done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert says in line


def test_a_line_of_json_an_image_and_a_summary_as_the_last(folder: Path):
    (folder / "photos" / "x.jpg").write_bytes(b"broken")
    done = ifseg("predict", "photos", "--model", "model", "--out", "lines", "--json", cwd=folder)
    (folder / "photos" / "x.jpg").unlink()
    *lines, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["image"] for each in lines] == ["0.jpg", "1.jpg", "2.jpg", "x.jpg"]
    kept = [json.loads(line) for line in (folder / "lines" / "predictions.jsonl").read_text().splitlines()]
    assert lines[:3] == kept and "is no picture" in lines[3]["error"]
    assert summary["done"] == 3 and summary["out"] == "lines"


def test_other_words_without_adapting_again(folder: Path):
    (folder / "words.txt").write_text("tree\ngrass, dog\n")
    done = ifseg("predict", "photos", "--model", "model", "--vocabulary", "words.txt", "--out", "other", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "the words are those of words.txt, and the model was adapted to others" in done.stderr
    classes = json.loads((folder / "other" / "classes.json").read_text())["classes"]
    assert [each["name"] for each in classes] == ["tree", "grass"]
    assert json.loads((folder / "other" / "provenance.json").read_text())["vocabulary"] == "words.txt"
    words = [Category("tree"), Category("grass", synonyms=("dog",))]
    expected = load_model(folder / "model").with_categories(words, "here").predict(folder / "photos" / "0.jpg")
    assert np.array_equal(np.asarray(Image.open(folder / "other" / "0.png")), np.asarray(expected.mask()))
    same = piped(folder, (folder / "photos" / "0.jpg").read_bytes(), "--vocabulary", "words.txt")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(same.stdout))), np.asarray(expected.mask()))


def test_masks_of_other_words_are_never_mixed(folder: Path):
    for name, text in (("mixed", "tree\ngrass\n"), ("synonyms", "tree\ngrass, cat\n"), ("names", "tree\ndog\n")):
        (folder / f"{name}.txt").write_text(text)
    words = ("predict", "photos", "--model", "model", "--out", "mixed")
    assert ifseg(*words, "--vocabulary", "mixed.txt", cwd=folder).returncode == 0
    others = {"synonyms.txt": "the same names with other synonyms", "names.txt": "other categories"}
    for name, says in others.items():
        done = ifseg(*words, "--vocabulary", name, cwd=folder)
        assert done.returncode == 2 and says in done.stderr.splitlines()[-1]
    assert "other categories" in ifseg(*words, cwd=folder).stderr.splitlines()[-1]


def test_words_that_the_base_does_not_know(folder: Path):
    (folder / "unknown.txt").write_text("zebra\n")
    done = ifseg("predict", "photos", "--model", "model", "--vocabulary", "unknown.txt", "--out", "none", cwd=folder)
    assert "zebra" in one_line_error(done)
    done = ifseg("predict", "photos", "--model", "nowhere", "--vocabulary", "no.txt", "--out", "none", cwd=folder)
    assert "no.txt" in one_line_error(done)  # before the model is looked for
    assert len(NAMES) == 5 and not (folder / "none").exists()
