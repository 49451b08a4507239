"""The command that makes the base: what it must be told, before any work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_builtin.py"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ([], "name the captioned photographs (--photos), or say --no-captions"),
        (["--no-captions", "--photos", "."], "name the captioned photographs (--photos), or say --no-captions"),
        (["--photos", "nowhere"], "there is no nowhere"),
        (["--photos", ".", "--captions", "a", "--captions", "b"], "more --captions than --photos"),
    ],
)
def test_photographs_are_named_or_left_out(told: list[str], says: str, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out"), *told]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].endswith(says)
    assert not (tmp_path / "out").exists() and not (tmp_path / "work").exists()
