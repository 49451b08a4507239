"""Presence: a name that stands out nowhere in a picture scores less everywhere in it. (Beyond the paper.)

    z_w <- z_w + k log(e + P_w),    P_w = mean of softmax(z)_w over the twelfth of the cells that show w most

A cell is small, and most names that a cell resembles are not in the picture. k = 0 leaves scores as they are.
"""

from __future__ import annotations

from torch import Tensor

CELLS = 12  # of so many cells, one shows a name that is in the picture
LEAST = 1e-4  # e: what is nowhere loses at most 9.2 k


def with_presence(scores: Tensor, weight: float) -> Tensor:
    """Scores (B, N, M) before softmax -> the same with each name's presence in its picture added.

    Args:
        scores: of every cell and name.
        weight: k, 0 or more.
    """
    if weight == 0.0:
        return scores
    most = scores.softmax(-1).topk(max(1, scores.shape[1] // CELLS), dim=1).values.mean(1, keepdim=True)
    return scores + weight * (LEAST + most).log()
