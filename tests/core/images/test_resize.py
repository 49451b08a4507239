"""The published resize: its sizes as laws, its pixels against the published program's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity_numbers import numbers

from ifseg_cli.core.images.resize import normalise, resize, target_size

SIDES = st.integers(1, 20_000)


@given(SIDES, SIDES)
def test_sizes_keep_the_aspect_and_both_limits(height: int, width: int):
    wanted = target_size(height, width, 512, 2048)
    factor = min(2048 / max(height, width), 512 / min(height, width))
    assert 1 <= min(wanted) <= 512 and max(wanted) <= 2048
    assert max(wanted) == 2048 or min(wanted) == 512
    for side, before in zip(wanted, (height, width), strict=True):
        assert abs(side - before * factor) <= 0.5 + 1e-9 or side == 1


@given(SIDES, SIDES)
def test_sizes_turn_with_the_picture(height: int, width: int):
    assert target_size(height, width, 512, 2048) == target_size(width, height, 512, 2048)[::-1]


def test_the_published_example():
    assert target_size(333, 500, 512, 2048) == (512, 769)


def test_pixels_equal_the_published_ones_to_the_bit():
    io = numbers()
    ours = resize(io["img_eval.image"].numpy(), (512, 769))
    assert np.array_equal(ours, io["img_eval.resized"].numpy())


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_pixels_are_a_rounded_bilinear_within_one_level(h: int, w: int, high: int, wide: int, seed: int):
    pixels = np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)
    plain = torch.nn.functional.interpolate(
        torch.from_numpy(pixels).permute(2, 0, 1)[None].double(), (high, wide), mode="bilinear", align_corners=False
    )
    ours = resize(pixels, (high, wide))
    assert ours.shape == (high, wide, 3) and ours.dtype == np.uint8
    assert np.abs(ours - plain[0].permute(1, 2, 0).numpy()).max() <= 1


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 60), st.integers(0, 255))
def test_a_flat_picture_stays_flat(h: int, w: int, side: int, value: int):
    assert np.abs(resize(np.full((h, w, 3), value, np.uint8), (side, side)).astype(int) - value).max() <= 1


def test_its_own_size_changes_nothing():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(resize(pixels, (2, 4)), pixels)


def test_normalising_is_per_channel():
    pixels = np.array([[[0, 255, 51]]], np.uint8)
    images = normalise(pixels, (0.5, 0.0, 0.1), (0.5, 1.0, 2.0))
    assert images.shape == (1, 3, 1, 1) and images.dtype == torch.float32
    assert images.flatten().tolist() == pytest.approx([-1.0, 1.0, 0.05])
