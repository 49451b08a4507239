"""Small regions that smoothing leaves alone; regions against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from ifseg_cli.core.prediction.method.small import connected, held_cells
from ifseg_cli.core.prediction.method.smoothing import smooth


@given(arrays(np.int64, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)))
def test_regions_are_those_of_scipy(labels: NDArray[np.int64]):
    found = connected(torch.from_numpy(labels)).numpy()
    for ours, picture in zip(found, labels, strict=True):
        theirs = np.zeros(picture.shape, dtype=int)
        for value in np.unique(picture):
            part, count = ndimage.label(picture == value)
            theirs[part > 0] = part[part > 0] + theirs.max()
            assert count
        pairs = set(zip(ours.ravel().tolist(), theirs.ravel().tolist(), strict=True))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_a_long_snake_is_one_region():
    snake = torch.zeros(1, 41, 41, dtype=torch.long)
    snake[0, ::2] = 1
    snake[0, 1::4, -1] = snake[0, 3::4, 0] = 1
    assert len(connected(snake)[snake == 1].unique()) == 1
    assert len(connected(snake)[snake == 0].unique()) == 20


def world(size: int, probability: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A sky of 20 x 20 cells with a bird of `size` cells, each cell's neighbours itself and two of the sky."""
    values = torch.zeros(20, 20, 2)
    values[..., 0] = 1
    values[10, 5 : 5 + size] = torch.tensor([1 - probability, probability])
    neighbours = torch.stack([torch.arange(400), torch.zeros(400).long(), torch.ones(400).long()], 1)
    return values.reshape(1, 400, 2), neighbours[None]


@pytest.mark.parametrize(
    ("size", "probability", "stays"),
    [(1, 0.9, False), (2, 0.9, True), (4, 0.55, True), (4, 0.49, False), (5, 0.9, False)],
)
def test_the_bird_stays(size: int, probability: float, stays: bool):
    values, neighbours = world(size, probability)
    held = held_cells(values, (20, 20))
    found = smooth(values, neighbours, 25, held)[0].argmax(-1).view(20, 20)
    assert (found[10, 5 : 5 + size] == 1).all() == stays and held.sum() == size * stays
    assert smooth(values, neighbours, 25)[0].argmax(-1).sum() == 0  # published: gone
    assert torch.equal(smooth(values, neighbours, 25, torch.zeros_like(held)), smooth(values, neighbours, 25))
