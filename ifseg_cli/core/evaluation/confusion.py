"""The confusion matrix: integers only, one image after another, so that memory does not grow with images.

- Sums over the whole set come first, division last (`definitions.py`); nothing is averaged over images here.
- One row and one column more than there are classes: values outside the classes. What an evaluator makes of them is
  where the field's definitions differ, so they are kept apart, never clipped into a class.
- Pixels whose label is an ignore value are dropped, whatever was predicted there.
- `update` says what is counted; `add_pairs` adds what `pairs.py` has counted before, which is faster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.integer[Any]]  # any integer type, (H, W) or flat
Counts = NDArray[np.int64]

SHIFT_GAIN = 0.2  # of all pixels, from which a shift by one is named
VALUES = 1 << 16  # labels and masks hold 16 bits at most; anything else is outside the classes


@dataclass(frozen=True)
class Areas:
    """Pixels per class over all images, each (classes,) int64: I, P, T and U = P + T - I."""

    intersect: Counts
    pred: Counts
    label: Counts

    @property
    def union(self) -> Counts:
        """(classes,) int64: pixels that the label or the prediction gives to the class."""
        return self.pred + self.label - self.intersect


class ConfusionMatrix:
    """Counts of (label, prediction) pairs.

    Args:
        classes: number of classes N; indices 0..N-1 are the classes, all other values are outside.
        ignore: label values that are dropped; they win over a class of the same index.

    Attributes:
        matrix: (N + 1, N + 1) int64, rows label, columns prediction; the last of each is "outside the classes".
        same_outside: pixels whose label is outside and whose prediction has the very same value.
        ignored: pixels dropped.
    """

    def __init__(self, classes: int, ignore: Iterable[int] = ()) -> None:
        self.classes = classes
        self.matrix: Counts = np.zeros((classes + 1, classes + 1), dtype=np.int64)
        self.same_outside = 0
        self.ignored = 0
        place = np.full(VALUES + 1, classes, dtype=np.intp)  # value -> its column
        place[: min(classes, VALUES)] = np.arange(min(classes, VALUES))
        self._columns = place
        self._rows = place * (classes + 1)
        dropped = [value for value in ignore if 0 <= value < VALUES]
        self._rows[dropped] = (classes + 1) * (classes + 1)  # a row below the matrix

    def update(self, label: Indices, prediction: Indices) -> None:
        """Add one image.

        Args:
            label: integers, any shape.
            prediction: integers, the same shape.

        Raises:
            ValueError: the shapes differ, or an array holds no integers (a fault of the caller's).
        """
        if label.shape != prediction.shape:
            raise ValueError(f"label is {label.shape}, prediction is {prediction.shape}")
        size = self.classes + 1
        rows = self._rows[_in_table(label)]
        pairs = np.bincount(rows + self._columns[_in_table(prediction)], minlength=size * (size + 1))
        self.matrix += pairs[: size * size].reshape(size, size)
        self.ignored += int(pairs[size * size :].sum())
        if pairs[self.classes * size : size * size].any():
            outside = rows == self.classes * size
            self.same_outside += int(np.count_nonzero(outside & (label == prediction).reshape(-1)))

    def add_pairs(self, label: Indices, prediction: Indices, count: Counts, same_outside: int) -> None:
        """Add pixels that were counted already: what `update` does with every pixel, for each different pair.

        Args:
            label: (n,) values.
            prediction: (n,) values.
            count: (n,) pixels of each pair.
            same_outside: how many of these pixels have one value on both sides, outside the classes.
        """
        size = self.classes + 1
        places = self._rows[_in_table(label)] + self._columns[_in_table(prediction)]
        pairs = np.bincount(places, weights=count, minlength=size * (size + 1)).astype(np.int64)
        self.matrix += pairs[: size * size].reshape(size, size)
        self.ignored += int(pairs[size * size :].sum())
        self.same_outside += same_outside

    def merge(self, other: ConfusionMatrix) -> None:
        """Add what another one of the same size has counted (another worker's share)."""
        self.matrix += other.matrix
        self.same_outside += other.same_outside
        self.ignored += other.ignored

    @property
    def counted(self) -> int:
        """Pixels counted: all but the ignored ones."""
        return int(self.matrix.sum())

    @property
    def outside_labels(self) -> int:
        """Counted pixels whose label is neither a class nor an ignore value."""
        return int(self.matrix[-1].sum())

    @property
    def outside_predictions(self) -> int:
        """Counted pixels whose prediction is no class."""
        return int(self.matrix[:, -1].sum())

    def better_shift(self) -> tuple[float, float, int] | None:
        """Whether the masks would be far better with all values one higher (+1) or lower (-1).

        Returns:
            The share of pixels that are right, the share that would be, and the shift; None where there is no doubt.
        """
        inner, total = self.matrix[:-1, :-1], max(self.counted, 1)
        right = float(np.trace(inner)) / total
        # Mask value m + shift stands for class m + shift: the pixels right are those off the diagonal by -shift.
        best, by = max((float(np.trace(inner, offset=-shift)) / total, shift) for shift in (1, -1))
        return (right, best, by) if best > 2 * right and best - right > SHIFT_GAIN else None

    def areas(self, with_outside_labels: bool = True) -> Areas:
        """The areas per class.

        Args:
            with_outside_labels: whether pixels labelled outside the classes stay in P of the class predicted there
                (mmsegmentation, CSAIL) or are dropped altogether (COCO-Stuff).
        """
        inner = self.matrix[:-1]
        predicted = self.matrix if with_outside_labels else inner
        return Areas(np.diagonal(inner).copy(), predicted[:, :-1].sum(axis=0), inner.sum(axis=1))


def _in_table(values: Indices) -> Indices:
    """Flat values as places of the look-up tables: what does not fit goes to the last place, which is outside."""
    values = values.reshape(-1)
    if values.dtype.kind == "u" and values.itemsize <= 2:
        return values
    if values.dtype.kind not in "iu":
        raise ValueError(f"an index map holds integers, not {values.dtype}")
    return np.where((values < 0) | (values >= VALUES), VALUES, values)
