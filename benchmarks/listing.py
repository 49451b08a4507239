"""What it costs to list very many pictures: seconds to the first, seconds to the last, memory.

    python benchmarks/listing.py [--pictures 1000000] [--folders 1000] [--work FOLDER]

Makes so many empty files with names of pictures, in sub-folders and once more in a single folder; lists them as
`ifseg predict` does, each in a process of its own, and deletes them. Linux only.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def make(folder: Path, pictures: int, folders: int) -> None:
    for number in range(folders):
        (folder / f"{number:06d}").mkdir(parents=True)
    for number in range(pictures):
        (folder / f"{number % folders:06d}" / f"{number:08d}.jpg").touch()


def measure(folder: Path) -> dict[str, float]:
    from ifseg_cli.core.images.search import find_images

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    found = iter(find_images([folder]))
    next(found)
    first = time.perf_counter() - begin
    count = 1 + sum(1 for _ in found)
    every = time.perf_counter() - begin
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6
    return {"first": first, "every": every, "count": count, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument("--folders", type=int, default=1000)
    parser.add_argument("--work", type=Path, help="where the files go; a temporary folder otherwise")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return print(json.dumps(measure(options.measure)))
    for folders in (options.folders, 1):
        with tempfile.TemporaryDirectory(dir=options.work) as folder:
            make(Path(folder), options.pictures, folders)
            command = [sys.executable, __file__, "--measure", folder]
            found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            print(
                f"{found['count']:,} pictures in {folders:,} folders: the first after {found['first']:.2f} s, "
                f"all after {found['every']:.1f} s, {found['memory']:.0f} MB",
                flush=True,
            )
    return None


if __name__ == "__main__":
    main()
