"""How much memory a published size needs: the whole command line, random weights, ADE20K's 150 names at 512 px.

    python benchmarks/memory.py [--sizes tiny medium base] [--work FOLDER]

Peak of resident memory of `ifseg adapt` (one step, batches of 1 and 2) and of `ifseg predict` (one photograph), each in
a process of its own. What a batch of 16 needs follows from the two: a part that stays, and a part a sample. Linux only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "examples" / "photos"
sys.path.insert(0, str(ROOT / "benchmarks"))


def peak(*words: object) -> tuple[float, float]:
    """Run `ifseg WORDS`; gigabytes of resident memory at most, and seconds."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "ifseg_cli", *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    told = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(told)
    return usage.ru_maxrss * 1024 / 1e9, time.perf_counter() - begin


def measure(size: str, work: Path) -> None:
    """One line for a size."""
    from load import make

    base = make("port float32", work, size)
    photo = sorted(PHOTO.glob("*.jpg"))[0]
    model = work / f"{size}-model"
    fixed = ["adapt", "--categories", "ade20k", "--base", base, "--out", model, "--overwrite"]
    steps = ["--set", "optimiser.steps=1", "--set"]
    one, _ = peak(*fixed, *steps, "optimiser.batch_size=1")
    two, _ = peak(*fixed, *steps, "optimiser.batch_size=2")
    seen, seconds = peak("predict", photo, "--model", model, "--out", work / f"{size}-masks", "--overwrite")
    sixteen = one + 15 * (two - one)
    print(f"{size:<8}{one:>9.1f}{two:>9.1f}{sixteen:>12.1f}{seen:>9.1f}{seconds:>9.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["tiny", "medium", "base"])
    parser.add_argument("--work", type=Path, help="where the files go; a temporary folder otherwise")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(f"{'GB':<8}{'batch 1':>9}{'batch 2':>9}{'16, computed':>12}{'predict':>9}{'seconds':>9}")
        for size in options.sizes:
            measure(size, (options.work or Path(temporary)) / size)


if __name__ == "__main__":
    main()
