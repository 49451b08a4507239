"""From counts to numbers, in the field's own definitions. Each number carries the sentence that defines it.

With I, P, T, U of a class the pixels that are right, predicted, labelled, and P + T - I, summed over all images:

- `mmseg` (mmsegmentation 0.28 IoUMetric; what IFSeg's figures are): means over the classes that have one, 0/0 has none.
- `csail` (CSAILVision/sceneparsing): the mean runs over all classes, an absent one counts 0.
- `cocostuff` (nightrome/cocostuffapi): only classes that occur in the labels are averaged.

They agree when every class occurs in the labels and every value is a class or ignored; mIoU is always ordered
csail <= mmseg <= cocostuff.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation.confusion import Areas, ConfusionMatrix, Counts

Ratios = NDArray[np.float64]
NUMBERS = ("mIoU", "mAcc", "aAcc", "fwIoU")


@dataclass(frozen=True)
class Scores:
    """The numbers of one evaluation, all fractions in 0..1; nan where a definition has no value (0/0)."""

    definition: str  # name of the averaging rule
    mIoU: float  # noqa: N815 - the field's spelling
    mAcc: float  # noqa: N815
    aAcc: float  # noqa: N815
    fwIoU: float  # noqa: N815
    iou: tuple[float, ...]  # per class
    acc: tuple[float, ...]  # per class
    areas: Areas  # the integers behind them
    counted: tuple[int, ...]  # classes that enter mIoU
    absent: tuple[int, ...]  # classes in neither labels nor predictions
    unlabelled: tuple[int, ...]  # classes predicted somewhere but never labelled
    at_zero: tuple[int, ...]  # classes that enter mIoU with IoU 0


@dataclass(frozen=True)
class Definition:
    """One averaging rule: how it computes, and a sentence for every number that a report prints."""

    name: str
    source: str
    score: Callable[[ConfusionMatrix], Scores]
    enters: Callable[[Ratios, Ratios], NDArray[np.bool_]]  # (labelled, union) -> the classes that enter mIoU
    sentences: dict[str, str]


def score(confusion: ConfusionMatrix, definition: str = "mmseg") -> Scores:
    """The numbers of a confusion matrix.

    Raises:
        DatasetError: the definition refuses these counts, or is unknown.
    """
    return find_definition(definition).score(confusion)


def find_definition(name: str) -> Definition:
    """The averaging rule of that name; DatasetError if there is none."""
    if name not in DEFINITIONS:
        raise DatasetError(f"definition '{name}' is not known", f"one of {', '.join(DEFINITIONS)}")
    return DEFINITIONS[name]


def boundary_iou(counts: Counts) -> tuple[float, ...]:
    """Boundary IoU per class from (3, classes) right, predicted and labelled pixels near borders; nan for 0/0."""
    right, predicted, labelled = counts
    return tuple(_ratio(right, predicted + labelled - right).tolist())


def mean_boundary_iou(boundary: tuple[float, ...], scores: Scores) -> float:
    """The mean over the classes that enter mIoU; one that has none of it counts 0 there."""
    values = [0.0 if math.isnan(boundary[at]) else boundary[at] for at in scores.counted]
    return math.fsum(values) / len(values) if values else math.nan


def _mmseg(confusion: ConfusionMatrix) -> Scores:
    areas = confusion.areas()
    iou, acc = _ratio(areas.intersect, areas.union), _ratio(areas.intersect, areas.label)
    right = _overall(int(areas.intersect.sum()), int(areas.label.sum()))
    return _scores("mmseg", areas, iou, acc, np.isfinite(iou), _mean(acc, np.isfinite(acc)), right)


def _csail(confusion: ConfusionMatrix) -> Scores:
    areas = confusion.areas()
    iou = np.nan_to_num(_ratio(areas.intersect, areas.union), nan=0.0)
    right = int(areas.intersect.sum()) + confusion.same_outside
    everything = np.ones(confusion.classes, dtype=np.bool_)
    acc = _ratio(areas.intersect, areas.label)
    return _scores("csail", areas, iou, acc, everything, math.nan, right / max(confusion.counted, 1))


def _cocostuff(confusion: ConfusionMatrix) -> Scores:
    if confusion.outside_predictions:
        raise DatasetError(
            f"{confusion.outside_predictions} predicted pixels are no class",
            "every prediction to be a class under the definition cocostuff",
            "use --definition mmseg",
        )
    areas = confusion.areas(with_outside_labels=False)
    labelled = areas.label > 0
    if not labelled.any():
        raise DatasetError("no pixel is labelled", "at least one under the definition cocostuff")
    iou = np.where(labelled, _ratio(areas.intersect, areas.union), np.nan)
    acc = _ratio(areas.intersect, areas.label)
    right = _overall(int(areas.intersect.sum()), int(areas.label.sum()))
    return _scores("cocostuff", areas, iou, acc, labelled, _mean(acc, labelled), right)


def _scores(
    name: str, areas: Areas, iou: Ratios, acc: Ratios, counted: NDArray[np.bool_], mean_acc: float, right: float
) -> Scores:
    """Put the numbers together; fwIoU is the same formula everywhere, over the classes that are labelled."""
    labelled = areas.label > 0
    weights = areas.label / max(int(areas.label.sum()), 1)
    return Scores(
        definition=name,
        mIoU=_mean(iou, counted),
        mAcc=mean_acc,
        aAcc=right,
        fwIoU=float((weights[labelled] * iou[labelled]).sum()) if labelled.any() else math.nan,
        iou=tuple(iou.tolist()),
        acc=tuple(acc.tolist()),
        areas=areas,
        counted=_where(counted),
        absent=_where(areas.union == 0),
        unlabelled=_where(~labelled & (areas.pred > 0)),
        at_zero=_where(counted & (iou == 0)),
    )


def _ratio(part: Counts, whole: Counts) -> Ratios:
    """part / whole, nan where whole is 0."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _overall(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean(values: Ratios, chosen: NDArray[np.bool_]) -> float:
    return float(values[chosen].mean()) if chosen.any() else math.nan


