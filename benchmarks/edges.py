"""Which refinement pays: mIoU, Boundary IoU and seconds a picture, with 95 % intervals, paired over pictures.

    python benchmarks/edges.py [--vocabularies everyday-24 scenes] [--every 4]

The built-in base, unadapted, by its own recipe; a picture is seen once and refined in every way. Seconds are of what
comes after the grid (refine, up-sample, decide), medians. Data: as `photographs.py`, but 100 drawn scenes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from measuring.numbers import by_name, count, figures, interval, resampled
from measuring.options import ROOT
from measuring.pictures import IGNORED, VOCABULARIES, Labels, Picture, Task, load_tasks
from numpy.typing import NDArray

from ifseg_cli.core.evaluation.boundary import near_border, reach_of
from ifseg_cli.core.prediction.engine import stages
from ifseg_cli.core.prediction.method.segment import full_size
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.category import Category

WAYS = get_args(PredictionSettings.model_fields["refine"].annotation)
SCENES = 100
Counted = NDArray[np.int64]  # (pictures, 3, M)


def main() -> None:
    given = options().parse_args()
    for task in load_tasks(given.vocabularies, given.data, ROOT / ".work" / "photographs"):
        task = replace(task, pictures=task.pictures[:SCENES]) if task.name == "scenes" else task
        task = task.every(given.every)
        model = Model.unadapted(given.base, [Category(name) for name in task.names], task.name)
        rows = list(measured(model, task))
        print(f"\n{task.name}: {len(task.names)} names, {len(task.pictures)} pictures")
        print("| refine | mIoU | aAcc | bIoU | against none: mIoU | bIoU | s a picture |")
        print("|---|---|---|---|---|---|---|")
        print("\n".join(table(rows)), flush=True)


def options() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--vocabularies", nargs="+", choices=VOCABULARIES, default=list(VOCABULARIES))
    made.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the photographs")
    made.add_argument("--base", default="builtin")
    made.add_argument("--every", type=int, default=1, help="take every n-th picture")
    return made


def measured(model: Model, task: Task) -> Iterator[tuple[str, Counted, Counted, float]]:
    """(way, counts of all pixels, counts near borders, seconds a picture) of every way."""
    found = [each for picture in task.pictures for each in one(model, task, picture)]
    for way in WAYS:
        mine = [(all_pixels, near, seconds) for which, all_pixels, near, seconds in found if which == way]
        pixels, borders = (np.stack([each[part] for each in mine]) for part in (0, 1))
        yield way, pixels, borders, float(np.median([each[2] for each in mine]))


def one(model: Model, task: Task, picture: Picture) -> Iterator[tuple[str, Counted, Counted, float]]:
    settings, truth = model.settings, task.truth(picture)
    pixels = stages.read(picture.path, settings).pixels
    grid = stages.score(model.network, [stages.prepare(pixels, model.network.pictures, settings)], settings)
    for way in WAYS:
        start = time.perf_counter()
        labels = full_size(grid, 0, pixels, settings.model_copy(update={"refine": way})).labels
        seconds = time.perf_counter() - start
        yield way, count(truth, labels, len(task.names)), near(truth, labels, len(task.names)), seconds


def near(truth: Labels, found: NDArray[np.int16], names: int) -> Counted:
    """(3, M) as `count`, of pixels near a border: Boundary IoU's."""
    found = np.where(truth == IGNORED, IGNORED, found).astype(np.int32)
    reach = reach_of(*truth.shape)
    ours, theirs = near_border(found, reach), near_border(truth.astype(np.int32), reach)
    counted = truth != IGNORED
    right = counted & ours & theirs & (truth == found)
    groups = truth[right], truth[counted & theirs], found[counted & ours]
    return np.stack([np.bincount(each, minlength=names) for each in groups])


def table(rows: list[tuple[str, Counted, Counted, float]]) -> Iterator[str]:
    _, plain, plain_near, _ = rows[0]
    for way, pixels, borders, seconds in rows:
        miou, accuracy = figures(pixels.sum(0))
        border = np.nanmean(by_name(borders.sum(0)))
        gains = [gain(pixels, plain), gain(borders, plain_near)]
        yield f"| {way} | {miou:.1f} | {accuracy:.1f} | {border:.1f} | {' | '.join(gains)} | {seconds:.2f} |"


def gain(mine: Counted, plain: Counted) -> str:
    if mine is plain:
        return "-"
    low, high = interval((resampled([mine]) - resampled([plain]))[:, 0])
    return f"{figures(mine.sum(0))[0] - figures(plain.sum(0))[0]:+.1f} [{low:+.1f}, {high:+.1f}]"


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
