"""What has been counted of one system so far: images go in one after another, integers come out.

Everything that numbers are made of is a sum over images, so memory does not grow with them; of each image only the
counts of the classes that occur in it are kept, for the interval and for the best and worst.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.datasets.dataset import DROPPED, UNKNOWN
from ifseg_cli.core.evaluation.calibration import Calibration
from ifseg_cli.core.evaluation.confusion import Areas, ConfusionMatrix
from ifseg_cli.core.evaluation.pairs import Counts, Pairs

LABEL_NEAR, MASK_NEAR = 1, 2  # flags of a pixel: near a border of the label, of the mask


@dataclass(frozen=True)
class ImageCounts:
    """The areas of one image, of the classes that occur in it."""

    stem: str
    present: NDArray[np.int32]  # (p,) class indices, ascending
    counts: Counts  # (3, p): right, predicted, labelled pixels

    @classmethod
    def of(cls, stem: str, areas: Areas) -> ImageCounts:
        """The same without the classes that do not occur."""
        counts = np.stack([areas.intersect, areas.pred, areas.label])
        present = np.flatnonzero(counts.any(axis=0))
        return cls(stem, present.astype(np.int32), counts[:, present])

    @property
    def iou(self) -> float:
        """Mean IoU over the classes that occur in the image, by which images are ranked; nan where none does."""
        right, predicted, labelled = self.counts
        union = predicted + labelled - right
        return float((right / union).mean()) if union.size else float("nan")


class Tally:
    """Counts of one system.

    Args:
        labels: (65536,) raw label value -> class index.
        masks: (65536,) mask value -> class index; `DROPPED` where it is no class.
        classes: how many there are.
        same_values: whether a mask's values mean what a label's do, so that equal ones outside the classes are equal.
        drop_outside_labels: whether pixels labelled outside the classes leave the areas of single images too.
    """

    def __init__(
        self,
        labels: NDArray[np.uint16],
        masks: NDArray[np.uint16],
        classes: int,
        *,
        same_values: bool,
        drop_outside_labels: bool,
    ) -> None:
        self._labels, self._masks, self._same_values = labels, masks, same_values
        self._drop_outside = drop_outside_labels
        self.confusion = ConfusionMatrix(classes, ignore=[DROPPED])
        self.boundary: Counts = np.zeros((3, classes), dtype=np.int64)  # right, predicted, labelled pixels near borders
        self.images: list[ImageCounts] = []
        self.calibration = Calibration()

    def add(self, stem: str, pairs: Pairs) -> None:
        """Add one image."""
        label, mask = self._labels[pairs.label], self._masks[pairs.mask]
        same = (label == UNKNOWN) & (mask == DROPPED) & (pairs.label == pairs.mask) & self._same_values
        self.confusion.add_pairs(label, mask, pairs.count, int(pairs.count[same].sum()))
        classes = self.confusion.classes
        kept = label < classes if self._drop_outside else label != DROPPED
        self.images.append(ImageCounts.of(stem, _areas(label, mask, pairs.count, kept, kept, classes)))
        near_label, near_mask = ((pairs.flag & flag > 0) & (label != DROPPED) for flag in (LABEL_NEAR, MASK_NEAR))
        near = _areas(label, mask, pairs.count, near_label, near_mask, classes)
        self.boundary += np.stack([near.intersect, near.pred, near.label])


def _areas(
    label: NDArray[np.uint16],
    mask: NDArray[np.uint16],
    count: Counts,
    of_label: NDArray[np.bool_],
    of_mask: NDArray[np.bool_],
    classes: int,
) -> Areas:
    """Areas of pairs, of those whose label, mask or both are asked for."""

    def pixels(chosen: NDArray[np.bool_], values: NDArray[np.uint16]) -> Counts:
        return np.bincount(values[chosen], weights=count[chosen], minlength=classes).astype(np.int64)

    of_label, of_mask = of_label & (label < classes), of_mask & (mask < classes)
    return Areas(pixels(of_label & of_mask & (label == mask), label), pixels(of_mask, mask), pixels(of_label, label))
