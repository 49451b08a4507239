"""Nameless clusters find their classes: the assignment under which most pixels are right (Hungarian method).

The protocol of unsupervised segmentation: labels are looked at, so its numbers stand apart from all others. Each class
gets one cluster at most, each cluster one class at most; clusters left over are no class, and wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ifseg_cli.core.datasets.dataset import DROPPED, MAX_CLASSES, UNKNOWN, VALUES, Dataset
from ifseg_cli.core.errors import DatasetError, ImageError, counted
from ifseg_cli.core.evaluation.pairs import Counts, count_pairs
from ifseg_cli.core.evaluation.predictions import Predictions


def match_clusters(dataset: Dataset, predictions: Predictions, on_sample: Callable[[], None]) -> Predictions:
    """The masks with the meaning that the assignment gives their values.

    Args:
        on_sample: called after every sample.

    Raises:
        DatasetError: scipy is missing, the masks' values have names, or there are too many of them.
    """
    try:
        from scipy.optimize import linear_sum_assignment  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise DatasetError("--match hungarian needs scipy", remedy="pip install 'ifseg[match]'") from error
    if not predictions.same_values:
        found = f"--match hungarian, and {predictions.values_from} names what the masks show"
        raise DatasetError(found, "clusters without names", "leave --match out")
    overlap = _overlap(dataset, predictions, on_sample)
    if len(overlap) > MAX_CLASSES:
        raise DatasetError(f"{predictions.place} holds {len(overlap)} values", f"at most {MAX_CLASSES} clusters")
    clusters = np.array(sorted(overlap), dtype=np.int64)
    counts = np.array([overlap[value] for value in clusters]).reshape(len(clusters), len(dataset.classes))
    rows, columns = linear_sum_assignment(counts, maximize=True)
    table = np.full(VALUES, DROPPED, dtype=np.uint16)
    table[clusters[rows]] = columns.astype(np.uint16)
    told = f"{counted(len(clusters), 'cluster')}, {len(rows)} of them matched to classes by the Hungarian method"
    return replace(predictions, table=table, values_from=told, same_values=False)


def _overlap(dataset: Dataset, predictions: Predictions, on_sample: Callable[[], None]) -> dict[int, Counts]:
    """Mask value -> (classes,) pixels under each class; samples that cannot be used are passed over."""
    labels = dataset.index_table()
    overlap: dict[int, Counts] = {}
    for sample in dataset:
        on_sample()
        if not predictions.masks.has(sample):
            continue
        label = dataset.labels.read(sample)
        try:
            mask = predictions.masks.read(sample)
        except ImageError:
            continue  # told when it is scored
        if mask.shape != label.shape:
            continue
        pairs = count_pairs(label, mask)
        index = labels[pairs.label]
        kept = index < UNKNOWN
        for value, at, count in zip(pairs.mask[kept].tolist(), index[kept], pairs.count[kept], strict=True):
            overlap.setdefault(value, np.zeros(len(dataset.classes), dtype=np.int64))[at] += count
    return overlap
