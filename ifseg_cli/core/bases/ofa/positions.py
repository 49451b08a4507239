"""Where things are: index tables of relative positions, resizing of what was learnt at the native grid, and the
absolute position bias. (docs/method.md, "Positions"; published: `make_token_bucket_position`,
`make_image_bucket_position`, `get_rel_pos_bias`, `get_image_rel_pos_bias`.)

Positions are never added to embeddings. They act as biases of attention only, and depend on the grid and the weights
alone, not on the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

from ifseg_cli.core.bases.base import Grid

Place = tuple[slice, slice]  # of a block in a table of pairs: rows, columns


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # kept for later calls, which may want gradients
def token_buckets(length: int, bucket: int = 256, max_text: int = 1024) -> Tensor:
    """Row of the text's relative table for query i and key j.

    Distances up to `mid = bucket / 2` have a row each; longer ones share rows on a logarithmic scale (float32, as the
    published tables were made).

    Returns:
        (length, length) int64 in 0 .. 2 * bucket - 2.
    """
    distance = torch.arange(length)[:, None] - torch.arange(length)[None, :]  # query minus key
    mid = bucket // 2
    far = torch.where(distance.abs() < mid, torch.tensor(mid - 1), distance.abs())
    logarithm = torch.log(far / mid) / torch.log(torch.tensor((max_text - 1) / mid)) * (mid - 1)
    rows = torch.where(far <= mid, distance, (torch.ceil(logarithm).int() + mid) * distance.sign())
    return rows + bucket - 1


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def cell_buckets(grid: Grid, side: int) -> Tensor:
    """Row `(dr + side - 1) * (2 * side - 1) + (dc + side - 1)` of a relative table of cells, query minus key.

    Args:
        grid: cells (h, w), both at most `side`.
        side: the side the table was made for.

    Returns:
        (h * w, h * w) int64.
    """
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    rows, columns = rows.flatten(), columns.flatten()
    dr = rows[:, None] - rows[None, :]
    dc = columns[:, None] - columns[None, :]
    return (dr + side - 1) * (2 * side - 1) + (dc + side - 1)


def cell_ids(grid: Grid, side: int) -> Tensor:
    """Position ids `row * side + column + 1` of a grid's cells: (h * w) int64. Id 0 is kept for other uses."""
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    return (rows * side + columns + 1).flatten()


def resize_cells(values: Tensor, native: int, grid: Grid) -> Tensor:
    """Resize what stands per cell of the native grid to another grid: bilinear, half-pixel centres, no antialiasing.

    Args:
        values: (..., native * native).

    Returns:
        (..., h * w); the very same tensor when `grid` is the native one.
    """
    if grid == (native, native):
        return values
    flat = values.reshape(-1, 1, native, native)
    resized = F.interpolate(flat, size=grid, mode="bilinear", align_corners=False)
    return resized.reshape(*values.shape[:-1], grid[0] * grid[1])


def position_embeddings(table: Tensor, norm: nn.LayerNorm, native: int, side: int, grid: Grid) -> Tensor:
    """The encoder's normed cell positions: (h * w, d).

    Grids of more cells than the native one read the native block of the table, resized and then normed; smaller ones
    read their own ids. A grid that would run off the table (a side over `side`) is resized too: the published program
    does not define it.
    """
    own = grid[0] * grid[1] <= native * native and max(grid) <= side
    if own:
        return norm(F.embedding(cell_ids(grid, side).to(table.device), table))
    block = F.embedding(cell_ids((native, native), side).to(table.device), table)
    return norm(resize_cells(block.T, native, grid).T)


def relative_cell_bias(table: Tensor, native: int, side: int, grid: Grid) -> Tensor:
    """Relative bias between cells, read at the native grid and resized over both of its ends.

    For another grid the million pairs of native cells are never written down: rows and columns are resized apart, and a
    pair of rows takes of every distance between rows what `distance_weights` says.

    Args:
        table: (rows, heads).

    Returns:
        (heads, h * w, h * w), query first.
    """
    if grid == (native, native):
        bias = _CellTable.apply(table, native, side)
        assert isinstance(bias, Tensor)
        return bias
    middle = slice(side - native, side + native - 1)  # distances that there are in the native grid
    square = table[: (2 * side - 1) ** 2].view(2 * side - 1, 2 * side - 1, -1)[middle, middle].permute(2, 0, 1)
    rows, columns = (distance_weights(native, size).to(table.device) for size in grid)
    pairs = rows @ square @ columns.T  # heads, pairs of rows, pairs of columns
    pairs = pairs.unflatten(1, (grid[0], grid[0])).unflatten(3, (grid[1], grid[1]))
    return pairs.transpose(2, 3).flatten(3).flatten(1, 2)


