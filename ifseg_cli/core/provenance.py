"""Where a result comes from: versions, machine, time, command, and the facts a run adds about itself."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

FILE = "provenance.json"
PACKAGES = ("torch", "numpy", "tokenizers", "safetensors", "pillow")


def provenance(command: Sequence[str], **facts: object) -> dict[str, Any]:
    """What is to be written beside a result.

    Args:
        command: the command line, word by word.
        facts: what the run knows of itself: hashes, seeds, settings, the device. Values that JSON can hold.

    Returns:
        A dictionary in reading order: `ifseg`, `command`, the facts, then `time` (UTC, ISO 8601), `python`, `packages`,
        `platform`, `cpus`, `git` (commit and whether files differ from it; null outside a checkout of this project).

    Raises:
        ValueError: a fact has the name of one of these keys.
    """
    of_run = {"ifseg": _version("ifseg"), "command": list(command)}
    of_machine = {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "git": git_state(Path(__file__).resolve().parents[2]),
    }
    taken = sorted(facts.keys() & (of_run.keys() | of_machine.keys()))
    if taken:
        raise ValueError(f"provenance has these already: {', '.join(taken)}")
    return of_run | facts | of_machine


def read_provenance(folder: Path) -> dict[str, Any]:
    """What stands in a folder's `provenance.json`; empty where there is none that can be read."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def lines(made: dict[str, Any]) -> list[tuple[str, str]]:
    """Provenance as people read it, (what, value) a line; a fact with parts gives one line a part."""
    facts: dict[str, object] = {}
    for key, value in made.items():
        facts.update(cast("dict[str, object]", value) if isinstance(value, dict) else {key: value})
    return [(key, " ".join(map(str, each)) if isinstance(each, list) else str(each)) for key, each in facts.items()]


def git_state(root: Path) -> dict[str, Any] | None:
    """`{"commit": ..., "changed": ...}` of the checkout whose top is `root`; None if it is none, or git is missing."""
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None else {"commit": commit, "changed": bool(changed)}


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *words],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    """A distribution's version by its metadata, without importing it; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
