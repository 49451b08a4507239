"""The interval of mIoU: the same as drawing images one by one, seeded, and as wide as images differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation import bootstrap
from ifseg_cli.core.evaluation.bootstrap import RESAMPLES, SEED, difference, interval, resampled
from ifseg_cli.core.evaluation.confusion import ConfusionMatrix
from ifseg_cli.core.evaluation.definitions import DEFINITIONS, score
from ifseg_cli.core.evaluation.tally import ImageCounts

CLASSES = 4


def images(number: int, classes: int = CLASSES, seed: int = 0) -> tuple[list[ImageCounts], list[ConfusionMatrix]]:
    random = np.random.default_rng(seed)
    made: list[ConfusionMatrix] = []
    for _ in range(number):
        label = random.integers(0, classes - 1, 200).astype(np.uint8)
        mask = np.where(random.random(200) < random.random(), label, random.integers(0, classes, 200)).astype(np.uint8)
        confusion = ConfusionMatrix(classes)
        confusion.update(label, mask)
        made.append(confusion)
    return [ImageCounts.of(str(at), each.areas()) for at, each in enumerate(made)], made


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
    assert resampled(areas, CLASSES, definition, 100)[:25] == pytest.approx(expected, abs=1e-12)


def test_it_holds_the_number_and_repeats() -> None:
    areas, matrices = images(30)
    total = ConfusionMatrix(4)
    for each in matrices:
        total.merge(each)
    low, high = interval(areas, CLASSES, "mmseg") or (math.nan, math.nan)
    assert low < score(total).mIoU < high
    assert interval(areas, CLASSES, "mmseg") == (low, high)
    assert len(resampled(areas, CLASSES, "mmseg")) == RESAMPLES


def test_more_images_are_surer_and_one_says_nothing() -> None:
    def width(number: int) -> float:
        low, high = interval(images(number)[0], CLASSES, "mmseg") or (math.nan, math.nan)
        return high - low

    assert width(100) < 0.6 * width(15)
    assert interval(images(1)[0], CLASSES, "mmseg") is None
    same = images(1)[0] * 9
    low, high = interval(same, CLASSES, "mmseg") or (0.0, 1.0)
    assert high - low < 1e-12


def test_an_unknown_definition_is_told() -> None:
    with pytest.raises(DatasetError, match="is not known"):
        resampled(images(2)[0], CLASSES, "mine")


def test_a_difference_is_paired() -> None:
    """What is hard about an image falls out: twice the same system differ by nothing, however images differ."""
    ours, _ = images(20)
    same = difference(ours, ours, CLASSES, "mmseg", 0.0)
    assert same is not None and same.interval == (0.0, 0.0) and not same.beyond_noise
    theirs, _ = images(20, seed=1)
    found = difference(ours, theirs, CLASSES, "mmseg", 0.01)
    assert found is not None
    alone = np.percentile(resampled(ours, CLASSES, "mmseg") - resampled(theirs, CLASSES, "mmseg"), (2.5, 97.5))
    assert found.interval == pytest.approx(tuple(alone))
    assert difference(ours[:1], theirs[:1], CLASSES, "mmseg", 0.0) is None


def test_images_are_laid_out_in_parts() -> None:
    """More images than are laid out at once give what all at once give."""
    many = images(40)[0] * 20
    times = np.random.default_rng(0).integers(0, 3, (5, len(many))).astype(float)
    summed = bootstrap._summed(many, times, CLASSES)
    dense = np.zeros((len(many), 3, CLASSES))
    for row, image in zip(dense, many, strict=True):
        row[:, image.present] = image.counts
    assert np.array_equal(summed, np.einsum("di,ikc->kdc", times, dense))
