"""Smoothing against the published program, and its laws."""

from __future__ import annotations

import pytest
import torch
from parity_numbers import PICTURES, numbers

from ifseg_cli.core.prediction.method import smoothing
from ifseg_cli.core.prediction.method.smoothing import nearest_cells, smooth


@pytest.mark.parametrize("picture", PICTURES)
def test_probabilities_equal_the_published_ones(picture: str):
    io = numbers()
    probabilities = io[f"{picture}.logits"][:-1].softmax(-1)[None]
    ours = smooth(probabilities, io[f"{picture}.knn"].long()[None], 25)[0]
    assert torch.allclose(ours, io[f"{picture}.prob_smooth"], rtol=0, atol=1e-6)


def test_neighbours_are_the_most_similar_by_angle():
    angles = torch.tensor([0.0, 10.0, 25.0, 180.0]).deg2rad()
    cells = torch.stack([angles.cos(), angles.sin()], dim=-1) * torch.tensor([[1.0], [100.0], [0.1], [3.0]])
    assert nearest_cells(cells[None], 2)[0].tolist() == [[0, 1], [1, 0], [2, 1], [3, 2]]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    cells = torch.randn(2, 50, 8)
    whole = nearest_cells(cells, 3)
    monkeypatch.setattr(smoothing, "_BLOCK", 7)
    assert torch.equal(nearest_cells(cells, 3), whole)


@pytest.mark.parametrize(("cells", "k"), [(1, 3), (2, 3), (3, 3), (5, 100)])
def test_a_grid_with_fewer_cells_than_neighbours(cells: int, k: int):
    neighbours = nearest_cells(torch.randn(1, cells, 4), k)
    assert neighbours.shape == (1, cells, min(k, cells))
    smoothed = smooth(torch.rand(1, cells, 6).softmax(-1), neighbours, 25)
    assert torch.allclose(smoothed.sum(-1), torch.ones(1, cells))


def test_flat_surfaces_and_empty_features_have_neighbours():
    assert nearest_cells(torch.zeros(1, 9, 4), 3).max() < 9


def test_one_round_is_the_mean_over_neighbours_and_the_input_stays():
    probabilities = torch.eye(3)[None]
    before = probabilities.clone()
    neighbours = torch.tensor([[[0, 1], [1, 2], [2, 2]]])
    assert smooth(probabilities, neighbours, 1)[0].tolist() == [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]
    assert torch.equal(probabilities, before)
    assert torch.equal(smooth(probabilities, neighbours, 0), before)


def test_pictures_of_a_batch_do_not_mix():
    features, probabilities = torch.randn(3, 20, 8), torch.rand(3, 20, 5).softmax(-1)
    together = smooth(probabilities, nearest_cells(features, 3), 4)
    alone = [smooth(p[None], nearest_cells(f[None], 3), 4) for f, p in zip(features, probabilities, strict=True)]
    assert torch.equal(together, torch.cat(alone))
