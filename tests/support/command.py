"""Running the installed command as a user does."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path


def ifseg(
    *arguments: object,
    cwd: Path | None = None,
    largest_file: int | None = None,
    stdin: str | None = None,
    timeout: float = 120,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run `ifseg ARGUMENTS` in a process of its own; output is captured, colour is off.

    Args:
        largest_file: bytes after which the disk refuses to go on with a file, as a full one does.
        stdin: what is piped in.
    """

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file or 0, largest_file or 0))

    return subprocess.run(
        [sys.executable, "-m", "ifseg_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="backslashreplace",
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "200", **environment},
        timeout=timeout,
        check=False,
        input=stdin,
        preexec_fn=limit if largest_file is not None else None,
    )


def one_line_error(result: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The only line of a run that the user's input ended: exit 2, nothing on stdout, no traceback."""
    lines = result.stderr.strip().splitlines()
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]
