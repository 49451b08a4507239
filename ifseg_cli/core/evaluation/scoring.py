"""The pass over all samples that every number comes from: each label is read once, however many systems are judged.

    for every sample: label, masks -> pairs of values -> tallies

With several workers images are read and counted at once; what they counted is added in the order of the samples, so
the numbers do not depend on how many there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.datasets.dataset import DROPPED, UNKNOWN, Dataset, Sample
from ifseg_cli.core.datasets.preflight import Survey, require_same_size
from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.evaluation.boundary import near_border, reach_of
from ifseg_cli.core.evaluation.calibration import count_confidence
from ifseg_cli.core.evaluation.pairs import Counts, Pairs, count_pairs
from ifseg_cli.core.evaluation.predictions import Predictions
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.evaluation.tally import LABEL_NEAR, MASK_NEAR, Tally
from ifseg_cli.core.images.labels import RawIds

R = TypeVar("R")
Table = NDArray[np.uint16]
_NARROW = 254  # classes that fit a byte beside the two that are none


@dataclass
class Scored:
    """What the pass found of one system."""

    tally: Tally
    missing: dict[str, str] = field(default_factory=dict[str, str])  # stem -> why it is not in the numbers
    other_sizes: list[str] = field(default_factory=list[str])  # masks of another size than their label


@dataclass(frozen=True)
class _Mask:
    """One system's mask of one sample, counted; or why it cannot be."""

    pairs: Pairs | None = None
    confidence: tuple[Counts, Counts] | None = None  # pixels and right pixels, by level
    missing: str = ""
    other_size: str = ""


@dataclass(frozen=True)
class _Looked:
    """One sample, looked at."""

    sample: Sample
    values: Counts
    pixels: Counts
    masks: list[_Mask]


def score_samples(
    dataset: Dataset,
    systems: Sequence[Predictions],
    rules: Rules,
    lost: dict[str, str],
    on_sample: Callable[[], None] = lambda: None,
) -> list[Scored]:
    """Count all samples; a system's findings each.

    Args:
        dataset: labels and what they mean.
        systems: whose masks are judged; where there are several, an image that one of them lacks counts for none.
        rules: of the evaluation.
        lost: stem -> why, of samples known to be without a mask.
        on_sample: called after every sample.

    Raises:
        DatasetError: the labels are not what the data set declares.
        ImageError: a label cannot be read.
    """
    labels = dataset.index_table()
    drop = rules.definition == "cocostuff"  # it drops pixels labelled outside the classes, the others keep them
    scored = [
        Scored(Tally(labels, each.table, len(dataset.classes), same_values=each.same_values, drop_outside_labels=drop))
        for each in systems
    ]
    bands = _Bands(labels, systems, len(dataset.classes)) if rules.boundary else None
    survey = Survey(dataset)
    looked = _ordered(
        lambda sample: _look(dataset, labels, systems, sample, rules, bands, lost), dataset, rules.workers
    )
    for each in looked:
        survey.add(each.sample, each.values, each.pixels)
        stem = each.sample.stem
        anywhere = next((mask.missing for mask in each.masks if mask.missing), "")
        for system, mask in zip(scored, each.masks, strict=True):
            if mask.other_size:
                system.other_sizes.append(mask.other_size)
            if anywhere:
                system.missing[stem] = mask.missing or f"another system has none: {anywhere}"
            elif mask.pairs is not None:
                system.tally.add(stem, mask.pairs)
                if mask.confidence is not None:
                    system.tally.calibration.add(*mask.confidence)
        on_sample()
    survey.conclude()
    return scored


