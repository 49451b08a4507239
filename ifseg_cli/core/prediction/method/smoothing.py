"""Smoothing over look-alikes (method, section 6): class probabilities are averaged over the cells whose backbone
features look most alike, wherever in the picture they lie.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

_BLOCK = 4096  # cells compared at once with all others: bounds the table of similarities to 4096 x N


def nearest_cells(similarity: Tensor, k: int) -> Tensor:
    """For every cell the `k` most similar by cosine, most similar first.

    The cell itself is not excluded; on a flat surface others may be as similar and take its place.

    Args:
        similarity: (B, N, C) features to compare, any scale.
        k: neighbours; a grid of fewer cells gives all its cells.

    Returns:
        (B, N, min(k, N)) int64 indices of cells.
    """
    unit = normalize(similarity.float(), dim=-1)
    k = min(k, unit.shape[1])
    blocks = [torch.topk(block @ unit.transpose(1, 2), k, dim=-1).indices for block in unit.split(_BLOCK, dim=1)]
    return torch.cat(blocks, dim=1)


def smooth(probabilities: Tensor, neighbours: Tensor, iterations: int, held: Tensor | None = None) -> Tensor:
    """Replace every cell's probabilities by the mean over its neighbours, `iterations` times.

    Args:
        probabilities: (B, N, M), rows sum to 1.
        neighbours: (B, N, K) indices of cells, from `nearest_cells`.
        iterations: rounds; 0 gives the input back.
        held: (B, N) bool, cells that keep what they say (`small.py`); none as published.

    Returns:
        (B, N, M), rows still sum to 1.
    """
    pictures = torch.arange(len(probabilities), device=probabilities.device)[:, None]
    columns, kept = neighbours.unbind(-1), probabilities
    for _ in range(iterations):
        total = probabilities[pictures, columns[0]]
        for column in columns[1:]:
            total += probabilities[pictures, column]
        probabilities = total / len(columns)
        if held is not None:
            probabilities = torch.where(held[..., None], kept, probabilities)
    return probabilities
