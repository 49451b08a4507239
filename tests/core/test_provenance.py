"""Where a result comes from, written beside it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path

import pytest

from ifseg_cli.core.provenance import git_state, provenance


def test_says_command_versions_machine_and_time() -> None:
    made = provenance(["ifseg", "adapt", "--out", "a b"], seed=3, hashes={"base": "00ff"})
    assert made["command"] == ["ifseg", "adapt", "--out", "a b"]
    assert (made["seed"], made["hashes"]) == (3, {"base": "00ff"})
    assert made["ifseg"] == version("ifseg")
    assert made["packages"]["torch"] == version("torch")
    assert (made["python"], made["cpus"]) == (platform.python_version(), os.cpu_count())
    written = datetime.fromisoformat(made["time"])
    assert written.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - written) < timedelta(minutes=1)


def test_is_json() -> None:
    made = provenance([], settings={"steps": 1, "device": None})
    assert json.loads(json.dumps(made)) == made


def test_a_fact_cannot_hide_what_is_measured() -> None:
    with pytest.raises(ValueError, match="python, time"):
        provenance([], time="then", python="2.7")


def test_imports_none_of_what_it_names() -> None:
    code = (
        "import sys; from ifseg_cli.core.provenance import PACKAGES, provenance; provenance([]);"
        "sys.exit(any(name in sys.modules for name in (*PACKAGES, 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_git_state_names_commit_and_changes(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", tmp_path, *identity, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    assert git_state(tmp_path) is None
    git("init", "-q")
    assert git_state(tmp_path) is None, "a checkout without a commit"
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    assert git_state(tmp_path) == {"commit": git("rev-parse", "HEAD"), "changed": False}
    (tmp_path / "file").write_text("2")
    assert git_state(tmp_path) == {"commit": git("rev-parse", "HEAD"), "changed": True}


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None