@lru_cache(maxsize=32)
@torch.inference_mode(False)
def distance_weights(native: int, size: int) -> Tensor:
    """What a pair of resized cells of one axis takes of each distance between native ones, bilinear.

    Returns:
        (size * size, 2 * native - 1): query-major pairs; distances 1 - native, ..., native - 1, query minus key.
    """
    each = F.interpolate(torch.eye(native)[None], size=size, mode="linear", align_corners=False)[0].T  # (size, native)
    made = torch.zeros(size, size, 2 * native - 1)
    for key in range(native):  # queries 0 .. native - 1 lie at distances -key .. native - 1 - key
        first = native - 1 - key
        made[:, :, first : first + native] += each[:, key][None, :, None] * each[:, None, :]
    return made.flatten(0, 1)


def relative_text_bias(table: Tensor, length: int, bucket: int, max_text: int) -> Tensor:
    """Relative bias between tokens: (heads, length, length), query first."""
    buckets = token_buckets(length, bucket, max_text).to(table.device)
    return F.embedding(buckets, table).permute(2, 0, 1)


class _CellTable(Function):
    """`F.embedding(cell_buckets((native, native), side), table)`, heads first.

    A million pairs of cells share some thousand rows. What flows back to a row is the sum over all pairs of its
    distance: a diagonal of rows against rows, then one of columns against columns, rather than one pair after another.
    """

    @staticmethod
    def forward(ctx: Any, table: Tensor, native: int, side: int) -> Tensor:
        ctx.shape, ctx.native, ctx.side = table.shape, native, side
        buckets = cell_buckets((native, native), side).to(table.device)
        return table.T.contiguous()[:, buckets.flatten()].view(-1, *buckets.shape)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = grad_outputs
        native, side = ctx.native, ctx.side
        pairs = grad.unflatten(1, (native, native)).unflatten(3, (native, native))  # heads, r1, c1, r2, c2
        of_rows = _diagonal_sums(pairs.permute(0, 2, 4, 1, 3), native)  # distances, heads, c1, c2
        of_both = _diagonal_sums(of_rows, native)  # of columns, of rows, heads
        table = grad.new_zeros(ctx.shape)
        square = table[: (2 * side - 1) ** 2].view(2 * side - 1, 2 * side - 1, -1)
        middle = slice(side - native, side + native - 1)
        square[middle, middle] = of_both.transpose(0, 1)
        return table, None, None


def _diagonal_sums(pairs: Tensor, count: int) -> Tensor:
    """(..., count, count) -> (2 count - 1, ...): sums over all pairs with query minus key 1 - count, ..., count - 1."""
    return torch.stack([pairs.diagonal(-distance, -2, -1).sum(-1) for distance in range(1 - count, count)])


class _WithBlocks(Function):
    """A table of all pairs with parts of it added to: one copy forward, none backward."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, places: Sequence[Place], *blocks: Tensor) -> Tensor:
        ctx.places, ctx.shapes = places, [block.shape for block in blocks]
        made = whole.clone()
        for (rows, columns), block in zip(places, blocks, strict=True):
            made[:, rows, columns] += block
        return made

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grad_outputs
        parts = zip(ctx.places, ctx.shapes, strict=True)
        return grad, None, *(grad[:, rows, columns].sum_to_size(shape) for (rows, columns), shape in parts)


def with_blocks(whole: Tensor, *blocks: tuple[Place, Tensor]) -> Tensor:
    """`whole` (heads, Q, K) with each block added at its place (rows, columns); a block may be broadcast."""
    places, added = [place for place, _ in blocks], [block for _, block in blocks]
    made = _WithBlocks.apply(whole, places, *added)
    assert isinstance(made, Tensor)
    return made


def absolute_bias(query: Tensor, key: Tensor, heads: int, scale: float) -> Tensor:
    """`(W_q p + b_q)(W_k p + b_k)^T * scale` per head.

    Args:
        query: projected positions (Q, d).
        key: projected positions (K, d).

    Returns:
        (heads, Q, K).
    """
    q = query.unflatten(-1, (heads, -1)).transpose(0, 1) * scale
    k = key.unflatten(-1, (heads, -1)).transpose(0, 1)
    return q @ k.transpose(1, 2)


def table(tables: nn.ModuleList, layer: int) -> Tensor:
    """The relative table of a layer: (rows, heads)."""
    embedding = tables[layer]
    assert isinstance(embedding, nn.Embedding)
    return embedding.weight
