"""How far one gets on scenes without seeing what is in them: three baselines that are fitted with masks.

    python benchmarks/scenes_blind.py                     200 scenes to fit, 400 to judge; about two minutes
    python benchmarks/scenes_blind.py --fit 50 --test 50

commonest   the commonest class, everywhere
position    the commonest class at each place of a 32 x 32 grid laid over the picture
colour      every 16 x 16 cell gets the class whose mean colour is nearest to its own

All must stay at or under 35 mIoU, or place and colour alone would give the world away. The last line is the cost of a
scene.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.evaluation.confusion import ConfusionMatrix
from ifseg_cli.core.evaluation.definitions import find_definition
from ifseg_cli.scenes.categories import CATEGORIES
from ifseg_cli.scenes.draw import scene

FIT_SEED, TEST_SEED = 20260101, 20260102
PLACES, CELL = 32, 16
M = len(CATEGORIES)
LIMIT = 35.0

Labels = NDArray[np.uint8]


def scenes(seed: int, count: int) -> Iterator[tuple[NDArray[np.uint8], Labels]]:
    return (scene(seed, index) for index in range(count))


def places(height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The row and the column of the grid that each row and column of a picture falls into."""
    return np.arange(height) * PLACES // height, np.arange(width) * PLACES // width


def cell_means(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean colours of 16 x 16 cells, those at the lower and right edge cut. (h, w, 3)"""
    down, across = np.arange(0, picture.shape[0], CELL), np.arange(0, picture.shape[1], CELL)
    sums = np.add.reduceat(np.add.reduceat(picture.astype(float), down, axis=0), across, axis=1)
    rows = np.diff([*down, picture.shape[0]])[:, None, None]
    return sums / (rows * np.diff([*across, picture.shape[1]])[None, :, None])


def fit(count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pixels of each class at each place (32, 32, M), and the mean colour of each class (M, 3)."""
    at_place = np.zeros((PLACES, PLACES, M), np.int64)
    colours, pixels = np.zeros((M, 3)), np.zeros(M)
    for picture, labels in scenes(FIT_SEED, count):
        rows, columns = places(*labels.shape)
        np.add.at(at_place, (rows[:, None], columns[None], labels), 1)
        flat = labels.ravel()
        pixels += np.bincount(flat, minlength=M)
        for channel in range(3):
            colours[:, channel] += np.bincount(flat, picture[..., channel].ravel(), minlength=M)
    return at_place, colours / np.maximum(pixels, 1)[:, None]


def judge(count: int, at_place: NDArray[np.int64], colours: NDArray[np.float64]) -> dict[str, ConfusionMatrix]:
    found = {name: ConfusionMatrix(M) for name in ("commonest", "position", "colour")}
    everywhere, here = at_place.sum((0, 1)).argmax(), at_place.argmax(2)
    for picture, labels in scenes(TEST_SEED, count):
        rows, columns = places(*labels.shape)
        nearest = ((cell_means(picture)[:, :, None] - colours) ** 2).sum(3).argmin(2)
        large = nearest.repeat(CELL, 0).repeat(CELL, 1)[: labels.shape[0], : labels.shape[1]]
        found["commonest"].update(labels, np.full(labels.shape, everywhere, np.uint8))
        found["position"].update(labels, here[rows][:, columns].astype(np.uint8))
        found["colour"].update(labels, large.astype(np.uint8))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", type=int, default=200, help="scenes to fit on")
    parser.add_argument("--test", type=int, default=400, help="scenes to judge on")
    given = parser.parse_args()
    for name, confusion in judge(given.test, *fit(given.fit)).items():
        scores = find_definition("mmseg").score(confusion)
        verdict = "ok" if 100 * scores.mIoU <= LIMIT else f"over {LIMIT:.0f}: the world is too easy"
        print(f"{name:10} mIoU {100 * scores.mIoU:5.1f}   aAcc {100 * scores.aAcc:5.1f}   {verdict}")
    began = time.process_time()
    for index in range(40):
        scene(FIT_SEED, index, (400, 560))
    print(f"drawing    {(time.process_time() - began) / 40:.3f} s a scene of 400 x 560, one core")


if __name__ == "__main__":
    main()
