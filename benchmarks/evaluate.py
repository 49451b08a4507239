"""How fast saved masks are scored, against decoding the same PNGs with Pillow and nothing else.

    python benchmarks/evaluate.py [--images 200] [--rounds 5]

Labels and masks are drawn: 512 x 683 pixels, 171 classes, regions as of COCO-Stuff's. Every variant runs once a round,
in turn; medians over rounds. One process; `2 workers` are two threads of it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.evaluation.pairs import count_pairs
from ifseg_cli.core.evaluation.predictions import open_predictions
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.evaluation.scoring import score_samples
from ifseg_cli.core.evaluation.tally import Tally
from ifseg_cli.core.images.labels import read_label_map

HEIGHT, WIDTH, CLASSES, REGIONS = 512, 683, 171, 30


def draw(folder: Path, images: int) -> Dataset:
    """Voronoi regions; masks are the labels moved by a cell, as a grid of 16 pixels moves them."""
    rows, columns = np.mgrid[:HEIGHT:4, :WIDTH:4]
    for name in ("labels", "masks"):
        (folder / name).mkdir()
    for number in range(images):
        random = np.random.default_rng(number)
        tops, lefts = random.integers(0, HEIGHT, REGIONS), random.integers(0, WIDTH, REGIONS)
        nearest = ((rows[..., None] - tops) ** 2 + (columns[..., None] - lefts) ** 2).argmin(-1)
        ids = random.integers(0, CLASSES, REGIONS).astype(np.uint8)[nearest]
        label = ids.repeat(4, 0).repeat(4, 1)[:HEIGHT, :WIDTH]
        for name, made in (("labels", label), ("masks", np.roll(label, 9, axis=1))):
            Image.fromarray(made).save(folder / name / f"{number:05d}.png")
    (folder / "classes.txt").write_text("".join(f"class {index}\n" for index in range(CLASSES)))
    return open_dataset("folder", DatasetOptions(labels=folder / "labels", classes=str(folder / "classes.txt")))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        dataset = draw(folder, given.images)
        predictions = open_predictions(folder / "masks", dataset)
        paths = [folder / name / f"{sample.stem}.png" for sample in dataset for name in ("labels", "masks")]
        pairs = [
            (read_label_map(label), read_label_map(mask)) for label, mask in zip(paths[::2], paths[1::2], strict=True)
        ]
        tally = Tally(dataset.index_table(), predictions.table, CLASSES, same_values=True, drop_outside_labels=False)

        def decode() -> None:
            for path in paths:
                with Image.open(path) as image:
                    np.asarray(image)

        def count() -> None:
            for label, mask in pairs:
                tally.add("", count_pairs(label, mask))

        def score(boundary: bool, workers: int) -> None:
            score_samples(dataset, [predictions], Rules(boundary=boundary, workers=workers), {})

        variants: dict[str, Callable[[], None]] = {
            "decoding alone (the floor)": decode,
            "confusion matrix alone": count,
            "scored, --no-boundary": lambda: score(False, 1),
            "scored, --no-boundary --workers 2": lambda: score(False, 2),
            "scored, with Boundary IoU": lambda: score(True, 1),
            "scored, with Boundary IoU, --workers 2": lambda: score(True, 2),
        }
        decode()  # once, so that no variant reads from a cold disk
        rounds = [[seconds(work) for work in variants.values()] for _ in range(given.rounds)]
        medians = [statistics.median(times) for times in zip(*rounds, strict=True)]
        print(f"{given.images} images, {HEIGHT} x {WIDTH}, {CLASSES} classes; median of {given.rounds} rounds")
        print(f"{'':40}{'images/s':>10}{'ms/image':>10}{'times floor':>13}")
        for name, median in zip(variants, medians, strict=True):
            print(
                f"{name:40}{given.images / median:10.0f}{1000 * median / given.images:10.2f}{median / medians[0]:13.2f}"
            )


if __name__ == "__main__":
    main()
