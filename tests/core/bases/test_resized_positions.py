"""Relative biases of another grid: by distances, and by the plain way over every pair of native cells."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ifseg_cli.core.bases.ofa.positions import cell_buckets, distance_weights, relative_cell_bias, resize_cells

sides = st.integers(1, 12)


def plain(table: Tensor, native: int, side: int, grid: tuple[int, int]) -> Tensor:
    """Read at the native grid, then resized over queries and over keys."""
    bias = table[cell_buckets((native, native), side)].permute(2, 0, 1)
    bias = resize_cells(bias, native, grid)
    return resize_cells(bias.transpose(1, 2), native, grid).transpose(1, 2)


@settings(max_examples=60)
@given(sides, st.integers(0, 4), sides, sides)
def test_values_and_gradients_are_those_of_the_plain_way(native: int, more: int, height: int, width: int):
    side, generator = native + more, torch.Generator().manual_seed(native)
    table = torch.randn((2 * side - 1) ** 2 + 3, 3, generator=generator, requires_grad=True)
    wanted = plain(table, native, side, (height, width))
    back = torch.randn(wanted.shape, generator=generator)
    (expected,) = torch.autograd.grad(wanted, table, back)
    found = relative_cell_bias(table, native, side, (height, width))
    (gradient,) = torch.autograd.grad(found, table, back)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert torch.allclose(gradient, expected, atol=1e-4)


@pytest.mark.parametrize("size", [1, 5, 32, 48])
def test_weights_of_a_pair_add_up_to_one(size: int):
    assert torch.allclose(distance_weights(32, size).sum(1), torch.ones(size * size), atol=1e-5)
