"""Pairs counted by runs are what counting every pixel gives, for any maps of 8 and 16 bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ifseg_cli.core.datasets.dataset import DROPPED, UNKNOWN, VALUES
from ifseg_cli.core.evaluation.confusion import ConfusionMatrix
from ifseg_cli.core.evaluation.pairs import count_pairs
from ifseg_cli.core.evaluation.tally import Tally

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)


@st.composite
def maps(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = draw(SHAPES)
    made = []
    for _ in range(2):
        kind = draw(st.sampled_from([np.uint8, np.uint16]))
        made.append(draw(arrays.arrays(kind, shape, elements=st.sampled_from([0, 1, 2, 5, 200, 255]))))
    return made[0], made[1], draw(arrays.arrays(np.uint8, shape, elements=st.integers(0, 3)))


@given(maps())
@settings(deadline=None)
def test_pairs_are_what_every_pixel_gives(given_maps: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    label, mask, flags = given_maps
    for marked in (None, flags):
        pairs = count_pairs(label, mask, marked)
        found = dict(zip(zip(pairs.label, pairs.mask, pairs.flag, strict=True), pairs.count, strict=True))
        third = np.zeros_like(label) if marked is None else marked
        expected: dict[tuple[int, int, int], int] = {}
        for key in zip(label.ravel(), mask.ravel(), third.ravel(), strict=True):
            expected[key] = expected.get(key, 0) + 1
        assert found == expected


def test_values_of_16_bits_and_a_single_pixel() -> None:
    pairs = count_pairs(np.array([[65535, 65534]], np.uint16), np.array([[300, 300]], np.uint16))
    assert (pairs.label.tolist(), pairs.mask.tolist(), pairs.count.tolist()) == ([65534, 65535], [300, 300], [1, 1])
    assert count_pairs(np.array([[7]], np.uint8), np.array([[9]], np.uint8)).count.tolist() == [1]


@given(maps(), st.booleans())
@settings(deadline=None)
def test_a_tally_is_the_confusion_matrix_of_every_pixel(
    given_maps: tuple[np.ndarray, np.ndarray, np.ndarray], drop: bool
) -> None:
    """0, 1, 2 are classes, 255 is ignored, 5 and 200 nobody declared: counted pixel by pixel or by pairs."""
    label, mask, _ = given_maps
    labels = np.full(VALUES, UNKNOWN, np.uint16)
    labels[[0, 1, 2]], labels[255] = [0, 1, 2], DROPPED
    masks = np.full(VALUES, DROPPED, np.uint16)
    masks[[0, 1, 2]] = [0, 1, 2]
    tally = Tally(labels, masks, 3, same_values=True, drop_outside_labels=drop)
    tally.add("x", count_pairs(label, mask))
    expected = ConfusionMatrix(3, [255])
    expected.update(label, mask)
    assert np.array_equal(tally.confusion.matrix, expected.matrix)
    assert (tally.confusion.ignored, tally.confusion.same_outside) == (expected.ignored, expected.same_outside)
    areas = expected.areas(with_outside_labels=not drop)
    counts = np.zeros((3, 3), int)
    counts[:, tally.images[0].present] = tally.images[0].counts
    assert np.array_equal(counts, np.stack([areas.intersect, areas.pred, areas.label]))


def test_equal_values_of_another_numbering_are_not_equal() -> None:
    labels = np.full(VALUES, UNKNOWN, np.uint16)
    masks = np.full(VALUES, DROPPED, np.uint16)
    for same, expected in ((True, 4), (False, 0)):
        tally = Tally(labels, masks, 1, same_values=same, drop_outside_labels=False)
        tally.add("x", count_pairs(np.full((2, 2), 9, np.uint8), np.full((2, 2), 9, np.uint8)))
        assert tally.confusion.same_outside == expected


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_noise_without_runs(kind: type) -> None:
    random = np.random.default_rng(0)
    label, mask = (random.integers(0, 200, (50, 40)).astype(kind) for _ in range(2))
    pairs = count_pairs(label, mask)
    assert pairs.count.sum() == 2000
    assert np.array_equal(np.bincount(pairs.label, pairs.count, 256), np.bincount(label.ravel(), minlength=256))
