"""Exports read back by datumaro (by which CVAT imports too) and by labelme, in an environment of their own.

`make test-interop` makes it; without it this is skipped.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from command import ifseg
from PIL import Image
from tiny import save_tiny_model

INTERPRETER = Path(__file__).parents[2] / ".venv-interop" / "bin" / "python"


@pytest.mark.skipif(not INTERPRETER.exists(), reason="no .venv-interop with datumaro and labelme: make test-interop")
def test_the_tools_themselves_read_the_masks_back(tmp_path: Path):
    for i, name in enumerate(("in/1.png", "in/22.jpg", "in/sub folder/naïve.png")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        small = np.random.default_rng(i).integers(0, 256, (6, 7, 3), dtype=np.uint8)
        Image.fromarray(small).resize((90 + i, 60)).save(path)
    save_tiny_model(tmp_path / "model")
    options = ("--no-overlay", "--threshold", "0.35", "--smoothing-iterations", "0")
    words = ("--model", "model", "--out", "out", *options, "--export", "coco,cvat,labelme")
    done = ifseg("predict", "in", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    command = [INTERPRETER, Path(__file__).with_name("read_back.py"), tmp_path / "out"]
    read = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""})
    assert read.returncode == 0, read.stderr
    assert read.stdout == "".join(f"{form}: 3 masks read back\n" for form in ("cvat", "coco", "labelme"))
