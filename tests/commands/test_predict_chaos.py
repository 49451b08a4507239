"""SIGKILL at any moment, then the same command again: in the end every mask is that of the undisturbed run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import ifseg
from PIL import Image
from tiny import save_tiny_model


def photographs(folder: Path, number: int) -> None:
    for at in range(number):
        path = folder / f"part {at % 3}" / f"{at:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = np.random.default_rng(at).integers(0, 256, (5, 6, 3), dtype=np.uint8)
        Image.fromarray(small).resize((160, 120)).save(path)


def masks(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.png")}


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ifseg_cli", "predict", "in", "--model", "model", "--out", "out"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def begun(folder: Path) -> bool:
    ledger = folder / "out" / "predictions.jsonl"
    return ledger.exists() and ledger.stat().st_size > 0


def disturbed(folder: Path, rounds: int, longest: float) -> None:
    """Kill a run so many times, each a while after it has begun to write."""
    chance = random.Random(0)
    for _ in range(rounds):
        process = start(folder)
        before = (folder / "out" / "predictions.jsonl").stat().st_size if begun(folder) else 0
        while process.poll() is None and (
            not begun(folder) or (folder / "out" / "predictions.jsonl").stat().st_size <= before
        ):
            time.sleep(0.002)
        time.sleep(chance.random() * longest)
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1].decode()
        assert "Traceback" not in said and process.returncode in (-signal.SIGKILL, 0), said
        for path in (folder / "out").rglob("*.png"):
            Image.open(path).load()  # whole, whenever the run ended


def check(folder: Path, number: int) -> None:
    done = ifseg("predict", "in", "--model", "model", "--out", "out", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["done"] == number
    assert ifseg("predict", "in", "--model", "model", "--out", "calm", cwd=folder).returncode == 0
    assert masks(folder / "out") == masks(folder / "calm") and len(masks(folder / "calm")) == number
    lines = [json.loads(line) for line in (folder / "out" / "predictions.jsonl").read_text().splitlines()]
    assert len({line["image"] for line in lines}) == len(lines) == number
    assert not list((folder / "out").rglob(".ifseg-*"))


def test_killed_twice(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "model")
    photographs(tmp_path / "in", 40)
    disturbed(tmp_path, 2, 0.15)
    check(tmp_path, 40)


@pytest.mark.slow
def test_killed_twenty_times(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "model")
    photographs(tmp_path / "in", 300)
    disturbed(tmp_path, 20, 0.6)
    check(tmp_path, 300)


def test_evaluate_goes_on_too(tmp_path: Path) -> None:
    """Masks without a report are of a run that was cut off; with a report the folder is taken."""
    save_tiny_model(tmp_path / "model")
    photographs(tmp_path / "in", 6)
    for path in (tmp_path / "in").rglob("*.jpg"):
        label = tmp_path / "labels" / path.relative_to(tmp_path / "in").with_suffix(".png")
        label.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((120, 160), 2, np.uint8)).save(label)
    (tmp_path / "cats.txt").write_text("cat\ndog\ngrass\nsky & <b>sea</b>\ntree\n")
    words = (
        "evaluate",
        "--images",
        "in",
        "--labels",
        "labels",
        "--classes",
        "cats.txt",
        "--model",
        "model",
        "--no-overlay",
    )
    whole = json.loads(ifseg(*words, "--out", "whole", "--json", cwd=tmp_path).stdout)
    out = tmp_path / "cut"
    assert ifseg(*words, "--out", "cut", cwd=tmp_path).returncode == 0
    taken = ifseg(*words, "--out", "cut", cwd=tmp_path)
    assert taken.returncode == 2 and "cut exists already" in taken.stderr
    for name in ("report.json", "report.md", "report.html"):
        (out / name).unlink()
    assert "cut exists already" in ifseg(*words, "--out", "cut", cwd=tmp_path).stderr  # `examples` may be the user's
    shutil.rmtree(out / "examples")
    lines = (out / "masks" / "predictions.jsonl").read_text().splitlines(keepends=True)
    (out / "masks" / "predictions.jsonl").write_text("".join(lines[:2]))
    kept = {json.loads(line)["mask"] for line in lines[:2]}
    before = {name: (out / "masks" / name).stat().st_mtime_ns for name in kept}
    again = json.loads(ifseg(*words, "--out", "cut", "--json", cwd=tmp_path).stdout)
    assert again["numbers"] == whole["numbers"]
    assert before == {name: (out / "masks" / name).stat().st_mtime_ns for name in kept}


def test_watching_ends_cleanly(tmp_path: Path) -> None:
    save_tiny_model(tmp_path / "model")
    photographs(tmp_path / "in", 3)
    command = [sys.executable, "-m", "ifseg_cli", "predict", "in", "--model", "model", "--out", "out", "--watch"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    wait_for(tmp_path / "out" / "part 2" / "0002.png", process)
    photographs(tmp_path / "in", 5)  # three of them anew, as they were, but later
    wait_for(tmp_path / "out" / "part 1" / "0004.png", process)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 0 and "Traceback" not in said, said
    check(tmp_path, 5)


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
