"""Pixels near borders: the same as eroding every class by itself, which is how Boundary IoU is published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.evaluation.boundary import near_border, reach_of
from ifseg_cli.core.evaluation.evaluate import evaluate_predictions
from ifseg_cli.core.evaluation.predictions import open_predictions
from ifseg_cli.core.evaluation.report import Report

MAPS = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.integers(0, 2))


def eroded(region: np.ndarray, times: int) -> np.ndarray:
    """A region eroded by a 3 x 3 square, the outside of the picture being none of it."""
    for _ in range(times):
        padded = np.pad(region, 1)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
        region = windows.all(axis=(2, 3))
    return region


def published(classes: np.ndarray, reach: int) -> np.ndarray:
    """mask_to_boundary of the published evaluator, for every class, put together."""
    near = np.zeros(classes.shape, bool)
    for value in np.unique(classes):
        region = classes == value
        near |= region & ~eroded(region, reach)
    return near


@given(MAPS, st.integers(1, 6))
@settings(deadline=None)
def test_near_a_border_is_what_erosion_takes_away(classes: np.ndarray, reach: int) -> None:
    assert np.array_equal(near_border(classes, reach), published(classes, reach))


def test_large_regions_and_16_bits() -> None:
    classes = np.zeros((60, 80), np.uint16)
    classes[20:50, 30:70] = 700
    assert np.array_equal(near_border(classes, 7), published(classes, 7))


def test_the_reach_is_two_percent_of_the_diagonal() -> None:
    assert [reach_of(*size) for size in ((480, 640), (512, 683), (1, 1), (20, 20))] == [16, 17, 1, 1]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    random = np.random.default_rng(0)
    for folder, shift in (("labels", 0), ("masks", 3)):
        (tmp_path / folder).mkdir()
        for stem in "ab":
            blocks = np.kron(np.random.default_rng(ord(stem)).integers(0, 3, (4, 5)), np.ones((40, 40))).astype(
                np.uint8
            )
            label = np.roll(blocks, shift, axis=1)
            if folder == "labels":
                label[random.random((4, 5)).repeat(40, 0).repeat(40, 1) < 0.2] = 255
            Image.fromarray(label).save(tmp_path / folder / f"{stem}.png")
    (tmp_path / "cats.txt").write_text("sky\ngrass\nroad\n")
    return open_dataset("folder", DatasetOptions(None, tmp_path / "labels", str(tmp_path / "cats.txt")))


def judged(dataset: Dataset, folder: Path) -> Report:
    return evaluate_predictions(dataset, [open_predictions(folder, dataset)])[0]


def test_boundary_iou_of_regions_one_by_one(dataset: Dataset, tmp_path: Path) -> None:
    """Sums over images of each class's bands, as published for one pair of regions; both cut where nobody knows."""
    report = judged(dataset, tmp_path / "masks")
    counts = np.zeros((3, 2))
    for stem in "ab":
        label, mask = (np.asarray(Image.open(tmp_path / folder / f"{stem}.png")) for folder in ("labels", "masks"))
        known, reach = label != 255, reach_of(*label.shape)
        for value in range(3):
            bands = [region & ~eroded(region, reach) for region in (label == value, (mask == value) & known)]
            counts[value] += (bands[0] & bands[1]).sum(), (bands[0] | bands[1]).sum()
    assert report.boundary == pytest.approx(tuple(counts[:, 0] / counts[:, 1]))
    assert report.numbers()["bIoU"] == pytest.approx((counts[:, 0] / counts[:, 1]).mean())
    assert report.numbers()["bIoU"] < report.numbers()["mIoU"] < 1


def test_a_perfect_mask_is_perfect_at_borders_too(dataset: Dataset, tmp_path: Path) -> None:
    """Whatever stands where the label is ignored: the border of what is known is the same on both sides."""
    (tmp_path / "perfect").mkdir()
    for stem in "ab":
        label = np.asarray(Image.open(tmp_path / "labels" / f"{stem}.png")).copy()
        label[label == 255] = np.random.default_rng(1).integers(0, 4, (label == 255).sum())
        Image.fromarray(label).save(tmp_path / "perfect" / f"{stem}.png")
    assert judged(dataset, tmp_path / "perfect").numbers()["bIoU"] == 1