def _where(flags: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(flags).tolist())


_IOU = (
    "IoU of a class = pixels right / (pixels labelled + pixels predicted - pixels right), summed over all images first"
)
_FWIOU = "sum over the labelled classes of (share of labelled pixels) x IoU"

_BOUNDARY = (
    "mean over the classes that enter mIoU of the IoU of their pixels near borders, within 2 % of the picture's "
    "diagonal (Cheng et al., CVPR 2021); ignored pixels cut label and mask alike."
)

DEFINITIONS: dict[str, Definition] = {
    "mmseg": Definition(
        "mmseg",
        "mmsegmentation's IoUMetric, as IFSeg computes",
        _mmseg,
        lambda _, union: union > 0,
        {
            "IoU": f"{_IOU}; pixels with the ignore label are dropped.",
            "Acc": "Acc of a class = pixels right / pixels labelled.",
            "mIoU": "mean IoU over the classes that are labelled or predicted somewhere "
            "(predicted but never labelled counts 0, absent from both is left out).",
            "mAcc": "mean Acc over the classes that are labelled somewhere.",
            "aAcc": "pixels right / pixels labelled, all classes together.",
            "fwIoU": f"{_FWIOU} (COCO-Stuff's formula; mmsegmentation defines none).",
            "bIoU": _BOUNDARY,
        },
    ),
    "csail": Definition(
        "csail",
        "CSAILVision/sceneparsing utils_eval.py",
        _csail,
        lambda labelled, _: np.ones_like(labelled, dtype=np.bool_),
        {
            "IoU": f"{_IOU}; pixels with the ignore label are dropped.",
            "Acc": "Acc of a class = pixels right / pixels labelled (not part of this definition, for information).",
            "mIoU": "mean IoU over all classes; a class absent from labels and predictions counts 0.",
            "mAcc": "not defined by CSAIL.",
            "aAcc": "pixels right / pixels labelled, labels outside the classes included.",
            "fwIoU": f"{_FWIOU} (COCO-Stuff's formula; CSAIL defines none).",
            "bIoU": _BOUNDARY,
        },
    ),
    "cocostuff": Definition(
        "cocostuff",
        "nightrome/cocostuffapi cocostuffeval.py",
        _cocostuff,
        lambda labelled, _: labelled > 0,
        {
            "IoU": f"{_IOU}; pixels with the ignore label or a label outside the classes are dropped.",
            "Acc": "Acc of a class = pixels right / pixels labelled.",
            "mIoU": "mean IoU over the classes that occur in the labels.",
            "mAcc": "mean Acc over the classes that occur in the labels.",
            "aAcc": "pixels right / pixels counted, all classes together.",
            "fwIoU": f"{_FWIOU}.",
            "bIoU": _BOUNDARY,
        },
    ),
}
