"""Running the installed command as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def ifseg(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `ifseg ARGUMENTS` in a process of its own; output is captured, colour is off."""
    return subprocess.run(
        [sys.executable, "-m", "ifseg_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "200", **environment},
        timeout=120,
        check=False,
    )


def one_line_error(result: subprocess.CompletedProcess[str]) -> str:
    """The only line of a run that the user's input ended: exit 2, nothing on stdout, no traceback."""
    lines = result.stderr.strip().splitlines()
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]
