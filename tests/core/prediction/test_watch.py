"""A watched folder is done as pictures come and change; a broken one is told once; the end is a clean one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.images.sources import Found
from ifseg_cli.core.prediction.engine import watch as watching
from ifseg_cli.core.prediction.engine.manifest import read_failures, read_records
from ifseg_cli.core.prediction.engine.pipeline import predict_images
from ifseg_cli.core.prediction.engine.summary import Summary
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings

SETTINGS = PredictionSettings(smoothing_iterations=1, overlay=False)


def put(folder: Path, name: str, seed: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    Image.fromarray(small).resize((50, 40)).save(folder / name)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SETTLED", 0.1)
    monkeypatch.setattr(watching, "INTERVAL", 0.05)


@pytest.mark.usefixtures("quick")
def test_what_comes_is_done(model: Model, tmp_path: Path) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    end, sizes, totals = threading.Event(), list[int](), list[Summary]()

    def run(found: Found) -> Summary:
        summary = predict_images(model, found, out, SETTINGS, stopped=end.is_set)
        sizes.append(summary.done + len(summary.failures))
        return summary

    found = find_images([inputs], out, may_be_none=True)
    thread = threading.Thread(target=lambda: totals.append(watching.watch(found, run, end.is_set)))
    thread.start()
    until(lambda: sizes == [0])
    put(inputs, "a.png")
    until((out / "a.png").exists)
    before = (out / "a.png").read_bytes()
    put(inputs, "b.png", 1)
    (inputs / "broken.png").write_bytes(b"broken")
    until((out / "b.png").exists)
    until((out / "failures.jsonl").exists)
    put(inputs, "a.png", 7)
    until(lambda: (out / "a.png").exists() and (out / "a.png").read_bytes() != before)
    time.sleep(0.3)
    runs = len(sizes)
    time.sleep(0.5)
    assert len(sizes) == runs  # nothing new: nothing is done
    end.set()
    thread.join(10)
    assert sorted(record.image for record in read_records(out)) == ["a.png", "b.png"]
    assert [each.image for each in read_failures(out)] == ["broken.png"] == [each.image for each in totals[0].failures]
    assert totals[0].done == 3  # one of them twice


def test_a_picture_being_written_is_left_for_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SETTLED", 100.0)
    put(tmp_path, "a.png")
    look = watching._Look(set())
    assert not any(look.takes(each) for each in find_images([tmp_path])) and not look.taken
    monkeypatch.setattr(watching, "SETTLED", 0.0)
    assert all(look.takes(each) for each in find_images([tmp_path])) and len(look.taken) == 1
