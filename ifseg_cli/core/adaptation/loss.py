"""The loss of the method: scores up-sampled to the label's size, mean cross-entropy over its pixels.

Section 3.2 of the paper; published: `seg_criterion`. No label smoothing. Pixels labelled `IGNORE` do not count.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ifseg_cli.core.bases.base import Grid

IGNORE = -100  # label of a pixel that does not count: the value that torch's cross-entropy leaves out


def segmentation_loss(scores: Tensor, grid: Grid, target: Tensor) -> Tensor:
    """Cross-entropy of up-sampled scores.

    Args:
        scores: (B, N, M) before softmax, N = h * w, row by row.
        grid: (h, w).
        target: (B, T_h, T_w) int64 categories, or `IGNORE`.

    Returns:
        The mean over all labelled pixels of the batch, a scalar.
    """
    maps = scores.float().transpose(1, 2).unflatten(2, grid)  # (B, M, h, w)
    maps = F.interpolate(maps, size=tuple(target.shape[1:]), mode="bilinear", align_corners=False)
    return F.cross_entropy(maps, target, ignore_index=IGNORE)
