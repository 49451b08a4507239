"""Runs `ifseg` on one hostile file after another, each in a process of its own with limits of time and memory.

Python and torch are imported once; a run is a fork of that, which takes milliseconds. A line of JSON in (`argv`,
`cwd`, and `seconds` where it may take longer), a line of JSON out (`code`, `stderr`, `stdout`, `seconds`). Code -9: it
had not ended in time.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

SECONDS, MEMORY = 5.0, 1 << 30


def main() -> None:
    import torch

    import ifseg_cli.commands.adapt
    import ifseg_cli.core.adaptation.course
    import ifseg_cli.core.prediction.run  # noqa: F401 - everything that a run imports
    from ifseg_cli.__main__ import main as ifseg

    torch.set_num_threads(1)
    print("{}", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("stdout", "stderr")]
            begin = time.monotonic()
            child = os.fork()
            if child == 0:
                _run(ifseg, asked, streams)
            code = _ended(child, begin, asked.get("seconds", SECONDS))
            told = [stream.read_text(errors="replace")[:4000] if stream.exists() else "" for stream in streams]
        result = {"code": code, "stdout": told[0], "stderr": told[1], "seconds": time.monotonic() - begin}
        print(json.dumps(result), flush=True)


def _run(ifseg, asked: dict, streams: list[Path]) -> None:
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_CREAT | os.O_WRONLY), number)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    os.chdir(asked["cwd"])
    sys.argv = ["ifseg", *asked["argv"]]
    code = 1
    try:
        ifseg()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(code)


def _ended(child: int, begin: float, seconds: float) -> int:
    """The exit code of a child; it is killed when its time is up."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - begin > seconds:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -9
        time.sleep(0.005)


if __name__ == "__main__":
    main()
