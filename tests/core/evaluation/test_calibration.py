"""Confidence against what is right: counted level by level, shown in bins, for pixels that count and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.datasets.dataset import DatasetOptions
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.evaluation.calibration import BINS, Calibration, count_confidence
from ifseg_cli.core.evaluation.evaluate import evaluate_predictions
from ifseg_cli.core.evaluation.predictions import open_predictions


def test_the_error_by_its_formula() -> None:
    random = np.random.default_rng(0)
    confidence = random.integers(0, 256, 5000).astype(np.uint8)
    right = random.random(5000) < (confidence / 255) ** 2  # too sure, as networks are
    counted = random.random(5000) < 0.8
    found = Calibration()
    for half in (slice(0, 2000), slice(2000, None)):
        found.add(*count_confidence(confidence[half], right[half], counted[half]))
    place = np.minimum(confidence.astype(int) * BINS // 256, BINS - 1)
    apart = 0.0
    for at in range(BINS):
        here = counted & (place == at)
        apart += here.sum() * abs(right[here].mean() - confidence[here].mean() / 255)
    assert found.error == pytest.approx(apart / counted.sum())
    assert sum(each.pixels for each in found.bins()) == counted.sum()
    assert found.error > 0.05


def test_nothing_counted() -> None:
    assert not Calibration().counted and np.isnan(Calibration().error) and Calibration().bins() == ()


def test_what_predict_wrote_beside_a_mask_is_read(tmp_path: Path) -> None:
    """Ignored labels, masks of no class, and pictures beside masks that no run lists are left out."""
    label = np.array([[0, 0, 1, 255]], np.uint8)
    for folder, values in (
        ("labels", label),
        ("masks", np.array([[0, 1, 255, 0]], np.uint8)),
        ("masks/confidence", np.array([[255, 51, 99, 255]], np.uint8)),
    ):
        (tmp_path / folder).mkdir()
        Image.fromarray(values).save(tmp_path / folder / "a.png")
    (tmp_path / "cats.txt").write_text("cat\ndog\n")
    dataset = open_dataset("folder", DatasetOptions(None, tmp_path / "labels", str(tmp_path / "cats.txt")))
    stranger = evaluate_predictions(dataset, [open_predictions(tmp_path / "masks", dataset)])[0]
    assert "ECE" not in stranger.numbers()
    record = '{"image": "a.png", "path": "/a.png", "width": 4, "height": 1, "mask": "a.png", "overlay": null, '
    record += '"thumbnails": null, "classes": [], "ignored": 0, "confidence": 0.5, "seconds": 0.1}\n'
    (tmp_path / "masks" / "predictions.jsonl").write_text(record)
    report = evaluate_predictions(dataset, [open_predictions(tmp_path / "masks", dataset)])[0]
    assert report.tally.calibration.pixels[[51, 255]].tolist() == [1, 1]
    assert report.tally.calibration.pixels.sum() == 2 and report.tally.calibration.right[255] == 1
    assert report.numbers()["ECE"] == pytest.approx((0 + 0.2) / 2)
    assert report.sentences["ECE"].startswith("mean distance between confidence")
