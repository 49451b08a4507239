"""Several processes, one folder: every picture once, whatever their number, and the masks of one process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import ifseg
from test_predict_chaos import masks, photographs
from tiny import save_tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shards")
    save_tiny_model(made / "model")
    photographs(made / "in", 12)
    assert ifseg("predict", "in", "--model", "model", "--out", "alone", cwd=made).returncode == 0
    return made


def images(out: Path) -> list[str]:
    lines = (line for path in out.glob("predictions*.jsonl") for line in path.read_text().splitlines())
    return sorted(json.loads(line)["image"] for line in lines)


def test_two_shards_make_what_one_process_makes(folder: Path) -> None:
    out, words = folder / "two", ("predict", "in", "--model", "model", "--out", "two")
    first = ifseg(*words, "--shard", "1/2", "--json", cwd=folder)
    assert first.returncode == 0 and "shard 1/2" in first.stderr
    assert 0 < json.loads(first.stdout.splitlines()[-1])["done"] < 12
    second = ifseg(*words, "--shard", "2/2", cwd=folder)
    assert second.returncode == 0, second.stderr
    assert {path.name for path in out.glob("*.jsonl")} == {"predictions-1-of-2.jsonl", "predictions-2-of-2.jsonl"}
    assert masks(out) == masks(folder / "alone") and images(out) == images(folder / "alone")
    page = (out / "index.html").read_text()
    assert all(name in page for name in images(out))
    again = ifseg(*words, "--shard", "3/5", "--json", cwd=folder)  # whatever their number: what is done is done
    found = json.loads(again.stdout.splitlines()[-1])
    assert found["done"] == found["done_before"] > 0 and images(out) == images(folder / "alone")
    alone = json.loads(ifseg(*words, "--json", cwd=folder).stdout.splitlines()[-1])
    assert alone["done_before"] == 12


def test_a_picture_that_changed_has_one_line_in_the_end(folder: Path, tmp_path: Path) -> None:
    photographs(tmp_path / "in", 6)
    words = ("predict", "in", "--model", str(folder / "model"), "--out", "out", "--no-overlay")
    for part in ("1/2", "2/2"):
        assert ifseg(*words, "--shard", part, cwd=tmp_path).returncode == 0
    changed = next((tmp_path / "in").rglob("*.jpg"))
    changed.write_bytes(next((folder / "in").rglob("0011.jpg")).read_bytes())
    assert json.loads(ifseg(*words, "--json", cwd=tmp_path).stdout.splitlines()[-1])["done_before"] == 5
    assert len(set(images(tmp_path / "out"))) == len(images(tmp_path / "out")) == 6


def test_torchrun_says_who_one_is(folder: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29617"]
    words = ["-m", "ifseg_cli", "predict", "in", "--model", "model", "--out", "torchrun"]
    done = subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert masks(folder / "torchrun") == masks(folder / "alone")
    assert (folder / "torchrun" / "predictions-2-of-2.jsonl").exists() and len(images(folder / "torchrun")) == 12


@pytest.mark.parametrize("words", [("--shard", "3/2"), ("--shard", "auto"), ("--shard", "1/2", "--overwrite")])
def test_what_cannot_be(folder: Path, words: tuple[str, ...]) -> None:
    done = ifseg("predict", "in", "--model", "model", "--out", "never", *words, cwd=folder)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and not (folder / "never").exists()


def test_masks_of_shards_are_known_as_ours(folder: Path, tmp_path: Path) -> None:
    """They are never read as photographs, and an evaluation takes what their manifests list."""
    from ifseg_cli.core.evaluation.predictions import _listed_by_the_run

    photographs(tmp_path / "in", 4)
    words = ("predict", "in", "--model", str(folder / "model"), "--no-overlay")
    for part in ("1/2", "2/2"):
        assert ifseg(*words, "--out", "in/masks", "--shard", part, cwd=tmp_path).returncode == 0
    found = json.loads(ifseg(*words, "--out", "other", "--json", cwd=tmp_path).stdout.splitlines()[-1])
    assert found["done"] == 4 and found["passed_over"] == {"folder that ifseg wrote": 1}
    (tmp_path / "cats.txt").write_text("cat\ndog\n")
    listed = _listed_by_the_run(tmp_path / "in" / "masks")
    assert listed == {image.replace(".jpg", ".png") for image in images(tmp_path / "in" / "masks")}
    taken = ifseg("evaluate", "--labels", "in/masks", "--predictions", "other", "--classes", "cats.txt", cwd=tmp_path)
    assert taken.returncode == 2 and "is what ifseg predict wrote" in taken.stderr
