"""The loss of the method: scores up-sampled to the label's size, mean cross-entropy over its pixels.

Section 3.2 of the paper; published: `seg_criterion`. No label smoothing. Pixels labelled `IGNORE` do not count.

The published program holds the up-sampled scores, B x M x 512 x 512: 2.5 GB for 16 samples of 150 categories, and as
much again for their gradients. Here a strip of rows exists at a time. Up-sampling is linear, so a strip's part of the
gradient is brought down to the grid at once, in the forward pass: the backward pass has nothing left to do but scale.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from ifseg_cli.core.bases.base import Grid

IGNORE = -100  # label of a pixel that does not count: the value that torch's cross-entropy leaves out
_STRIP = 1 << 21  # values of a strip (rows x W x M): 8 MiB of float32
_STRIP_ELSEWHERE = 1 << 24  # where every call costs more than what it reckons: on a GPU


def segmentation_loss(scores: Tensor, grid: Grid, target: Tensor, pixels: int | None = None) -> Tensor:
    """Cross-entropy of up-sampled scores.

    Args:
        scores: (B, N, M) before softmax, N = h * w, row by row.
        grid: (h, w).
        target: (B, T_h, T_w) int64 categories, or `IGNORE`.
        pixels: what the sum over pixels is divided by; None: the labelled pixels of these samples. (Of a batch that
            comes in parts, all of its labelled pixels: then the parts' losses add up to the batch's.)

    Returns:
        The mean over all labelled pixels, a scalar.
    """
    return _UpsampledCrossEntropy.apply(scores, grid, target, pixels)  # pyright: ignore[reportReturnType]


def labelled_pixels(target: Tensor) -> int:
    """How many pixels of a target count."""
    return int((target != IGNORE).sum())


class _UpsampledCrossEntropy(Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, grid: Grid, target: Tensor, pixels: int | None) -> Tensor:
        divisor = labelled_pixels(target) if pixels is None else pixels
        down = _weights(grid[0], target.shape[1], scores.device)  # (T_h, h)
        across = _weights(grid[1], target.shape[2], scores.device)  # (T_w, w)
        gradient = torch.empty(scores.shape, dtype=torch.float32, device=scores.device)
        total = torch.zeros((), device=scores.device)
        for index, labels in enumerate(target):
            maps = scores[index].float().unflatten(0, grid)  # (h, w, M)
            wide = across @ maps  # (h, T_w, M)
            found, of_wide = _strips(wide, down, labels)
            total += found
            torch.matmul(across.T, of_wide, out=gradient[index].view_as(maps))
        ctx.save_for_backward(gradient.div_(divisor).to(scores.dtype))
        return total / divisor

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.saved_tensors[0] * grad_outputs[0], None, None, None


def _strips(wide: Tensor, down: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of cross-entropy over a sample, and its gradient.

    Args:
        wide: (h, T_w, M), up-sampled along rows.
        down: (T_h, h), what each row of pixels takes of each row of cells.
        labels: (T_h, T_w).

    Returns:
        A scalar, and (h, T_w, M).
    """
    total, gradient = wide.new_zeros(()), torch.zeros_like(wide)
    room = _STRIP if wide.device.type == "cpu" else _STRIP_ELSEWHERE
    rows_at_once = max(1, room // wide[0].numel())
    for top in range(0, len(down), rows_at_once):
        weights, label = down[top : top + rows_at_once], labels[top : top + rows_at_once, :, None]
        cells = weights.any(0).nonzero()  # the few rows of cells that this strip lies between
        first, last = int(cells[0]), int(cells[-1]) + 1
        weights = weights[:, first:last]
        values = (weights @ wide[first:last].flatten(1)).view(-1, *wide.shape[1:])  # (rows, T_w, M)
        logarithms = values.log_softmax(-1)
        counts, label = label != IGNORE, label.clamp(min=0)
        total -= (logarithms.gather(-1, label) * counts).sum()
        probabilities = logarithms.exp_()
        probabilities.scatter_add_(-1, label, torch.full_like(label, -1, dtype=values.dtype))
        if not counts.all():
            probabilities *= counts
        gradient[first:last].flatten(1).addmm_(weights.T, probabilities.flatten(1))
    return total, gradient


def _weights(cells: int, pixels: int, device: torch.device) -> Tensor:
    """(pixels, cells): what each pixel takes of each cell, bilinear with half-pixel centres (`align_corners=False`)."""
    position = ((torch.arange(pixels, dtype=torch.float64) + 0.5) * (cells / pixels) - 0.5).clamp(min=0)
    before = position.floor().long().clamp(max=cells - 1)
    after, fraction = (before + 1).clamp(max=cells - 1), (position - before).float()
    weights = torch.zeros(pixels, cells)
    weights.scatter_add_(1, before[:, None], 1 - fraction[:, None])
    weights.scatter_add_(1, after[:, None], fraction[:, None])
    return weights.to(device)
