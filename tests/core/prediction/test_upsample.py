"""Strips against the plain way, and both against the published program."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity_numbers import PICTURES, numbers
from torch import Tensor

from ifseg_cli.core.prediction.method.upsample import IGNORED, label_map, upsample_rows


def plain(values: Tensor, size: tuple[int, int]) -> Tensor:
    """The reference: all classes at full size at once."""
    return torch.nn.functional.interpolate(values[None], size, mode="bilinear", align_corners=False)[0]


@given(st.integers(1, 6), st.integers(1, 7), st.integers(1, 40), st.integers(1, 40), st.integers(1, 400))
def test_strips_of_any_height_equal_the_plain_way(h: int, w: int, high: int, wide: int, strip: int):
    values = torch.randn(4, h, w, generator=torch.Generator().manual_seed(h * w * high))
    whole = upsample_rows(values, (high, wide), slice(0, high))
    assert torch.allclose(whole, plain(values, (high, wide)), rtol=0, atol=1e-5)
    found = label_map([values], (high, wide), are_scores=True, strip=strip)
    assert np.array_equal(found.labels, whole.argmax(0).numpy())
    assert np.allclose(found.confidence, whole.softmax(0).amax(0).numpy(), rtol=0, atol=1e-6)


@given(st.integers(1, 5), st.integers(1, 64), st.integers(1, 30))
def test_the_strips_height_changes_no_bit(cells: int, pixels: int, strip: int):
    values = torch.rand(3, cells, cells, generator=torch.Generator().manual_seed(pixels))
    one = label_map([values], (pixels, 9), are_scores=False)
    many = label_map([values], (pixels, 9), are_scores=False, strip=strip)
    assert np.array_equal(one.labels, many.labels) and np.array_equal(one.confidence, many.confidence)


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("way", ["raw", "smooth"])
def test_class_maps_and_scores_equal_the_published_ones(picture: str, way: str):
    io = numbers()
    values = io[f"{picture}.logits"][:-1] if way == "raw" else io[f"{picture}.prob_smooth"]
    values = values.T.reshape(-1, *io[f"{picture}.grid"].tolist())
    published = io[f"{picture}.argmax_{way}"].numpy()
    differs = label_map([values], published.shape, are_scores=way == "raw").labels != published
    differs.ravel()[io[f"{picture}.argmax_margin_{way}"].numpy()] = False  # near-ties, as the fixture lists them
    assert not differs.any()
    rows, columns = io[f"{picture}.pixel_rows"].long(), io[f"{picture}.pixel_cols"].long()
    full = upsample_rows(values, published.shape, slice(0, len(published)))
    sample = full[:, rows][:, :, columns].permute(1, 2, 0)
    assert torch.allclose(sample, io[f"{picture}.scores_{way}"], rtol=0, atol=1e-6)


def test_the_confidence_is_a_probability_both_ways():
    scores = torch.randn(5, 3, 4) * 4
    from_scores = label_map([scores], (30, 20), are_scores=True)
    from_probabilities = label_map([scores.softmax(0)], (30, 20), are_scores=False)
    for found in (from_scores, from_probabilities):
        assert found.confidence.min() >= 1 / 5 and found.confidence.max() <= 1.0 + 1e-6


def test_below_the_threshold_is_ignored():
    probabilities = torch.tensor([[[0.9, 0.5]], [[0.1, 0.5]]])
    assert label_map([probabilities], (1, 2), are_scores=False, threshold=0.6).labels.tolist() == [[0, IGNORED]]
    assert label_map([probabilities], (1, 2), are_scores=False, threshold=1.0).labels.tolist() == [[IGNORED, IGNORED]]
