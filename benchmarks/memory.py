"""How much memory a published size needs: the whole command line, random weights, ADE20K's 150 names at 512 px.

    python benchmarks/memory.py [--sizes tiny medium base] [--work FOLDER]

Peak of resident memory of `ifseg adapt` (three steps of one sample, with layers made twice and without; two steps of
the paper's 16, in the parts that it chooses) and of `ifseg predict` (one photograph), each in a process of its own.
From the second step on Adam's moments are there. Pages that a file is mapped to count too. Linux only.
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

    def adapting(steps: int, batch: int, *plan: str) -> float:
        sets = [f"optimiser.steps={steps}", f"optimiser.batch_size={batch}", *plan]
        return peak(*fixed, *(word for each in sets for word in ("--set", each)))[0]

    least = adapting(3, 1, "plan.micro_batch=1", "plan.recompute=layers")
    one, sixteen = adapting(3, 1), adapting(2, 16)
    seen, seconds = peak("predict", photo, "--model", model, "--out", work / f"{size}-masks", "--overwrite")
    print(f"{size:<8}{least:>9.1f}{one:>9.1f}{sixteen:>9.1f}{seen:>9.1f}{seconds:>9.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["tiny", "medium", "base"])
    parser.add_argument("--work", type=Path, help="where the files go; a temporary folder otherwise")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(f"{'GB':<8}{'least':>9}{'batch 1':>9}{'16':>9}{'predict':>9}{'seconds':>9}")
        for size in options.sizes:
            measure(size, (options.work or Path(temporary)) / size)


if __name__ == "__main__":
    main()
