"""Connected regions of a map: neighbours (up, down, left, right) of equal value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def components(values: NDArray[np.integer]) -> NDArray[np.intp]:
    """Number the connected regions of a map (h, w): region 0, 1, ... by their first cell in reading order, (h, w).

    Every cell starts as its own root; across each pair of equal neighbours the larger root is hung under the smaller
    one and paths are shortened, until no pair disagrees.
    """
    count = values.size
    index = np.arange(count).reshape(values.shape)
    across = values[:, 1:] == values[:, :-1]
    down = values[1:] == values[:-1]
    one = np.concatenate([index[:, :-1][across], index[:-1][down]])
    other = np.concatenate([index[:, 1:][across], index[1:][down]])
    root = np.arange(count)
    while True:
        low, high = np.minimum(root[one], root[other]), np.maximum(root[one], root[other])
        if np.array_equal(low, high):
            break
        np.minimum.at(root, high, low)
        while not np.array_equal(root, shorter := root[root]):
            root = shorter
    return np.unique(root, return_inverse=True)[1].reshape(values.shape)
