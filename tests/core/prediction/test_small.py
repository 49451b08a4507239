"""Small regions that smoothing leaves alone."""

from __future__ import annotations

import pytest
import torch

from ifseg_cli.core.prediction.method.small import held_cells
from ifseg_cli.core.prediction.method.smoothing import smooth


def world(size: int, probability: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A sky of 20 x 20 cells with a bird of `size` cells, each cell's neighbours itself and two of the sky."""
    values = torch.zeros(20, 20, 3)
    values[..., 0] = 1
    values[10, 5 : 5 + size] = torch.tensor([(1 - probability) / 2, probability, (1 - probability) / 2])
    neighbours = torch.stack([torch.arange(400), torch.zeros(400).long(), torch.ones(400).long()], 1)
    return values.reshape(1, 400, 3), neighbours[None]


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
