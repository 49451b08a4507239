"""Memory does not grow with the number of pictures."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from test_predict_chaos import photographs
from tiny import save_tiny_model

GROWTH = 16  # MB: what an allocator may do; 20,000 records kept would be four times that


def resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def growth(folder: Path, pictures: int, early: int) -> float:
    """Megabytes of resident memory at most, above those after `early` pictures."""
    save_tiny_model(folder / "model")
    photographs(folder / "in", 20)
    kinds = [path.read_bytes() for path in sorted((folder / "in").rglob("*.jpg"))]
    for number in range(pictures - 20):
        (folder / "in" / "part 1" / f"more {number}.jpg").write_bytes(kinds[number % 20])
    words = ["predict", "in", "--model", "model", "--out", "out", "--no-overlay", "--short-side", "64"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ifseg_cli", *words], cwd=folder, env=environment, stderr=subprocess.DEVNULL
    )
    ledger, begin, most = folder / "out" / "predictions.jsonl", 0.0, 0.0
    while process.poll() is None:
        time.sleep(0.1)
        try:
            if not begin and ledger.exists() and ledger.read_bytes().count(b"\n") >= early:
                begin = resident(process.pid)
            most = max(most, resident(process.pid))
        except (OSError, IndexError):  # it has just ended
            break
    assert process.wait() == 0 and begin > 0
    assert ledger.read_bytes().count(b"\n") == pictures
    with Image.open(folder / "out" / "part 1" / "more 7.png") as mask:
        assert mask.size == (160, 120)
    return most - begin


def test_over_six_hundred_pictures(tmp_path: Path) -> None:
    assert growth(tmp_path, 600, 150) < GROWTH


@pytest.mark.slow
def test_over_twenty_thousand_pictures(tmp_path: Path) -> None:
    assert growth(tmp_path, 20_000, 1000) < GROWTH
