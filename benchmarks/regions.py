"""What smoothing does to small things: IoU and recall by the size of the true region, against the number of rounds.

    python benchmarks/regions.py [--vocabularies everyday-24] [--every 4]

The built-in base, unadapted, by its own recipe, without refinement; a picture is seen once. A region is what is
connected in the truth and of one name, of 64 pixels at least. Its recall is how much of it is called so; its IoU is
with all that is called so and touches it (other regions of the name and pixels without truth left out). Means over
regions, in percent. Data: as `photographs.py`, but 100 drawn scenes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from measuring.numbers import count, figures, interval, resampled
from measuring.options import ROOT
from measuring.pictures import IGNORED, VOCABULARIES, Labels, Task, load_tasks
from numpy.typing import NDArray
from scipy import ndimage

from ifseg_cli.core.prediction.engine import stages
from ifseg_cli.core.prediction.method.segment import full_size
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.category import Category

SIZES = (0, 0.002, 0.01, 0.05, 1)  # of the picture
SMALLEST, SCENES = 64, 100
WAYS: dict[str, dict[str, object]] = {f"{n} rounds": {"smoothing_iterations": n} for n in (0, 1, 2, 5, 10, 25)}
WAYS["25 rounds, --spare-small"] = {"smoothing_iterations": 25, "spare_small": True}
WAYS["25 rounds, K = 5"] = {"smoothing_iterations": 25, "neighbours": 5}
WAYS["25 rounds, K = 5, --spare-small"] = {"smoothing_iterations": 25, "neighbours": 5, "spare_small": True}
Floats = NDArray[np.float64]


def main() -> None:
    given = options().parse_args()
    for task in load_tasks(given.vocabularies, given.data, ROOT / ".work" / "photographs"):
        task = replace(task, pictures=task.pictures[:SCENES]) if task.name == "scenes" else task
        task = task.every(given.every)
        model = Model.unadapted("builtin", [Category(name) for name in task.names], task.name)
        print("\n".join(table(model, task)), flush=True)


def options() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--vocabularies", nargs="+", choices=VOCABULARIES, default=["everyday-24", "voc-20", "scenes"])
    made.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the photographs")
    made.add_argument("--every", type=int, default=1, help="take every n-th picture")
    return made


def table(model: Model, task: Task) -> Iterator[str]:
    """The lines of a vocabulary, published form first."""
    counts: dict[str, list[NDArray[np.int64]]] = {way: [] for way in WAYS}
    found: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
    for picture in task.pictures:
        settings, truth = model.settings.model_copy(update={"refine": "none"}), task.truth(picture)
        pixels = stages.read(picture.path, settings).pixels
        prepared = stages.prepare(pixels, model.network.pictures, settings)
        for way, labels in segmented(model, prepared, pixels, settings):
            counts[way].append(count(truth, labels, len(task.names)))
            found[way] += regions(truth, labels)
    sizes = np.array([size for size, _, _ in next(iter(found.values()))])
    bounds = list(pairwise(SIZES))
    numbers = [int(((sizes >= low) & (sizes < high)).sum()) for low, high in bounds]
    heads = [f"{100 * low:g} to {100 * high:g} % ({n})" for (low, high), n in zip(bounds, numbers, strict=True)]
    yield f"\n{task.name}: {len(task.names)} names, {len(task.pictures)} pictures; IoU / recall by size of the region"
    yield f"| | mIoU | against 25 | aAcc | {' | '.join(heads)} |\n|---|---|---|---|{'---|' * len(heads)}"
    published = np.stack(counts["25 rounds"])
    for way in WAYS:
        mine, each = np.stack(counts[way]), np.array(found[way])
        miou, accuracy = figures(mine.sum(0))
        low, high = interval((resampled([mine]) - resampled([published]))[:, 0])
        gain = "-" if way == "25 rounds" else f"{miou - figures(published.sum(0))[0]:+.1f} [{low:+.1f}, {high:+.1f}]"
        yield f"| {way} | {miou:.1f} | {gain} | {accuracy:.1f} | {' | '.join(by_size(each, bounds))} |"


def by_size(regions: Floats, bounds: Sequence[tuple[float, float]]) -> Iterator[str]:
    for low, high in bounds:
        chosen = regions[(regions[:, 0] >= low) & (regions[:, 0] < high)]
        yield f"{100 * chosen[:, 1].mean():.1f} / {100 * chosen[:, 2].mean():.1f}" if len(chosen) else "-"


def segmented(
    model: Model, prepared: tuple[torch.Tensor, ...], pixels: NDArray[np.uint8], settings: PredictionSettings
) -> Iterator[tuple[str, NDArray[np.int16]]]:
    """(way, labels) of a picture that is seen once."""
    seen = model.network.see(prepared[0])
    scores = model.network.scores(seen.cells, seen.grid)
    remembered = _Remembered(model, seen, scores)
    for way, changed in WAYS.items():
        mine = settings.model_copy(update=changed)
        yield way, full_size(stages.score(remembered, [prepared], mine), 0, pixels, mine).labels


class _Remembered:
    """A network that has seen a picture and need not look again."""

    def __init__(self, model: Model, seen: object, scores: torch.Tensor) -> None:
        self.pictures, self.rows, self._seen, self._scores = model.network.pictures, model.network.rows, seen, scores

    def see(self, images: torch.Tensor) -> object:
        del images
        return self._seen

    def scores(self, cells: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        del cells, grid
        return self._scores


def regions(truth: Labels, found: NDArray[np.int16]) -> Iterator[tuple[float, float, float]]:
    """(size, IoU, recall) of every true region, shares of 1."""
    for name in np.unique(truth[truth != IGNORED]):
        here, called = truth == name, (found == name) & (truth != IGNORED)
        true_regions, number = ndimage.label(here)
        blobs, many = ndimage.label(called)
        areas = np.bincount(true_regions.ravel(), minlength=number + 1)
        outside = np.bincount(blobs[~here].ravel(), minlength=many + 1)
        for index in range(1, number + 1):
            if areas[index] >= SMALLEST:
                region = true_regions == index
                touching = np.unique(blobs[region & called])
                right = (region & called).sum()
                yield areas[index] / truth.size, right / (areas[index] + outside[touching].sum()), right / areas[index]


if __name__ == "__main__":
    with torch.inference_mode():
        main()
