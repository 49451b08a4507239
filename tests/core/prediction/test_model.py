"""The door from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from parity_numbers import numbers
from PIL import Image
from tiny import NAMES, save_tiny_model

from ifseg_cli import load_model
from ifseg_cli.core.errors import CheckpointError, DeviceError, ImageError, RecipeError
from ifseg_cli.core.prediction.method.segment import network_inputs
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings, prediction_settings


def photograph(height: int = 60, width: int = 80, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def test_every_kind_of_input_gives_the_same(model: Model, tmp_path: Path):
    pixels = photograph()
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    expected = model.predict(pixels)
    assert expected.labels.shape == expected.confidence.shape == (60, 80)
    for same in (path, str(path), path.read_bytes(), Image.fromarray(pixels)):
        assert np.array_equal(model.predict(same).labels, expected.labels)


def test_the_method_line_by_line(model: Model):
    """Section 6 written once more, plainly."""
    pixels = photograph()
    network, settings = model.network, PredictionSettings(smoothing_iterations=4, neighbours=2)
    with torch.inference_mode():
        seen = network.see(network_inputs(pixels, network.pictures, settings)[0])
        probabilities = network.scores(seen.cells, seen.grid)[0].softmax(-1)
        unit = torch.nn.functional.normalize(seen.similarity[0], dim=-1)
        nearest = (unit @ unit.T).topk(2).indices
        for _ in range(4):
            probabilities = probabilities[nearest].mean(1)
    grid = probabilities.T.reshape(1, -1, *seen.grid)
    whole = torch.nn.functional.interpolate(grid, (60, 80), mode="bilinear")[0]
    found = model.predict(pixels, settings)
    assert np.allclose(found.confidence, whole.amax(0).numpy(), atol=1e-6)
    assert (found.labels == whole.argmax(0).numpy()).mean() > 0.999  # up to ties


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2), (64, 64), (700, 70)])
def test_any_size_comes_back_at_its_size(model: Model, size: tuple[int, int]):
    prediction = model.predict(photograph(*size))
    assert prediction.labels.shape == size
    assert prediction.labels.min() >= 0 and prediction.labels.max() < len(NAMES)
    assert prediction.confidence.min() > 0 and prediction.confidence.max() <= 1 + 1e-6


def test_a_prediction_repeats_to_the_bit(model: Model):
    first, second = model.predict(photograph()), model.predict(photograph())
    assert np.array_equal(first.labels, second.labels) and np.array_equal(first.confidence, second.confidence)


def test_settings_are_heard(model: Model):
    pixels = photograph()
    plain = model.predict(pixels)
    assert (model.predict(pixels, PredictionSettings(threshold=1.0)).labels == -1).all()
    assert not np.array_equal(
        model.predict(pixels, PredictionSettings(smoothing_iterations=0)).confidence, plain.confidence
    )
    assert not np.array_equal(model.predict(pixels, PredictionSettings(short_side=96)).confidence, plain.confidence)
    with pytest.raises(ImageError):
        model.predict(Path(__file__), PredictionSettings(max_pixels=10))


@pytest.mark.parametrize(
    "wrong",
    [
        {"smoothing_iterations": -1},
        {"neighbours": 0},
        {"threshold": 1.5},
        {"threshold": float("nan")},
        {"short_side": 8},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]):
    with pytest.raises(RecipeError, match=r"--.* is .*expected"):
        prediction_settings(PredictionSettings(), options=wrong)


def test_arrays_of_another_kind_are_refused(model: Model):
    for wrong in (np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ImageError, match="expected"):
            model.predict(wrong)
    assert model.predict(np.zeros((4, 5), np.uint8)).labels.shape == (4, 5)


def test_the_answer_can_be_saved_and_seen(model: Model, tmp_path: Path):
    prediction = model.predict(photograph())
    prediction.save(tmp_path / "new" / "mask.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "new" / "mask.png")), prediction.labels)
    assert prediction.overlay().width > 80
    assert prediction.names == NAMES and len(prediction.colours) == len(prediction.mask_values) == len(NAMES)


def test_raw_ids_reach_the_mask(tmp_path: Path):
    model = Model.load(save_tiny_model(tmp_path / "raw", raw_ids=(7, 300, 11, 12, 13)), "cpu")
    prediction = model.predict(photograph())
    prediction.save(tmp_path / "mask.png")
    read = np.asarray(Image.open(tmp_path / "mask.png"))
    assert np.array_equal(read, np.array([7, 300, 11, 12, 13])[prediction.labels])


def test_load_model_is_this_door(model_folder: Path, tmp_path: Path):
    assert load_model(model_folder, "cpu").vocabulary.names == NAMES
    with pytest.raises(CheckpointError):
        load_model(tmp_path / "missing")
    with pytest.raises(DeviceError):
        load_model(model_folder, "tpu")


def test_the_network_sees_the_published_pixels(model: Model):
    """Resized and normalised in one, on the published example."""
    io = numbers()
    (images,) = network_inputs(io["img_eval.image"].numpy(), model.network.pictures, PredictionSettings(short_side=512))
    published = ((io["img_eval.resized"].float() / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]
    assert torch.allclose(images, published, rtol=0, atol=1e-6)
