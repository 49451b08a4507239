"""Published files on the command line: a training checkpoint predicts as it is, a base is adapted and saved small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import published_files as files
import pytest
from command import ifseg, one_line_error
from PIL import Image
from safetensors.torch import load_file

SMALL = ("--set", "optimiser.steps=1", "--set", "optimiser.batch_size=1", "--set", "target_size=32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("published")
    files.training_file(root / "training")
    files.port_folder(root / "port")
    noise = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((80, 60)).save(root / "photo.png")
    return root


def predict(folder: Path, out: str, *words: object) -> list[object]:
    model = ["--model", "training/checkpoint_best.pt", "--short-side", 64, "--no-overlay"]
    return ["predict", "photo.png", "--out", out, *model, *words]


def test_a_training_checkpoint_predicts_as_it_is(folder: Path) -> None:
    done = ifseg(*predict(folder, "masks", "--json"), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert [each["name"] for each in json.loads(done.stdout.splitlines()[-1])["classes"]] == list(files.NAMES)
    assert np.asarray(Image.open(folder / "masks" / "photo.png")).max() < 3


def test_its_categories_may_be_given_and_must_be_as_many(folder: Path, tmp_path: Path) -> None:
    right, short = tmp_path / "right.txt", tmp_path / "short.txt"
    right.write_text("\n".join(files.NAMES))
    short.write_text("giraffe\nsky\n")
    assert ifseg(*predict(folder, "given", "--categories", right), cwd=folder).returncode == 0
    line = one_line_error(ifseg(*predict(folder, "other", "--categories", short), cwd=folder))
    assert "adapted to 3 categories, --categories name 2" in line
    assert not (folder / "other").exists()


def test_its_tokenizer_may_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes((folder / "photo.png").read_bytes())
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "checkpoint_best.pt").symlink_to(folder / "training" / "checkpoint_best.pt")
    assert "--tokenizer" in one_line_error(ifseg(*predict(folder, "masks"), cwd=tmp_path))
    done = ifseg(*predict(folder, "masks", "--tokenizer", files.TOKENIZER), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_base_is_no_model(folder: Path) -> None:
    line = one_line_error(ifseg("predict", "photo.png", "--out", "none", "--model", "port", cwd=folder))
    assert "is a base without categories" in line


@pytest.mark.parametrize("base", ["port", "training/checkpoint_best.pt"])
def test_a_published_base_is_adapted_and_saved_in_half_the_space(folder: Path, tmp_path: Path, base: str) -> None:
    words = ["adapt", "--category", "cat", "--category", "tree", "--base", folder / base, *SMALL]
    sizes: list[int] = []
    for precision in ("exact", "fp16"):
        done = ifseg(*words, "--save", precision, "--out", tmp_path / precision, "--offline")
        assert done.returncode == 0, done.stderr
        assert "an OFA of width 8" in done.stderr
        sizes.append((tmp_path / precision / "model.safetensors").stat().st_size)
    assert sizes[1] < 0.51 * sizes[0]
    kinds = {str(each.dtype) for each in load_file(tmp_path / "fp16" / "model.safetensors").values()}
    assert kinds == {"torch.float16"}
    assert "Half precision" in (tmp_path / "fp16" / "README.md").read_text()
    assert "Half precision" not in (tmp_path / "exact" / "README.md").read_text()
    assert ifseg("predict", folder / "photo.png", "--model", tmp_path / "fp16", "--out", tmp_path / "m").returncode == 0


@pytest.mark.parametrize("command", ["vocab", "synth"])
def test_the_other_commands_read_published_bases_too(folder: Path, tmp_path: Path, command: str) -> None:
    done = ifseg(command, "--category", "cat", "--category", "tree", "--base", folder / "port", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--save", "fp8"], "--save fp8; expected exact, fp16 or update"),
        (["--precision", "fp8"], "--precision fp8; expected auto, fp32 or bf16"),
        (["--tokenizer", "nowhere"], "there is no nowhere"),
    ],
    ids=str,
)
def test_options_that_cannot_be(folder: Path, tmp_path: Path, words: list[str], told: str) -> None:
    command = ["adapt", "--category", "cat", "--category", "tree", "--base", folder / "port", "--out", tmp_path / "m"]
    assert told in one_line_error(ifseg(*command, *words, cwd=tmp_path))
    assert not (tmp_path / "m").exists()
