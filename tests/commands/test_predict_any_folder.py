"""Whatever people keep in folders: every picture gets its mask or a line among the failures, and no file is touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from command import ifseg
from PIL import Image
from tiny import save_tiny_model

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "bmp": "BMP", "gif": "GIF", "ppm": "PPM"}
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F")
NAMES = ("with space", "ünï ☃", "-dash", "line\nbreak", "#50%", "a[1]", "'quoted'", "trailing.dots..", "~")


def small(seed: int, size: tuple[int, int] = (24, 20)) -> Image.Image:
    made = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(made).resize(size)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("any")
    save_tiny_model(root / "model")
    inputs = root / "in"
    for kind in ("formats", "modes", "names", "sizes", "deep/er/still", "bad"):
        (inputs / kind).mkdir(parents=True)
    for suffix, name in FORMATS.items():
        small(1).save(inputs / "formats" / f"a.{suffix}", format=name)
    frames = [small(seed) for seed in range(3)]
    frames[0].save(inputs / "formats" / "moving.gif", save_all=True, append_images=frames[1:])
    for mode in MODES:
        suffix = "tif" if mode in ("CMYK", "F", "I") else "png"
        small(2).convert("L" if mode == "I;16" else mode).convert(mode).save(inputs / "modes" / f"{mode}.{suffix}")
    for name in NAMES:
        small(3).save(inputs / "names" / f"{name}.png")
    for size in ((1, 1), (1, 5000), (5000, 1), (2, 3)):
        small(4, size).save(inputs / "sizes" / f"{size[0]}x{size[1]}.png")
    turned = small(5)
    exif = turned.getexif()
    exif[274] = 6
    turned.save(inputs / "deep/er/still" / "turned.jpg", exif=exif)
    (inputs / "bad" / "empty.png").touch()
    (inputs / "bad" / "words.jpg").write_text("words")
    small(6).save(inputs / "bad" / "cut.png")
    (inputs / "bad" / "cut.png").write_bytes((inputs / "bad" / "cut.png").read_bytes()[:60])
    (inputs / "bad" / "nowhere.png").symlink_to("gone")
    (inputs / "bad" / "folder.png").mkdir()
    os.mkfifo(inputs / "bad" / "pipe.png")
    (inputs / "loop").symlink_to(inputs)
    (inputs / "twice").symlink_to(inputs / "deep")
    (inputs / "notes.txt").write_text("mine")
    return root


def state(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and "out" not in path.parts}


def test_every_picture_is_settled_and_nothing_else_is_touched(folder: Path) -> None:
    before = state(folder)
    done = ifseg("predict", "in", "--model", "model", "--out", "in/out", "--json", cwd=folder)
    assert done.returncode == 3 and "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    out = folder / "in" / "out"
    records = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    whole = {each["image"] for each in records}
    good = [path for kind in ("formats", "modes", "names", "sizes") for path in (folder / "in" / kind).iterdir()]
    assert {path.relative_to(folder / "in").as_posix() for path in good} <= whole
    assert len(whole) == len(records) == found["done"] == len(good) + 1  # the turned one, once, though reached twice
    failed = {each["image"] for each in found["failed"]}
    assert failed == {f"bad/{name}.png" for name in ("empty", "cut", "nowhere", "pipe")} | {"bad/words.jpg"}
    assert found["of_several_frames"] == 1 and found["passed_over"] == {"txt": 1}
    assert len({each["mask"] for each in records}) == len(records)
    for each in records:
        with Image.open(out / each["mask"]) as mask:
            assert mask.size == (each["width"], each["height"])
    turned = next(each for each in records if each["image"].endswith("turned.jpg"))
    assert (turned["width"], turned["height"]) == (20, 24)
    assert state(folder) == before
    again = ifseg("predict", "in", "--model", "model", "--out", "in/out", "--json", cwd=folder)
    assert json.loads(again.stdout.splitlines()[-1])["done_before"] == len(records)


@pytest.mark.parametrize("extra", [("--mode", "slide", "--short-side", "100"), ("--scales", "0.5,1", "--flip")])
def test_every_way_of_seeing_takes_every_size(folder: Path, tmp_path: Path, extra: tuple[str, ...]) -> None:
    done = ifseg("predict", "in/sizes", "--model", "model", "--out", tmp_path / "out", *extra, cwd=folder)
    assert done.returncode == 0, done.stderr
