"""The interval of mIoU: the same as drawing images one by one, seeded, and as wide as images differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation.bootstrap import RESAMPLES, SEED, interval, resampled
from ifseg_cli.core.evaluation.confusion import Areas, ConfusionMatrix
from ifseg_cli.core.evaluation.definitions import DEFINITIONS, score


def images(number: int, classes: int = 4, seed: int = 0) -> tuple[list[Areas], list[ConfusionMatrix]]:
    random = np.random.default_rng(seed)
    made: list[ConfusionMatrix] = []
    for _ in range(number):
        label = random.integers(0, classes - 1, 200).astype(np.uint8)
        mask = np.where(random.random(200) < random.random(), label, random.integers(0, classes, 200)).astype(np.uint8)
        confusion = ConfusionMatrix(classes)
        confusion.update(label, mask)
        made.append(confusion)
    return [each.areas() for each in made], made


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_draw_is_scored_as_the_definition_scores(definition: str) -> None:
    areas, matrices = images(7)
    random = np.random.default_rng(SEED)
    drawn = random.multinomial(7, np.full(7, 1 / 7), size=100)  # the first hundred
    expected = []
    for times in drawn[:25]:
        total = ConfusionMatrix(4)
        for matrix, number in zip(matrices, times, strict=True):
            for _ in range(number):
                total.merge(matrix)
        expected.append(score(total, definition).mIoU)
    assert resampled(areas, definition, 100)[:25] == pytest.approx(expected, abs=1e-12)


def test_it_holds_the_number_and_repeats() -> None:
    areas, matrices = images(30)
    total = ConfusionMatrix(4)
    for each in matrices:
        total.merge(each)
    low, high = interval(areas, "mmseg") or (math.nan, math.nan)
    assert low < score(total).mIoU < high
    assert interval(areas, "mmseg") == (low, high)
    assert len(resampled(areas, "mmseg")) == RESAMPLES


def test_more_images_are_surer_and_one_says_nothing() -> None:
    def width(number: int) -> float:
        low, high = interval(images(number)[0], "mmseg") or (math.nan, math.nan)
        return high - low

    assert width(100) < 0.6 * width(15)
    assert interval(images(1)[0], "mmseg") is None
    same = images(1)[0] * 9
    low, high = interval(same, "mmseg") or (0.0, 1.0)
    assert high - low < 1e-12


def test_an_unknown_definition_is_told() -> None:
    with pytest.raises(DatasetError, match="is not known"):
        resampled(images(2)[0], "mine")
