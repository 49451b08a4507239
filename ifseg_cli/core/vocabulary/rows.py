"""Rows: what stands for a category in the model's space, and which rows are alike.

The row formula of the method (section 2), for several names: the mean over names of each name's mean over its pieces,
so that each name weighs the same. One name: the plain mean, as published.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NEAREST = 3  # neighbours told of each category


def category_rows(embedding: Tensor, piece_ids: Sequence[Sequence[Sequence[int]]]) -> Tensor:
    """Rows of categories.

    Args:
        embedding: token embeddings (tokens, d).
        piece_ids: category -> its names -> token ids, at least one each.

    Returns:
        (M, d) float32.
    """
    import torch

    rows = [torch.stack([embedding[list(ids)].float().mean(0) for ids in names]).mean(0) for names in piece_ids]
    return torch.stack(rows) if rows else torch.zeros(0, embedding.shape[1])


def first_of(piece_ids: Sequence[Sequence[Sequence[int]]]) -> list[int]:
    """For each category the first one with the same row: its own index, or an earlier one that gets all its pixels."""
    seen: dict[frozenset[tuple[int, ...]], int] = {}
    return [seen.setdefault(frozenset(map(tuple, names)), at) for at, names in enumerate(piece_ids)]


def cosines(rows: Tensor) -> Tensor:
    """Cosine of every pair of rows (M, d): (M, M)."""
    from torch.nn.functional import normalize

    unit = normalize(rows.float(), dim=1)
    return unit @ unit.T


def nearest_rows(names: Sequence[str], rows: Tensor, count: int = NEAREST) -> list[tuple[tuple[str, float], ...]]:
    """For each row (M, d) the `count` others of largest cosine, with their names."""
    import torch

    alike = cosines(rows).fill_diagonal_(-2.0)
    values, indices = torch.topk(alike, min(count, max(len(names) - 1, 0)), dim=1)
    return [
        tuple((names[int(index)], float(value)) for index, value in zip(*row, strict=True))
        for row in zip(indices.tolist(), values.tolist(), strict=True)
    ]