def _look(
    dataset: Dataset,
    labels: Table,
    systems: Sequence[Predictions],
    sample: Sample,
    rules: Rules,
    bands: _Bands | None,
    lost: dict[str, str],
) -> _Looked:
    """Read a label and its masks, and count their pairs of values."""
    label = dataset.labels.read(sample)
    require_same_size(sample, label.shape)
    near = bands.of_label(label) if bands is not None else None
    masks: list[_Mask] = []
    for at, system in enumerate(systems):
        if sample.stem in lost:
            masks.append(_Mask(missing=lost[sample.stem]))
            continue
        try:
            mask = system.masks.read(sample)
        except ImageError as error:
            masks.append(_Mask(missing=error.message))
            continue
        other = "" if mask.shape == label.shape else _other_size(system, sample, mask, label)
        if other and not rules.resize:
            masks.append(_Mask(other_size=other))
            continue
        mask = fitted(mask, label.shape)
        flags = bands.flags(near, mask, at) if bands is not None and near is not None else None
        sure = system.masks.confidence(sample)
        known = None if sure is None or sure.shape != label.shape else _confidence(labels, system, label, mask, sure)
        masks.append(_Mask(count_pairs(label, mask, flags), known, other_size=other))
    counted = next((mask.pairs for mask in masks if mask.pairs is not None), None) or count_pairs(label, label)
    return _Looked(sample, counted.label, counted.count, masks)


def _confidence(
    labels: Table, system: Predictions, label: RawIds, mask: RawIds, sure: NDArray[np.uint8]
) -> tuple[Counts, Counts]:
    """Pixels and right pixels by level of confidence, where a label counts and the mask is a class."""
    truth, found = labels.take(label), system.table.take(mask)
    return count_confidence(sure, truth == found, (truth != DROPPED) & (found != DROPPED))


class _Bands:
    """Marks pixels near borders. Where a label is ignored the mask is cut too, so that a perfect mask stays perfect."""

    def __init__(self, labels: Table, systems: Sequence[Predictions], classes: int) -> None:
        self._labels, *self._masks = (_narrow(table, classes) for table in (labels, *(each.table for each in systems)))
        dropped = np.flatnonzero(labels == DROPPED)
        self._dropped = int(self._labels[dropped[0]]) if dropped.size else None

    def of_label(self, label: RawIds) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_]]:
        """Where a label is ignored (None: nowhere), and where it is near a border."""
        classes = self._labels.take(label)
        cut = classes == self._dropped if self._dropped is not None else None
        reach = reach_of(*label.shape)
        return (cut if cut is not None and cut.any() else None), near_border(classes, reach)

    def flags(
        self, label: tuple[NDArray[np.bool_] | None, NDArray[np.bool_]], mask: RawIds, system: int
    ) -> NDArray[np.uint8]:
        """(H, W) uint8: `LABEL_NEAR` and `MASK_NEAR`."""
        cut, near = label
        classes = self._masks[system].take(mask)
        if cut is not None and self._dropped is not None:
            classes[cut] = self._dropped + 1  # a value of its own
        flags = near_border(classes, reach_of(*mask.shape)).astype(np.uint8)
        flags *= MASK_NEAR
        flags |= near  # True is LABEL_NEAR
        return flags


def _narrow(table: Table, classes: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The same table in bytes where the classes fit; `UNKNOWN`, `DROPPED` and one more keep values of their own."""
    if classes >= _NARROW:
        return np.where(table == DROPPED, UNKNOWN, np.where(table == UNKNOWN, UNKNOWN - 1, table)).astype(np.uint16)
    return np.where(table == DROPPED, _NARROW, np.where(table == UNKNOWN, _NARROW - 1, table)).astype(np.uint8)


def _other_size(system: Predictions, sample: Sample, mask: RawIds, label: RawIds) -> str:
    (height, width), (wanted, wide) = mask.shape, label.shape
    return f"{system.masks.name(sample)} is {width} x {height}, its label {sample.label} is {wide} x {wanted}"


def fitted(predicted: RawIds, size: tuple[int, ...]) -> RawIds:
    """A mask at its label's size, by the nearest pixel."""
    if predicted.shape == size:
        return predicted
    rows, columns = (np.arange(wanted) * there // wanted for wanted, there in zip(size, predicted.shape, strict=True))
    return predicted[rows[:, None], columns[None, :]]


def _ordered(function: Callable[[Sample], R], items: Iterable[Sample], workers: int) -> Iterator[R]:
    """`map` in order, with so many threads: decoding and counting leave Python free. Few results wait at any time."""
    if workers == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


assert LABEL_NEAR == 1  # `flags |= near` relies on it
