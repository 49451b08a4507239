"""Whether memory grows with the number of pictures: `ifseg predict` over very many small ones, looked at as it goes.

    python benchmarks/many.py [--pictures 20000] [--work FOLDER]

A tiny model, pictures of 48 x 40 pixels in 50 sub-folders, masks alone. Printed are seconds from the start and resident
memory at the first mask and at every quarter, then the peak. Linux only.
"""

from __future__ import annotations

import argparse
import io
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
FOLDERS, KINDS = 50, 20


def make(folder: Path, pictures: int) -> None:
    from tiny import save_tiny_model

    save_tiny_model(folder / "model")
    files: list[bytes] = []
    for seed in range(KINDS):
        small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).resize((48, 40)).save(file, "JPEG")
        files.append(file.getvalue())
    for number in range(FOLDERS):
        (folder / "in" / f"{number:02d}").mkdir(parents=True)
    for number in range(pictures):
        (folder / "in" / f"{number % FOLDERS:02d}" / f"{number:07d}.jpg").write_bytes(files[number % KINDS])


def megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--work", type=Path, help="where the files go; a temporary folder otherwise")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as place:
        folder = Path(place)
        make(folder, options.pictures)
        command = [sys.executable, "-m", "ifseg_cli", "predict", "in", "--model", "model", "--out", "out"]
        begin = time.perf_counter()
        process = subprocess.Popen([*command, "--no-overlay"], cwd=folder, stderr=subprocess.DEVNULL)
        marks = [1, *(options.pictures * quarter // 4 for quarter in range(1, 4))]
        ledger = folder / "out" / "predictions.jsonl"
        while process.poll() is None and marks:
            done = ledger.read_bytes().count(b"\n") if ledger.exists() else 0
            if done >= marks[0]:
                marks.pop(0)
                told = f"{time.perf_counter() - begin:.1f} s: {done:,} done, {megabytes(process.pid):.0f} MB"
                print(told, flush=True)
            time.sleep(0.1)
        code = process.wait()
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{seconds:.1f} s: all done, exit code {code}, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
