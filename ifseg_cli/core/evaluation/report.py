"""What an evaluation found, as values. Beside every number stands the sentence that defines it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ifseg_cli.core.datasets.dataset import Dataset
from ifseg_cli.core.errors import counted as plural
from ifseg_cli.core.errors import listed
from ifseg_cli.core.evaluation.bootstrap import Interval, interval
from ifseg_cli.core.evaluation.calibration import SENTENCE as CALIBRATION
from ifseg_cli.core.evaluation.confusion import ConfusionMatrix
from ifseg_cli.core.evaluation.definitions import NUMBERS, Scores, boundary_iou, find_definition, mean_boundary_iou
from ifseg_cli.core.evaluation.predictions import Predictions
from ifseg_cli.core.evaluation.protocols import HARMONIC, Protocol
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.evaluation.scoring import Scored
from ifseg_cli.core.evaluation.tally import Tally

JSON = "report.json"  # written last: where it lies, a report is complete


@dataclass(frozen=True)
class Missing:
    """An image of the data set that is not in the numbers, and why."""

    stem: str
    reason: str


@dataclass(frozen=True)
class ClassRow:
    """One class of the table; ratios are nan where the definition has none."""

    index: int
    name: str
    raw_id: int
    iou: float
    acc: float
    boundary_iou: float
    labelled: int  # pixels
    predicted: int
    right: int
    share: float  # of the labelled pixels, 0..1


@dataclass(frozen=True)
class Confused:
    """Pixels of one class taken for another."""

    label: str
    mask: str
    pixels: int
    share: float  # of the pixels labelled so, 0..1

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} % of {self.label} is taken for {self.mask} ({self.pixels:,} pixels)"


@dataclass(frozen=True)
class Report:
    """The result of one evaluation."""

    dataset: Dataset
    predictions: Predictions
    scores: Scores
    missing: tuple[Missing, ...]
    tally: Tally
    protocol: Protocol
    boundary: tuple[float, ...] = ()  # Boundary IoU per class, nan where there is none; empty: not counted
    interval: Interval | None = None  # 95 % of draws of images have their mIoU in it
    resized: int = 0  # masks that were brought to their label's size

    @property
    def confusion(self) -> ConfusionMatrix:
        """The pixels of every pair of classes."""
        return self.tally.confusion

    @property
    def scored(self) -> int:
        """Images that are in the numbers."""
        return len(self.dataset) - len(self.missing)

    @property
    def sentences(self) -> dict[str, str]:
        """Number -> the sentence that defines it."""
        known = {**find_definition(self.scores.definition).sentences, "ECE": CALIBRATION}
        split = {"seen": "mIoU of the seen classes.", "unseen": "mIoU of the unseen classes.", "harmonic": HARMONIC}
        return {name: sentence for name, sentence in (known | split).items() if name in {*self.numbers(), "IoU", "Acc"}}

    def numbers(self) -> dict[str, float]:
        """The summary: mIoU, mAcc, aAcc, fwIoU, as fractions; Boundary IoU and the split where they were asked for."""
        numbers = {name: getattr(self.scores, name) for name in NUMBERS}
        if self.boundary:
            numbers["bIoU"] = mean_boundary_iou(self.boundary, self.scores)
        if self.tally.calibration.counted:
            numbers["ECE"] = self.tally.calibration.error
        return numbers | self.protocol.split(self.dataset.classes, self.scores)

    def rows(self) -> tuple[ClassRow, ...]:
        """The classes in index order."""
        areas, total = self.scores.areas, max(int(self.scores.areas.label.sum()), 1)
        return tuple(
            ClassRow(
                index,
                name,
                self.dataset.raw_ids[index],
                self.scores.iou[index],
                self.scores.acc[index],
                self.boundary[index] if self.boundary else math.nan,
                int(areas.label[index]),
                int(areas.pred[index]),
                int(areas.intersect[index]),
                int(areas.label[index]) / total,
            )
            for index, name in enumerate(self.dataset.classes)
        )

    def confused(self, most: int = 10) -> tuple[Confused, ...]:
        """The pairs of classes that cost most pixels, largest first."""
        inner = self.confusion.matrix[:-1, :-1].copy()
        np.fill_diagonal(inner, 0)
        largest = np.argsort(inner, axis=None)[::-1][:most]
        pairs = ((int(at) // inner.shape[1], int(at) % inner.shape[1]) for at in largest)
        labelled = self.scores.areas.label
        return tuple(
            Confused(self.dataset.classes[a], self.dataset.classes[b], int(inner[a, b]), inner[a, b] / labelled[a])
            for a, b in pairs
            if inner[a, b]
        )

    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside the numbers, one sentence each."""
        scores, counted = self.scores, self.confusion.counted
        notes = [f"{self.scored} of the {len(self.dataset)} images are in these numbers.", *self.protocol.sentences]
        if self.predictions.unnamed:
            notes.append(f"No class, says {self.predictions.values_from}: {listed(self.predictions.unnamed)}.")
        if declared := self._ignored_classes():
            notes.append(f"Ignored though they are classes, as --ignore says: {listed(declared)}.")
        if self.confusion.outside_labels:
            notes.append(f"{self.confusion.outside_labels:,} pixels have a label that nobody declared; they are kept.")
        if self.dataset.official and len(self.dataset) != self.dataset.official:
            notes.append(
                f"Here lie {len(self.dataset)} of the official {self.dataset.official:,} images: no number to compare."
            )
        if self.interval is not None:
            low, high = (percent(each) for each in self.interval)
            notes.append(f"mIoU is {low} to {high} in 95 % of 2,000 draws of these images with replacement (seed 0).")
        if self.resized:
            notes.append(f"{plural(self.resized, 'mask')} had another size than the label and were resized (nearest).")
        if (shift := self.confusion.better_shift()) is not None:
            accuracy, shifted, by = shift
            notes.append(
                f"ARE THE IDS SHIFTED BY ONE? {100 * accuracy:.1f} % of the pixels are right; with all mask values "
                f"{'raised' if by > 0 else 'lowered'} by one it would be {100 * shifted:.1f} %."
            )
        notes.append(f"{counted:,} pixels counted, {self.confusion.ignored:,} with an ignored label dropped.")
        notes.append(
            f"{len(scores.counted)} of {len(scores.iou)} classes enter mIoU, {len(scores.at_zero)} of them at 0; "
            f"{len(scores.absent)} occur in neither labels nor masks, {len(scores.unlabelled)} in masks only."
        )
        if self.confusion.outside_predictions:
            share = 100 * self.confusion.outside_predictions / max(counted, 1)
            notes.append(
                f"{self.confusion.outside_predictions:,} counted pixels ({share:.1f} %) have a mask value that is no "
                f"class of {self.predictions.values_from}: they are wrong, and no class's prediction."
            )
        return tuple(notes)

    def _ignored_classes(self) -> list[str]:
        """Classes of which a raw value is ignored: labels show them nowhere."""
        if self.dataset.value_of:
            return []
        pairs = zip(self.dataset.raw_ids, self.dataset.classes, strict=True)
        return [name for value, name in pairs if value in self.dataset.ignore]

    def _official(self) -> dict[str, int]:
        return {"official": self.dataset.official} if self.dataset.official else {}

    def to_json(self, provenance: dict[str, Any]) -> dict[str, Any]:
        """A plain dictionary, nan as null; all counts and all missing images."""
        scores = self.scores
        return {
            "dataset": self.dataset.name,
            "classes_from": self.dataset.classes_from,
            "predictions": str(self.predictions.place),
            "protocol": {
                "name": self.protocol.name,
                "sentences": list(self.protocol.sentences),
                "unseen": list(self.protocol.unseen),
                "unseen_from": self.protocol.unseen_from,
            },
            "mask_values_from": self.predictions.values_from,
            "ignored_values": list(self.dataset.ignore),
            "definition": {
                "name": scores.definition,
                "source": find_definition(scores.definition).source,
                "sentences": self.sentences,
            },
            "numbers": {name: json_number(value) for name, value in self.numbers().items()},
            "images": {"in_data_set": len(self.dataset), "scored": self.scored} | self._official(),
            "mIoU_interval_95": None if self.interval is None else list(map(json_number, self.interval)),
            "resized_masks": self.resized,
            "missing": [asdict(each) for each in self.missing],
            "pixels": {
                "counted": self.confusion.counted,
                "ignored": self.confusion.ignored,
                "prediction_is_no_class": self.confusion.outside_predictions,
            },
            "classes": [{key: json_number(value) for key, value in asdict(row).items()} for row in self.rows()],
            "most_confused": [asdict(each) for each in self.confused()],
            "calibration": [asdict(each) for each in self.tally.calibration.bins()],
            "counted": list(scores.counted),
            "absent": list(scores.absent),
            "unlabelled": list(scores.unlabelled),
            "at_zero": list(scores.at_zero),
            "provenance": provenance,
        }


def make_report(dataset: Dataset, predictions: Predictions, scored: Scored, rules: Rules, protocol: Protocol) -> Report:
    """From counts to numbers.

    Raises:
        DatasetError: the definition refuses these counts.
    """
    tally, definition = scored.tally, find_definition(rules.definition)
    return Report(
        dataset=dataset,
        predictions=predictions,
        scores=definition.score(tally.confusion),
        missing=tuple(Missing(each.stem, scored.missing[each.stem]) for each in dataset if each.stem in scored.missing),
        tally=tally,
        protocol=protocol,
        boundary=boundary_iou(tally.boundary) if rules.boundary else (),
        interval=interval(tally.images, len(dataset.classes), rules.definition),
        resized=len(scored.other_sizes),
    )


def percent(value: float) -> str:
    """A fraction in percent with two decimals, a dash where there is none."""
    return "–" if math.isnan(value) else f"{100 * value:.2f}"


def json_number(value: object) -> object:
    """The value as JSON holds it: nan as null."""
    return None if isinstance(value, float) and math.isnan(value) else value
