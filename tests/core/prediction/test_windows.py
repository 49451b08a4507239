"""Windows cover every cell, one window is the whole, and what is the same everywhere stays what it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ifseg_cli.core.prediction.engine import stages
from ifseg_cli.core.prediction.method.segment import MOST_CELLS, grid_values, network_inputs, segment
from ifseg_cli.core.prediction.method.upsample import label_map
from ifseg_cli.core.prediction.method.windows import slide, starts, weights
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.integers(1, 500), st.integers(1, 60))
def test_windows_cover_a_side_and_share_a_third(cells: int, window: int) -> None:
    found = starts(cells, window)
    assert found[0] == 0 and found[-1] + window >= cells and (found[-1] + window == cells or len(found) == 1)
    for before, after in pairwise(found):
        assert 0 < after - before <= max(1, window - window // 3)


@given(st.integers(1, 40))
def test_every_cell_counts_and_the_middle_most(window: int) -> None:
    found = weights(window)
    assert found.min() >= 1 and torch.equal(found, found.flip(0)) and found.argmax() in (window // 2, (window - 1) // 2)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 5))
def test_what_a_cell_shows_comes_out_again(height: int, width: int, side: int) -> None:
    """Answers that depend on the cell alone are the same with any windows: blending is a weighted mean."""
    images = torch.from_numpy(picture(height, width)).permute(2, 0, 1)[None].float()

    def first_pixel(part: Tensor) -> Tensor:
        return part[:, :, ::4, ::4]

    torch.testing.assert_close(slide(images, 4 * side, 4, first_pixel), first_pixel(images))


def test_a_picture_of_one_window_is_seen_whole(model: Model) -> None:
    pixels = picture(64, 64)
    whole, slid = PredictionSettings(), PredictionSettings(mode="slide")
    inputs = network_inputs(pixels, model.network.pictures, whole)
    one, other = (grid_values(model.network, inputs, each).views[0] for each in (whole, slid))
    torch.testing.assert_close(one, other)


def test_a_large_picture_has_the_cells_of_its_size(model: Model) -> None:
    settings = PredictionSettings(mode="slide", short_side=200)
    made = grid_values(model.network, network_inputs(picture(300, 410), model.network.pictures, settings), settings)
    assert made.views[0].shape[2:] == (13, 18) and not made.are_scores  # 200 x 273 pixels
    torch.testing.assert_close(made.views[0].sum(1), torch.ones(1, 13, 18))
    found = segment(model.network, picture(300, 410), settings)
    assert found.labels.shape == (300, 410) and np.isfinite(found.confidence).all()


def test_scales_and_mirror_are_averaged_at_full_size(model: Model) -> None:
    pixels, facts = picture(70, 90), model.network.pictures
    every = PredictionSettings(scales=(0.5, 1.0), flip=True)
    alone = [PredictionSettings(scales=(scale,)) for scale in every.scales]
    views: list[Tensor] = []
    for settings in alone:
        views += [
            each[0] for each in grid_values(model.network, network_inputs(pixels, facts, settings), settings).views
        ]
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    for settings in alone:
        inputs = network_inputs(mirrored, facts, settings)
        views += [each[0].flip(2) for each in grid_values(model.network, inputs, settings).views]
    at_full_size = [torch.nn.functional.interpolate(each[None], (70, 90), mode="bilinear")[0] for each in views]
    expected = torch.stack(at_full_size).mean(0)
    found = segment(model.network, pixels, every)
    best = expected.max(0)
    differs = torch.from_numpy(found.labels).long() != best.indices
    ties = expected.topk(2, dim=0).values
    assert not (differs & (ties[0] - ties[1] > 1e-5)).any()
    np.testing.assert_allclose(found.confidence, best.values, atol=1e-5)


def test_what_is_symmetric_has_a_symmetric_answer(model: Model) -> None:
    half = picture(64, 32)
    pixels = np.concatenate([half, half[:, ::-1]], axis=1)
    confidence = segment(model.network, pixels, PredictionSettings(flip=True)).confidence
    np.testing.assert_allclose(confidence, confidence[:, ::-1], atol=1e-5)


def test_published_scores_are_up_sampled_as_scores(model: Model) -> None:
    plain = PredictionSettings(smoothing_iterations=0)
    inputs = network_inputs(picture(40, 40), model.network.pictures, plain)
    assert grid_values(model.network, inputs, plain).are_scores
    assert not grid_values(model.network, inputs, plain.model_copy(update={"flip": True})).are_scores


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (64, 3000), (700, 3000)])
def test_long_pictures_have_a_bounded_number_of_cells(model: Model, size: tuple[int, int]) -> None:
    settings = PredictionSettings(short_side=1024)
    for prepared in network_inputs(picture(*size), model.network.pictures, settings):
        assert -(-prepared.shape[2] // 16) * -(-prepared.shape[3] // 16) <= MOST_CELLS
    assert segment(model.network, picture(*size), PredictionSettings()).labels.shape == size


def test_a_batch_of_two_is_two(model: Model) -> None:
    settings = PredictionSettings(scales=(0.5, 1.0), flip=True, mode="slide", short_side=100)
    pictures = [picture(100, 140, seed) for seed in (1, 2)]
    prepared = [stages.prepare(each, model.network.pictures, settings) for each in pictures]
    found = stages.score(model.network, prepared, settings)
    for index, pixels in enumerate(pictures):
        alone = segment(model.network, pixels, settings)
        together = label_map([each[index] for each in found.views], (100, 140), are_scores=False)
        assert (alone.labels != together.labels).mean() < 0.01
